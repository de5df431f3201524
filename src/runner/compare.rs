//! `compare`: the network against numbers of the authors' code.

use miette::{Diagnostic, Result};
use thiserror::Error;

use super::args;
use super::output::print;
use crate::compare::{Golden, compare};
use crate::kernels::Kernels;
use crate::nn::{Encode, Model, Predict};
use crate::train::plan::Plan;

pub fn run<const HIDDEN: usize, E, P, D>(
    plan: &'static Plan,
    build: impl FnOnce() -> Model<HIDDEN, E, P, D>,
    args: &args::Compare,
) -> Result<()>
where
    E: Encode<HIDDEN, D>,
    P: Predict<HIDDEN, D>,
    D: Kernels,
{
    let golden = Golden::read(&args.golden)?;
    let comparison = compare(plan, &mut build(), &golden)?;
    let tolerance = args.tolerance;
    if args.json {
        print(&format!("{:#}\n", comparison.to_json(tolerance)))?;
    } else {
        print(&comparison.table(tolerance))?;
    }
    match comparison.failures(tolerance) {
        0 => Ok(()),
        failures => Err(Differs { failures, all: comparison.rows.len(), tolerance }.into()),
    }
}

#[derive(Debug, Error, Diagnostic)]
#[error("{failures} of {all} tensors are not within {tolerance:e}")]
#[diagnostic(
    code(compare::differs),
    help(
        "a larger difference is another formula. A few times 1e-5 may be a processor's tile unit, which `camtlc compare` sets aside by CAMTL_MATMUL=gemm"
    )
)]
struct Differs {
    failures: usize,
    all: usize,
    tolerance: f64,
}

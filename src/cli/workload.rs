//! The step that costs are given for: the model's own, or what the arguments say.

use miette::Diagnostic;
use thiserror::Error;

use super::Outcome;
use super::args::Workload;
use crate::ir::cost::Load;
use crate::ir::{Batch, Program};

/// The program as it would be with the arguments' batch.
pub fn with_load(program: &Program, args: &Workload) -> Program {
    args.batch.map_or_else(|| program.clone(), |batch| program.with_batch(Batch::Examples(batch)))
}

pub fn workload(args: &Workload, program: &Program) -> Outcome<Load> {
    let own = Load::of(program);
    let load = Load {
        batch: args.batch.map_or(own.batch, Batch::Examples),
        length: args.length.unwrap_or(own.length),
    };
    if load.length > program.sequence {
        let (model, sequence) = (program.name.clone(), program.sequence);
        return Err(TooLong { length: load.length, model, sequence }.into());
    }
    Ok(load)
}

#[derive(Debug, Error, Diagnostic)]
#[error("examples of {length} word pieces do not exist: `{model}` cuts them to {sequence}")]
#[diagnostic(code(camtlc::length), help("the most is `--length {sequence}`, the model's `sequence`"))]
struct TooLong {
    length: usize,
    model: String,
    sequence: usize,
}

//! `simulate`: what a training would draw, as JSON for `camtlc`, which adds what it costs.

use miette::{IntoDiagnostic, Result};

use super::output::print;
use super::{args, cache};
use crate::train::plan::Plan;
use crate::train::simulate::simulate;

pub fn run(plan: &Plan, args: &args::Simulate) -> Result<()> {
    let cache = cache(args.cache.as_ref());
    let simulation = simulate(plan, &args.data, args.backbone.as_deref(), cache.as_deref())?;
    print(&format!("{}\n", serde_json::to_string(&simulation).into_diagnostic()?))
}

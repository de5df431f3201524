//! `simulate`: what a training would draw, as JSON for `camtlc`, which adds what it costs.

use miette::{IntoDiagnostic, Result};

use super::args;
use super::output::print;
use crate::train::Reading;
use crate::train::plan::Plan;
use crate::train::simulate::simulate;

pub fn run(plan: &Plan, args: &args::Simulate) -> Result<()> {
    let cache = args.reading.cache();
    let reading =
        Reading { data: &args.data, unreadable: args.reading.unreadable(), cache: cache.as_deref() };
    let simulation = simulate(plan, reading, args.backbone.as_deref())?;
    if let Some(left_out) = &simulation.left_out {
        eprintln!("{left_out}");
    }
    print(&format!("{}\n", serde_json::to_string(&simulation).into_diagnostic()?))
}

//! `simulate`: what a training would draw, as JSON for `camtlc`, which adds what it costs.

use miette::{IntoDiagnostic, Result};

use super::output::print;
use super::{args, cache, unreadable};
use crate::train::Reading;
use crate::train::plan::Plan;
use crate::train::simulate::simulate;

pub fn run(plan: &Plan, args: &args::Simulate) -> Result<()> {
    let cache = cache(args.cache.as_ref());
    let reading =
        Reading { data: &args.data, unreadable: unreadable(args.skip_unreadable), cache: cache.as_deref() };
    let simulation = simulate(plan, reading, args.backbone.as_deref())?;
    if let Some(left_out) = &simulation.left_out {
        eprintln!("{left_out}");
    }
    print(&format!("{}\n", serde_json::to_string(&simulation).into_diagnostic()?))
}

//! `camtlc stats`: the parameters, counted.

use super::args::Stats;
use super::{Outcome, load, output};

pub fn run(args: &Stats) -> Outcome {
    let model = load::load(&args.model)?;
    let stats = crate::stats::Stats::of(&model.program);
    output::print(&if args.json { stats.json() } else { stats.text() })
}

//! `camtlc stats`: parameters, operations and memory.

use super::args::Stats;
use super::workload::workload;
use super::{Outcome, load, output};

pub fn run(args: &Stats) -> Outcome {
    let model = load::load(&args.model)?;
    let stats = crate::stats::Stats::of(&model.program, workload(&args.load, &model.program)?);
    output::print(&if args.json { stats.json() } else { stats.text() })
}

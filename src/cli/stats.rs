//! `camtlc stats`: parameters, operations and memory.

use super::args::Stats;
use super::workload::{with_load, workload};
use super::{Outcome, load, output};

pub fn run(args: &Stats) -> Outcome {
    let model = load::load_to_show(&args.model)?;
    let program = with_load(&model.program, &args.load);
    let stats = crate::stats::Stats::of(&program, workload(&args.load, &program)?);
    output::print(&if args.json { stats.json() } else { stats.text() })
}

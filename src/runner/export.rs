//! `export`: a run's checkpoint in the files of other programs.

use miette::Result;

use super::args;
use super::output::print;
use crate::train::checkpoint;
use crate::train::export::{Exported, export};
use crate::train::plan::Plan;
use crate::train::{Network, Run};

pub fn run<N: Network>(plan: &'static Plan, build: impl FnOnce() -> N, args: &args::Export) -> Result<()> {
    let run = Run::open(&args.saved.run, plan)?;
    let checkpoint = checkpoint::find(&run.checkpoints(), args.saved.checkpoint)?;
    let mut network = build();
    let step = checkpoint::load(&checkpoint, plan, &mut network.parameters())?;
    let tokenizer = run.folder.join("tokenizer");
    let Exported { tensors, left_out } =
        export(plan, &network.parameters(), &tokenizer, args.format.into(), &args.out)?;
    let mut text = format!("{tensors} tensors of step {step}: {}\n", args.out.display());
    if left_out > 0 {
        text += &format!(
            "left out: {left_out} parameters of modules and heads, for which the format has no place\n"
        );
    }
    print(&text)
}

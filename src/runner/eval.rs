//! `eval`: the figures of a trained model on a split of its data.

use miette::Result;

use super::saved::{self, print};
use super::{args, cache};
use crate::data::Split;
use crate::train::evaluate::evaluate;
use crate::train::plan::Plan;
use crate::train::{Network, inputs};

pub fn run<N: Network>(plan: &'static Plan, build: impl FnOnce() -> N, args: &args::Eval) -> Result<()> {
    let (run, network, step) = saved::open(plan, build, &args.saved)?;
    let split = Split::from(args.split);
    let data = args.data.as_ref().unwrap_or(&run.record.paths.data);
    let tokenizer = run.tokenizer(plan)?;
    let batches = inputs::split(plan, split, data, &tokenizer, cache(args.cache.as_ref()).as_deref())?;
    let evaluation = evaluate(&network, plan.tasks, &batches)?;
    if args.json {
        print(&format!("{}\n", evaluation.to_json(step, split)))
    } else {
        print(&format!("{evaluation}\n"))
    }
}

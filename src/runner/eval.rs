//! `eval`: the figures of a trained model on a split of its data.

use miette::Result;

use super::output::print;
use super::{args, cache};
use crate::data::Split;
use crate::train::evaluate::evaluate;
use crate::train::plan::Plan;
use crate::train::{Network, Predictor, Run, inputs};

pub fn run<N: Network>(plan: &'static Plan, build: impl FnOnce() -> N, args: &args::Eval) -> Result<()> {
    let run = Run::open(&args.saved.run, plan)?;
    let model = match &args.weights {
        Some(weights) => Predictor::of_weights(plan, build, &run, weights)?,
        None => Predictor::of_run(plan, build, &run, args.saved.checkpoint)?,
    };
    let split = Split::from(args.split);
    let data = args.data.as_ref().unwrap_or(&run.record.paths.data);
    let cache = cache(args.cache.as_ref());
    let batches = inputs::split(plan, split, data, model.tokenizer(), cache.as_deref())?;
    let evaluation = evaluate(model.network(), plan.tasks, &batches)?;
    if args.json {
        print(&format!("{}\n", evaluation.to_json(model.step(), split)))
    } else {
        print(&format!("{evaluation}\n"))
    }
}

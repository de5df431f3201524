//! `predict`: what a trained model says of texts.

use miette::Result;

use super::args;
use super::output::print;
use crate::data::{Example, Examples};
use crate::train::plan::{Plan, Task};
use crate::train::{Network, Predictor, SavedModel, predict};

pub fn run<N: Network>(plan: &'static Plan, build: impl FnOnce() -> N, args: &args::Predict) -> Result<()> {
    let (_, task) = predict::find_task(plan, &args.task)?;
    let examples = examples(args, task)?;
    let model = Predictor::load(plan, build, SavedModel::run(&args.saved.run, args.saved.checkpoint))?;
    let predictions = model.predict_examples(task.name, &examples)?;
    match &args.out {
        Some(path) => Ok(predict::write(path, &predictions)?),
        None => print(&predict::to_lines(&predictions)),
    }
}

fn examples(args: &args::Predict, task: &Task) -> Result<Examples> {
    if let Some(path) = &args.file {
        return Ok(predict::read(path, task)?);
    }
    let row = args.text_a.iter().map(|text_a| Example::text(text_a, args.text_b.clone(), 1));
    Ok(Examples { rows: row.collect(), skipped: 0 })
}

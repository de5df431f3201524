//! `predict`: what a trained model says of texts.

use miette::Result;

use super::args;
use super::output::print;
use crate::data::Examples;
use crate::train::plan::{Plan, Task};
use crate::train::predict::Asked;
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
    let asked = Asked {
        text: args.text_a.clone().unwrap_or_default(), // clap asks for a text or a file
        text_b: args.text_b.clone(),
        choices: args.choices.clone(),
    };
    Ok(Examples { rows: vec![predict::example(task, asked)?], skipped: 0 })
}

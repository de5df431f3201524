//! `predict`: what a trained model says of texts.

use std::path::Path;

use miette::Result;

use super::args;
use super::output::print;
use crate::data::{Examples, Split};
use crate::train::plan::{Plan, Task};
use crate::train::predict::Asked;
use crate::train::{Network, Predictor, Run, SavedModel, predict, submission};

pub fn run<N: Network>(plan: &'static Plan, build: impl FnOnce() -> N, args: &args::Predict) -> Result<()> {
    // clap asks for a task, or for all of them and a place
    match (&args.task, &args.out) {
        (Some(task), _) => one(plan, build, args, task),
        (None, Some(out)) => all(plan, build, args, out),
        (None, None) => unreachable!("neither a task nor a place"),
    }
}

fn one<N: Network>(
    plan: &'static Plan,
    build: impl FnOnce() -> N,
    args: &args::Predict,
    task: &str,
) -> Result<()> {
    let (_, task) = predict::find_task(plan, task)?;
    let examples = examples(args, task)?;
    let model = Predictor::load(plan, build, SavedModel::run(&args.saved.run, args.saved.checkpoint))?;
    let predictions = model.predict_examples(task.name, &examples)?;
    match &args.out {
        Some(path) => Ok(predict::write(path, &predictions)?),
        None => print(&predict::to_lines(&predictions)),
    }
}

/// The files' names are the result.
fn all<N: Network>(
    plan: &'static Plan,
    build: impl FnOnce() -> N,
    args: &args::Predict,
    out: &Path,
) -> Result<()> {
    let run = Run::open(&args.saved.run, plan)?;
    let model = Predictor::of_run(plan, build, &run, args.saved.checkpoint)?;
    let data = args.data.as_ref().unwrap_or(&run.record.paths.data);
    let files = submission::write(&model, data, Split::from(args.split), out)?;
    let names = files.iter().map(|file| format!("{}\n", out.join(&file.name).display()));
    print(&names.collect::<String>())
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
    Ok(Examples::of(vec![predict::example(task, asked)?]))
}

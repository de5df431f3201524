//! `predict`: what a trained model says of texts.

use miette::{Diagnostic, Result};

use super::args;
use super::saved::{self, print};
use crate::data::{Example, Examples, Target};
use crate::train::plan::Plan;
use crate::train::{Network, predict};

#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("the model has no task `{task}`")]
#[diagnostic(code(predict::task), help("its tasks are {known}"))]
struct UnknownTask {
    task: String,
    known: String,
}

pub fn run<N: Network>(plan: &'static Plan, build: impl FnOnce() -> N, args: &args::Predict) -> Result<()> {
    let task = plan.task(&args.task).ok_or_else(|| UnknownTask {
        task: args.task.clone(),
        known: plan.tasks.iter().map(|task| format!("`{}`", task.name)).collect::<Vec<_>>().join(", "),
    })?;
    let examples = examples(args, task.1)?;
    let (run, network, _) = saved::open(plan, build, &args.saved)?;
    let predictions = predict::predict(&network, &run.tokenizer(plan)?, task, &examples)?;
    match &args.out {
        Some(path) => Ok(predict::write(path, &predictions)?),
        None => print(&predict::to_lines(&predictions)),
    }
}

fn examples(args: &args::Predict, task: &crate::train::plan::Task) -> Result<Examples> {
    if let Some(path) = &args.file {
        return Ok(predict::read(path, task)?);
    }
    let row = args.text_a.iter().map(|text_a| Example {
        text_a: text_a.clone(),
        text_b: args.text_b.clone(),
        target: Target::None,
        line: 1,
    });
    Ok(Examples { rows: row.collect(), skipped: 0 })
}

//! `camtlc predict`: build the program of the model that a run was trained from, and predict with it.

use std::process::ExitCode;

use miette::Diagnostic;
use thiserror::Error;

use super::args::Predict;
use super::{Outcome, become_binary, driver, load};
use crate::diagnostics;

pub fn run(args: &Predict) -> Outcome<ExitCode> {
    let model = load::load_run(&args.run)?;
    let tasks: Vec<&str> = model.program.tasks.iter().map(|task| task.name.as_str()).collect();
    if let Some(task) = &args.task
        && !tasks.contains(&task.as_str())
    {
        let help = diagnostics::did_you_mean(task, &tasks);
        return Err(NoTask { task: task.clone(), model: model.program.name.clone(), help }.into());
    }

    let mut command = driver::command(&model, "predict", &args.placement)?;
    command.arg("--run").arg(&args.run);
    if let Some(task) = &args.task {
        command.arg("--task").arg(task);
    }
    if args.all {
        command.arg("--all").arg("--split").arg(&args.split);
    }
    if let Some(folder) = &args.data {
        command.arg("--data").arg(folder);
    }
    if let Some(text) = &args.text {
        command.arg("--text").arg(text);
    }
    if let Some(text) = &args.text_b {
        command.arg("--text-b").arg(text);
    }
    for text in &args.choice {
        command.arg("--choice").arg(text);
    }
    if let Some(file) = &args.input {
        command.arg("--in").arg(file);
    }
    if let Some(file) = &args.out {
        command.arg("--out").arg(file);
    }
    become_binary::run(command)
}

#[derive(Debug, Error, Diagnostic)]
#[error("`{model}` has no task `{task}`")]
#[diagnostic(code(camtlc::task))]
struct NoTask {
    task: String,
    model: String,
    #[help]
    help: String,
}

//! `camtlc eval`: build the program of the model that a run was trained from, and measure the run with it.

use std::process::ExitCode;

use super::args::Eval;
use super::{Outcome, become_binary, driver, load};

pub fn run(args: &Eval) -> Outcome<ExitCode> {
    let model = load::load_run(&args.run)?;
    let mut command = driver::command(&model, "eval", &args.placement)?;
    command.arg("--run").arg(&args.run);
    command.arg("--split").arg(&args.split);
    if let Some(folder) = &args.data {
        command.arg("--data").arg(folder);
    }
    if let (Some(task), Some(data)) = (&args.task, &args.data_of) {
        command.arg("--task").arg(task).arg("--as").arg(data);
    }
    for pair in &args.map {
        command.arg("--map").arg(pair);
    }
    if args.json {
        command.arg("--json");
    }
    if let Some(file) = &args.weights {
        command.arg("--weights").arg(file);
    }
    if args.skip_unreadable {
        command.arg("--skip-unreadable");
    }
    become_binary::run(command)
}

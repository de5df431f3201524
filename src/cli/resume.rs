//! `camtlc resume`: build the program of the model that an interrupted run was trained from, and go on with it.

use std::process::ExitCode;

use super::args::Resume;
use super::{Outcome, become_binary, driver, load};

pub fn run(args: &Resume) -> Outcome<ExitCode> {
    let model = load::load_run(&args.run)?;
    let mut command = driver::command(&model, "resume", &args.placement)?;
    command.arg("--run").arg(&args.run);
    if let Some(folder) = &args.data {
        command.arg("--data").arg(folder);
    }
    if args.profile {
        command.arg("--profile");
    }
    if args.skip_unreadable {
        command.arg("--skip-unreadable");
    }
    become_binary::run(command)
}

//! `camtlc export`: build the program of the model that a run was trained from, and write the run for other programs.

use std::process::{Command, ExitCode};

use super::args::Export;
use super::device::Device;
use super::{Outcome, become_binary, driver, load};

pub fn run(args: &Export) -> Outcome<ExitCode> {
    let model = load::load_run(&args.run)?;
    let mut command = Command::new(driver::binary(&model, Device::Cpu)?);
    command.arg("export").arg("--run").arg(&args.run);
    command.arg("--format").arg(args.format.name()).arg("--out").arg(&args.out);
    if let Some(checkpoint) = &args.checkpoint {
        command.arg("--checkpoint").arg(checkpoint);
    }
    become_binary::run(command)
}

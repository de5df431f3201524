//! `camtlc compare`: build the model's program and hold it against numbers of the authors' code.

use std::process::ExitCode;

use super::args::Compare;
use super::{Outcome, become_binary, driver, load};

pub fn run(args: &Compare) -> Outcome<ExitCode> {
    let model = load::load(&args.model)?;
    let mut command = driver::command(&model, "compare", &args.placement)?;
    // a tile unit's products are exact to 4e-6 of a norm, which adds up to more than what is looked for
    command.env("CAMTL_MATMUL", "gemm");
    command.arg("--golden").arg(&args.golden);
    if let Some(tolerance) = args.tolerance {
        command.arg("--tolerance").arg(tolerance.to_string());
    }
    if args.json {
        command.arg("--json");
    }
    become_binary::run(command)
}

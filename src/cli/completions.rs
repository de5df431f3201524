//! `camtlc completions SHELL`: a script for the shell, made from the command line as [`super::args`] has it.

use clap::CommandFactory as _;

use super::args::{Arguments, Completions};
use super::{Outcome, output};

pub fn run(args: &Completions) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Arguments::command(), "camtlc", &mut script);
    output::print(&String::from_utf8_lossy(&script))
}

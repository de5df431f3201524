//! `camtlc`: parses the command line and hands each command to its file in `camtl::cli`.

use std::process::ExitCode;

use camtl::cli::args::{Arguments, Command};
use camtl::cli::{self, Outcome};
use clap::Parser as _;

fn main() -> ExitCode {
    match dispatch(Arguments::parse().command) {
        Ok(code) => code,
        Err(failure) => {
            failure.show();
            ExitCode::FAILURE
        }
    }
}

fn dispatch(command: Command) -> Outcome<ExitCode> {
    let done = |()| ExitCode::SUCCESS;
    match command {
        Command::Check(args) => cli::check::run(&args).map(done),
        Command::Explain(args) => cli::explain::run(&args).map(done),
        Command::Fmt(args) => cli::fmt::run(&args).map(done),
        Command::Graph(args) => cli::graph::run(&args).map(done),
        Command::Stats(args) => cli::stats::run(&args).map(done),
        Command::Diff(args) => cli::diff::run(&args).map(done),
        Command::Build(args) => cli::build::run(&args).map(done),
        Command::Simulate(args) => cli::simulate::run(&args),
        Command::Train(args) => cli::train::run(&args),
        Command::Resume(args) => cli::resume::run(&args),
        Command::Eval(args) => cli::eval::run(&args),
        Command::Predict(args) => cli::predict::run(&args),
        Command::Compare(args) => cli::compare::run(&args),
        Command::Export(args) => cli::export::run(&args),
        Command::New(args) => cli::new::run(&args).map(done),
        Command::QuickstartData(args) => cli::quickstart_data::run(&args).map(done),
        Command::Doctor(args) => cli::doctor::run(&args),
        Command::Completions(args) => cli::completions::run(&args).map(done),
    }
}

//! The command line of a built model: `simulate`, `train`, `eval`, `predict`, `compare`, `export`, `parameters`.
//!
//! | file | holds |
//! |---|---|
//! | `args` | the arguments, as data |
//! | `allocator` | where memory comes from, and how much of it is live |
//! | `interrupt` | Ctrl-C |
//! | `output`, `failure` | how a result and how an error is shown |
//! | `profile` | where the time of a training's steps and the memory went |
//! | `simulate`, `train`, `eval`, `predict`, `compare`, `export`, `parameters` | one command each |
//!
//! Results go to stdout, all else to stderr. Exit codes: 0 done, 1 a mistake in what was given, 2 in how.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};
use tracing_subscriber::filter::{EnvFilter, LevelFilter};
use tracing_subscriber::layer::{Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::data::Unreadable;
use crate::nn::{Encode, Model, Predict};
use crate::train::plan::Plan;

mod allocator;
mod args;
mod compare;
mod eval;
mod export;
mod failure;
mod interrupt;
mod output;
mod parameters;
mod predict;
pub mod profile;
mod simulate;
mod train;

pub use allocator::{ALLOCATOR, Allocator, Heap, heap, keep_freed_memory};
pub use dfdx::prelude::Cpu;

/// Runs the command line of a model; `source` is its `.cam` text.
pub fn main<const HIDDEN: usize, E, P>(plan: &'static Plan, source: &'static str) -> ExitCode
where
    E: Encode<HIDDEN, Cpu>,
    P: Predict<HIDDEN, Cpu>,
{
    keep_freed_memory();
    tracing_subscriber::registry().with(messages()).init();
    run::<HIDDEN, E, P>(plan, source, std::env::args_os())
}

/// [`main`] with arguments from elsewhere, the program's name first.
pub fn run<const HIDDEN: usize, E, P>(
    plan: &'static Plan,
    source: &'static str,
    arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>,
) -> ExitCode
where
    E: Encode<HIDDEN, Cpu>,
    P: Predict<HIDDEN, Cpu>,
{
    let arguments: Vec<OsString> = arguments.into_iter().map(Into::into).collect();
    // on a thread of the pool: a step hands hundreds of pieces of work to it, and waits for none to wake up
    rayon::scope(|_| execute::<HIDDEN, E, P>(plan, source, arguments))
}

fn execute<const HIDDEN: usize, E, P>(
    plan: &'static Plan,
    source: &'static str,
    arguments: Vec<OsString>,
) -> ExitCode
where
    E: Encode<HIDDEN, Cpu>,
    P: Predict<HIDDEN, Cpu>,
{
    let command = args::Args::command().name(plan.name).version(env!("CARGO_PKG_VERSION"));
    let parsed =
        command.try_get_matches_from(arguments).and_then(|matches| args::Args::from_arg_matches(&matches));
    let args = match parsed {
        Ok(args) => args,
        Err(error) => {
            // a closed stdout or stderr leaves nobody to tell
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let build = || Model::<HIDDEN, E, P, Cpu>::build(Cpu::default());
    let done = match args.command {
        args::Command::Simulate(args) => simulate::run(plan, &args),
        args::Command::Train(args) => train::run(plan, source, build, &args),
        args::Command::Eval(args) => eval::run(plan, build, &args),
        args::Command::Predict(args) => predict::run(plan, build, &args),
        args::Command::Compare(args) => compare::run(plan, build, &args),
        args::Command::Export(args) => export::run(plan, build, &args),
        args::Command::Parameters => parameters::run(plan, build()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(report) => {
            failure::show(&report);
            ExitCode::FAILURE
        }
    }
}

/// Sends what the runtime warns of, such as rows that it skips, to stderr; `RUST_LOG=info` and so on show more.
fn messages<S>() -> impl Layer<S>
where
    S: tracing::Subscriber + for<'a> LookupSpan<'a>,
{
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::WARN.into()).from_env_lossy();
    let shown = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    shown.with_target(false).without_time().compact().with_filter(filter)
}

/// What `--skip-unreadable` asks for.
fn unreadable(skip: bool) -> Unreadable {
    if skip { Unreadable::Skip } else { Unreadable::Fail }
}

/// The folder of token caches: `given`, else below `$CAMTL_HOME`, else below the user's cache folder; `None` where
/// there is no such place.
fn cache(given: Option<&PathBuf>) -> Option<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let below = |name, folder| Some(variable(name)?.join(folder));
    let home = || {
        let chosen = variable("CAMTL_HOME").or_else(|| below("XDG_CACHE_HOME", "camtl"));
        chosen.or_else(|| below("HOME", ".cache/camtl"))
    };
    given.cloned().or_else(|| Some(home()?.join("tokens")))
}

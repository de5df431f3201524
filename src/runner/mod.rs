//! The command line of a built model: `simulate`, `train`, `resume`, `eval`, `predict`, `compare`, `export`,
//! `parameters`.
//!
//! | file | holds |
//! |---|---|
//! | `args` | the arguments, as data |
//! | `allocator` | where memory comes from, and how much of it is live |
//! | `device`, `cuda` | where a model computes, and how exactly |
//! | `interrupt` | Ctrl-C |
//! | `output`, `failure` | how a result and how an error is shown |
//! | `profile` | where the time of a training's steps and the memory went |
//! | `simulate`, `train`, `resume`, `eval`, `predict`, `compare`, `export`, `parameters` | one command each |
//!
//! Results go to stdout, all else to stderr. Exit codes: 0 done, 1 a mistake in what was given, 2 in how.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};
use miette::Result;
use tracing_subscriber::filter::{EnvFilter, LevelFilter};
use tracing_subscriber::layer::{Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::kernels::Kernels;
use crate::nn::{Encode, Model, Predict};
use crate::train::plan::Plan;

mod allocator;
mod args;
mod compare;
#[cfg(feature = "cuda")]
mod cuda;
mod device;
mod eval;
mod export;
mod failure;
mod interrupt;
#[cfg(any(feature = "cuda", test))]
mod memory;
mod output;
mod parameters;
mod predict;
pub mod profile;
mod resume;
mod simulate;
mod train;

use args::Command;
use device::Device;

pub use allocator::{ALLOCATOR, Allocator, Heap, heap, keep_freed_memory};
pub use dfdx::prelude::Cpu;

/// What a generated crate states of its network: it is built on whichever device.
pub trait OnAnyDevice<const HIDDEN: usize> {
    type Encoder<D: Kernels>: Encode<HIDDEN, D>;
    type Heads<D: Kernels>: Predict<HIDDEN, D>;
}

/// Runs the command line of a model; `source` is its `.cam` text.
pub fn main<const HIDDEN: usize, N: OnAnyDevice<HIDDEN>>(
    plan: &'static Plan,
    source: &'static str,
) -> ExitCode {
    keep_freed_memory();
    tracing_subscriber::registry().with(messages()).init();
    let command = match parse(plan, std::env::args_os()) {
        Ok(command) => command,
        Err(code) => return code,
    };
    if let Some((name, value)) = command.placement().environment() {
        // SAFETY: no other thread has been started.
        unsafe { std::env::set_var(name, value) };
    }
    on_pool::<HIDDEN, N>(plan, source, command)
}

/// [`main`] with arguments from elsewhere, the program's name first. The environment is left as it is, so that the
/// precision of CUDA's products is what it says.
pub fn run<const HIDDEN: usize, N: OnAnyDevice<HIDDEN>>(
    plan: &'static Plan,
    source: &'static str,
    arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>,
) -> ExitCode {
    match parse(plan, arguments) {
        Ok(command) => on_pool::<HIDDEN, N>(plan, source, command),
        Err(code) => code,
    }
}

/// The command, or how to end without one.
fn parse(
    plan: &Plan,
    arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>,
) -> Result<Command, ExitCode> {
    let command = args::Args::command().name(plan.name).version(env!("CARGO_PKG_VERSION"));
    let parsed =
        command.try_get_matches_from(arguments).and_then(|matches| args::Args::from_arg_matches(&matches));
    parsed.map(|args| args.command).map_err(|error| {
        // a closed stdout or stderr leaves nobody to tell
        let _ = error.print();
        ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
    })
}

/// On a thread of the pool: a step hands hundreds of pieces of work to it, and waits for none to wake up.
fn on_pool<const HIDDEN: usize, N: OnAnyDevice<HIDDEN>>(
    plan: &'static Plan,
    source: &'static str,
    command: Command,
) -> ExitCode {
    match rayon::scope(|_| on_device::<HIDDEN, N>(plan, source, command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(report) => {
            failure::show(&report);
            ExitCode::FAILURE
        }
    }
}

fn on_device<const HIDDEN: usize, N: OnAnyDevice<HIDDEN>>(
    plan: &'static Plan,
    source: &'static str,
    command: Command,
) -> Result<()> {
    let placement = command.placement();
    placement.check()?;
    match placement.device {
        Device::Cpu => execute::<HIDDEN, N, Cpu>(plan, source, Cpu::default(), command),
        #[cfg(feature = "cuda")]
        Device::Cuda(number) => {
            let device = cuda::open(number, placement.precision)?;
            cuda::within_memory(|| execute::<HIDDEN, N, _>(plan, source, device, command))
        }
        #[cfg(not(feature = "cuda"))]
        Device::Cuda(_) => Err(device::PlacementError::NotBuilt.into()),
    }
}

fn execute<const HIDDEN: usize, N: OnAnyDevice<HIDDEN>, D: Kernels>(
    plan: &'static Plan,
    source: &'static str,
    device: D,
    command: Command,
) -> Result<()> {
    let build = || Model::<HIDDEN, N::Encoder<D>, N::Heads<D>, D>::build(device);
    match command {
        Command::Simulate(args) => simulate::run(plan, &args),
        Command::Train(args) => train::run(plan, source, build, &args),
        Command::Resume(args) => resume::run(plan, build, &args),
        Command::Eval(args) => eval::run(plan, build, &args),
        Command::Predict(args) => predict::run(plan, build, &args),
        Command::Compare(args) => compare::run(plan, build, &args),
        Command::Export(args) => export::run(plan, build, &args),
        Command::Parameters => parameters::run(plan, build()),
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

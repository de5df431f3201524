//! From a model to its binary: lower it, see whether it is built already, and if not, let cargo build it.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::args::Placement;
use super::device::Device;
use super::failure::refused;
use super::home::{self, Home};
use super::load::Model;
use super::prune_binaries::prune_binaries;
use super::status_line::StatusLine;
use super::{Outcome, cargo, crate_files, doctor, files, stamp};
use crate::codegen::{self, Crate, Options};

/// A finished binary.
pub struct Built {
    pub binary: PathBuf,
    /// How long cargo took; `None` where there was nothing to do.
    pub took: Option<Duration>,
}

/// Lowers a model; `portable` for any processor of this kind.
pub fn lower(model: &Model, portable: bool, device: Device) -> Outcome<(Crate, Options)> {
    let cuda = matches!(device, Device::Cuda(_));
    let options = Options { runtime: home::runtime()?, portable, cuda };
    let generated = codegen::lower(&model.program, &model.text, &options);
    Ok((generated, options))
}

/// Makes the binary, or finds it where an equal one was made before.
pub fn make(model: &Model, generated: &Crate, options: &Options) -> Outcome<Built> {
    let home = Home::find()?;
    // before anything is compiled: a build without CUDA fails late and in riddles
    let toolkit = if options.cuda { Some(doctor::check_cuda()?) } else { None };
    let stamp = stamp::stamp(generated, options, toolkit.as_ref())?;
    let suffix = std::env::consts::EXE_SUFFIX;
    let binary = home.bin().join(format!("{}-{stamp}{suffix}", generated.name));
    if binary.is_file() {
        return Ok(Built { binary, took: None });
    }

    let line = StatusLine::new();
    files::create_folder(&home.bin())?;
    let _lock = hold(&home.lock(), &line)?;
    if binary.is_file() {
        // Another camtlc has built it while this one waited.
        return Ok(Built { binary, took: None });
    }

    line.note(&format!("building {}; the first build also compiles its dependencies", generated.name));
    let folder = home.crates().join(format!("{}-{}", generated.name, stamp::of_path(&model.place())));
    crate_files::write(generated, &folder)?;
    let target = match &toolkit {
        None => home.target(),
        // dfdx's build script does not notice another toolkit
        Some(toolkit) => home.cuda_target(&stamp::of_toolkit(toolkit)),
    };
    let made = cargo::build(&generated.name, &folder, &target, &line)?;
    files::copy(&made, &binary)?;
    prune_binaries(&home.bin(), &generated.name);
    Ok(Built { binary, took: Some(line.elapsed()) })
}

/// A command of the model's program, which computes where it is said.
pub fn command(model: &Model, name: &str, placement: &Placement) -> Outcome<Command> {
    let mut command = Command::new(binary(model, placement.device())?);
    command.arg(name);
    if let Some(device) = placement.device {
        command.arg("--device").arg(device.to_string());
    }
    if let Some(precision) = placement.precision {
        command.arg("--precision").arg(precision.name());
    }
    Ok(command)
}

/// What `train`, `resume`, `eval` and `predict` need; says so on stderr when it has built something.
pub fn binary(model: &Model, device: Device) -> Outcome<PathBuf> {
    let (generated, options) = lower(model, true, device)?;
    let built = make(model, &generated, &options)?;
    if let Some(took) = built.took {
        eprintln!("{}", describe(&built.binary, Some(took)));
    }
    Ok(built.binary)
}

/// "up to date: PATH" or "built in 12.3 s: PATH".
pub fn describe(binary: &Path, took: Option<Duration>) -> String {
    match took {
        None => format!("up to date: {}", binary.display()),
        Some(took) => format!("built in {:.1} s: {}", took.as_secs_f64(), binary.display()),
    }
}

/// Waits until no other camtlc builds. Two models of one name have one place in cargo's folder, from which the
/// binary is taken, so writing the crate, building it and taking the binary are one.
fn hold(path: &Path, line: &StatusLine) -> Outcome<File> {
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(refused("write", path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            line.note("waiting for another camtlc that builds");
            file.lock().map_err(refused("lock", path))?;
        }
        Err(TryLockError::Error(error)) => return Err(refused("lock", path)(error).into()),
    }
    Ok(file)
}

//! The last step of `train`, `resume`, `eval` and `predict`: hand the process over to the model's binary.
//!
//! On Unix the binary takes camtlc's place, so that every signal reaches it and its exit code is camtlc's: after
//! Ctrl-C it saves its work and ends by itself, and nothing is left behind when a job scheduler ends camtlc.
//! Elsewhere camtlc waits, and leaves Ctrl-C, which the console sends to both, to the binary.

use std::process::{Command, ExitCode};

use super::Outcome;
use super::failure::refused;

#[cfg(unix)]
pub fn run(mut command: Command) -> Outcome<ExitCode> {
    use std::os::unix::process::CommandExt as _;

    // Returns only where it fails.
    let error = command.exec();
    Err(refused("run", command.get_program())(error).into())
}

#[cfg(not(unix))]
pub fn run(mut command: Command) -> Outcome<ExitCode> {
    // Without the handler camtlc would end before the binary has saved; with a failing one it does just that.
    let _ = ctrlc::set_handler(|| {});
    let status = command.status().map_err(refused("run", command.get_program()))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

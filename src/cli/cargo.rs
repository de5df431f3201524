//! Running cargo and rustc: the environment they get, progress, and what a failure most likely means.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;
use std::{env, io};

use miette::Diagnostic;
use serde::Deserialize;
use thiserror::Error;

use super::Outcome;
use super::failure::refused;
use super::status_line::StatusLine;

/// Builds the crate in `folder` and gives the path of its binary.
pub fn build(name: &str, folder: &Path, target: &Path, line: &StatusLine) -> Outcome<PathBuf> {
    let log = folder.join("build.log");
    let file = File::create(&log).map_err(refused("write", &log))?;
    let mut child = command("cargo", "CARGO")
        .args(["build", "--release", "--message-format", "json-render-diagnostics"])
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", target)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(file)
        .spawn()
        .map_err(|cause| Missing { tool: "cargo", cause })?;

    let binary = follow(name, &mut child, line);
    let status = child.wait().map_err(refused("run", "cargo"))?;
    match binary {
        Some(binary) if status.success() => Ok(binary),
        _ => {
            let text = fs::read_to_string(&log).unwrap_or_default();
            Err(BuildFailed { name: name.to_owned(), help: explain(&text, name), log }.into())
        }
    }
}

/// The output of rustc, which tells one toolchain from another.
pub fn rustc(args: &[&str]) -> Outcome<Vec<u8>> {
    let output = command("rustc", "RUSTC")
        .args(args)
        .stdin(Stdio::null())
        .output()
        .map_err(|cause| Missing { tool: "rustc", cause })?;
    Ok(output.stdout)
}

/// What a camtlc that itself runs under cargo, or in a shell set up for another project, must not hand on.
const DISTURBING: [&str; 8] = [
    "RUSTFLAGS",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_BUILD_TARGET",
    "CARGO_BUILD_TARGET_DIR",
    "CARGO_TARGET_DIR",
    "CARGO_TARGET_TMPDIR",
    "CARGO_PRIMARY_PACKAGE",
];
const DISTURBING_PREFIXES: [&str; 5] =
    ["CARGO_MANIFEST_", "CARGO_PKG_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PROFILE_"];

fn command(tool: &str, variable: &str) -> Command {
    let mut command = Command::new(env::var_os(variable).unwrap_or_else(|| tool.into()));
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if DISTURBING.contains(&&*text) || DISTURBING_PREFIXES.iter().any(|prefix| text.starts_with(prefix)) {
            command.env_remove(&name);
        }
    }
    command
}

/// One line of cargo's JSON; what is not read here is left out.
#[derive(Deserialize)]
struct Message {
    reason: String,
    target: Option<Target>,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

/// Shows cargo's progress until it closes its stdout; gives the binary that it has made.
fn follow(name: &str, child: &mut Child, line: &StatusLine) -> Option<PathBuf> {
    let messages = receive(child)?;
    let (mut done, mut latest) = (0_usize, String::new());
    let mut binary = None;
    loop {
        line.show(&match done {
            0 => format!("building {name}: asking cargo"),
            _ => format!("building {name}: {done} parts are ready, the last of them {latest}"),
        });
        match messages.recv_timeout(Duration::from_millis(250)) {
            Ok(message) if message.reason == "compiler-artifact" => {
                done += 1;
                if let Some(target) = message.target {
                    binary = message.executable.filter(|_| target.name == name).or(binary);
                    latest = target.name;
                }
            }
            Ok(_) | Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    line.clear();
    binary
}

/// Cargo's messages, read by a thread so that the time in the status line goes on between them.
fn receive(child: &mut Child) -> Option<Receiver<Message>> {
    let stdout = child.stdout.take()?;
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for text in BufReader::new(stdout).lines().map_while(Result::ok) {
            if let Ok(message) = serde_json::from_str(&text)
                && sender.send(message).is_err()
            {
                break;
            }
        }
    });
    Some(receiver)
}

/// What to tell for a line of cargo's log; the first that is found counts.
const CAUSES: [(&[&str], &str); 7] = [
    (&["No space left on device"], "the disk is full; CAMTL_HOME may name a folder on another one"),
    (
        &[
            "nvcc error while compiling",
            "nvcc failed",
            "`nvidia-smi` failed",
            "include/cuda.h",
            "find library -lcu",
        ],
        "CUDA's tools refuse: the log has their own words, and `camtlc doctor --device cuda` what was found of them",
    ),
    (
        &["linker `cc` not found", "linker `link.exe` not found"],
        "there is no linker: install a C compiler, such as gcc or clang",
    ),
    (
        &["requires rustc", "feature `edition2024` is required", "is not supported by this version of Cargo"],
        "the Rust toolchain is too old: `rustup update stable`",
    ),
    (
        &["failed to download", "Could not resolve host", "failed to fetch", "spurious network error"],
        "the dependencies could not be downloaded: the first build needs the network, later ones do not",
    ),
    (
        &["error: no matching package", "failed to select a version"],
        "the dependencies could not be resolved: the first build needs the network, later ones do not",
    ),
    (
        &["(signal: 9, SIGKILL", "out of memory", "memory allocation of"],
        "the machine ran out of memory: CARGO_BUILD_JOBS=1 makes cargo need less",
    ),
];

fn explain(log: &str, name: &str) -> String {
    let found = CAUSES.iter().find(|(signs, _)| signs.iter().any(|sign| log.contains(sign)));
    if let Some((_, cause)) = found {
        return (*cause).to_owned();
    }
    let is_ours = [name, "camtl"].iter().any(|ours| log.contains(&format!("could not compile `{ours}`")));
    match is_ours {
        true => {
            "rustc rejects what camtlc made, which is a bug of camtlc and not of the model: please report it \
                 with the model and the log"
                .to_owned()
        }
        false => "the log has cargo's own words".to_owned(),
    }
}

#[derive(Debug, Error, Diagnostic)]
#[error("cargo could not build the program of `{name}`; its log is `{}`", log.display())]
#[diagnostic(code(camtlc::build))]
struct BuildFailed {
    name: String,
    log: PathBuf,
    #[help]
    help: String,
}

#[derive(Debug, Error, Diagnostic)]
#[error("{tool} could not be started")]
#[diagnostic(
    code(camtlc::toolchain),
    help(
        "a model's program is built with Rust: install it from https://rustup.rs and open a new shell; \
         `check`, `fmt`, `graph` and `stats` work without it"
    )
)]
struct Missing {
    tool: &'static str,
    #[source]
    cause: io::Error,
}

#[cfg(test)]
mod tests {
    use super::explain;

    #[test]
    fn a_rejected_program_is_a_bug_and_a_missing_network_is_not() {
        assert!(explain("error: could not compile `bert` (bin)", "bert").contains("bug of camtlc"));
        assert!(explain("error: failed to download from `https://...`", "bert").contains("network"));
        assert!(explain("error: could not compile `gemm` (lib)", "bert").contains("own words"));
    }
}

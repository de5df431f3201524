//! Running `camtlc`, and reading what it has said.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Looked up from the root of the repository.
pub const QUICKSTART: &str = "models/quickstart.cam";

/// With a text on stdin.
pub fn camtlc_with(arguments: &[&str], text: &str) -> Output {
    let mut child = command(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("camtlc starts");
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(text.as_bytes()).expect("written");
    drop(stdin);
    child.wait_with_output().expect("camtlc ends")
}

pub fn camtlc(arguments: &[&str]) -> Output {
    command(arguments).output().expect("camtlc runs")
}

pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_camtlc"));
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR"));
    command.env_remove("CAMTL_HOME").env_remove("CAMTL_RUNTIME");
    command
}

pub fn rooted(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

pub fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

pub fn code(out: &Output) -> i32 {
    out.status.code().expect("camtlc ends by itself")
}

pub fn stdout(out: &Output) -> String {
    String::from_utf8_lossy(&out.stdout).into_owned()
}

pub fn stderr(out: &Output) -> String {
    String::from_utf8_lossy(&out.stderr).into_owned()
}

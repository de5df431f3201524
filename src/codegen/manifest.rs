//! What cargo reads: the generated crate's manifest, its lock file, and the processor to build for.

use std::fmt::Write as _;

use super::{MARKER, Options, Runtime, names};
use crate::ir::Program;

/// The versions that `camtl` itself is tested with; cargo drops what a model's crate does not use.
pub const LOCK: &str = include_str!("../../Cargo.lock");

/// For the processor of the machine that builds. What is hot chooses its instructions when it runs, so that this gains
/// little.
pub const CONFIG: &str = "\
# For this machine's processor alone: `camtlc build --native`.
[build]
rustflags = [\"-C\", \"target-cpu=native\"]
";

pub fn cargo_toml(program: &Program, options: &Options) -> String {
    let name = program.full_name();
    let package = quoted(&names::package(program));
    let place = match &options.runtime {
        Runtime::Path(path) => format!("path = {}", quoted(&path.to_string_lossy())),
        Runtime::Version(version) => format!("version = {}", quoted(&format!("={version}"))),
    };
    let feature = if options.cuda { "cuda" } else { "runtime" };
    format!(
        "\
{MARKER} {version} from the model `{name}`; do not edit, change model.cam instead.
[package]
name = {package}
version = \"0.1.0\"
edition = \"2024\"
publish = false

[dependencies]
camtl = {{ {place}, default-features = false, features = [\"{feature}\"] }}

[profile.release]
debug = false
opt-level = 3
codegen-units = 16

# A workspace of its own, wherever this folder lies.
[workspace]
",
        version = env!("CARGO_PKG_VERSION"),
    )
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => write!(out, "\\u{:04X}", u32::from(c)).expect("strings grow"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_path_cannot_leave_its_quotes() {
        assert_eq!(quoted("C:\\models\\\"x\"\n"), r#""C:\\models\\\"x\"\u000A""#);
    }
}

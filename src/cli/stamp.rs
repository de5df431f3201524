//! What a binary is named after: a hash of everything that it depends on, so that a binary which is there need
//! not be built.

use std::fs;
use std::path::Path;
use std::time::UNIX_EPOCH;

use blake3::Hasher;

use super::Outcome;
use super::cargo::rustc;
use super::doctor::facts::Facts;
use super::failure::refused;
use crate::codegen::{Crate, Options, Runtime};

/// Hexadecimal digits of a stamp.
pub const DIGITS: usize = 12;

/// Over the generated files, camtlc's version, the runtime's source, the toolchain, the processor, and for CUDA its
/// toolkit.
pub fn stamp(generated: &Crate, options: &Options, toolkit: Option<&Facts>) -> Outcome<String> {
    let mut hasher = Hasher::new();
    add(&mut hasher, env!("CARGO_PKG_VERSION").as_bytes());
    for file in &generated.files {
        add(&mut hasher, file.path.as_bytes());
        add(&mut hasher, file.text.as_bytes());
    }
    if let Runtime::Path(source) = &options.runtime {
        for name in ["Cargo.toml", "Cargo.lock"] {
            add_date(&mut hasher, &source.join(name))?;
        }
        add_folder(&mut hasher, &source.join("src"))?;
    }
    add(&mut hasher, &rustc(&["-vV"])?);
    if !options.portable {
        // A home that two machines share: "native" is another processor on each.
        add(&mut hasher, &rustc(&["--print", "cfg", "-C", "target-cpu=native"])?);
    }
    if let Some(toolkit) = toolkit {
        add(&mut hasher, of_toolkit(toolkit).as_bytes());
    }
    Ok(short(&hasher))
}

/// What a build for CUDA depends on: where the toolkit lies, its version, and the GPU that is built for.
pub fn of_toolkit(facts: &Facts) -> String {
    let capability = facts.wanted_capability.clone();
    let capability = capability.or_else(|| Some(facts.nvidia_smi.capability()?.to_string()));
    let mut hasher = Hasher::new();
    add(&mut hasher, format!("{:?} {:?} {capability:?}", facts.toolkit, facts.nvcc).as_bytes());
    short(&hasher)
}

/// Tells apart the crates of model files that have the same name.
pub fn of_path(path: &Path) -> String {
    let mut hasher = Hasher::new();
    add(&mut hasher, path.as_os_str().as_encoded_bytes());
    short(&hasher)
}

fn short(hasher: &Hasher) -> String {
    hasher.finalize().to_hex()[..DIGITS].to_owned()
}

/// With its length before it, so that no two sequences of parts are the same bytes.
fn add(hasher: &mut Hasher, part: &[u8]) {
    hasher.update(&(part.len() as u64).to_le_bytes());
    hasher.update(part);
}

/// Every file below, by name, size and date: reading them all would be slower than cargo's own check.
fn add_folder(hasher: &mut Hasher, folder: &Path) -> Outcome {
    let entries = fs::read_dir(folder).map_err(refused("read", folder))?;
    let mut paths = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(refused("read", folder))?;
    paths.sort();
    for path in paths {
        match path.is_dir() {
            true => add_folder(hasher, &path)?,
            false => add_date(hasher, &path)?,
        }
    }
    Ok(())
}

/// A file that is not there counts as one without a size.
fn add_date(hasher: &mut Hasher, path: &Path) -> Outcome {
    add(hasher, path.as_os_str().as_encoded_bytes());
    let Ok(metadata) = fs::metadata(path) else { return Ok(()) };
    let modified = metadata.modified().map_err(refused("read", path))?;
    let since = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
    add(hasher, &metadata.len().to_le_bytes());
    add(hasher, &since.as_nanos().to_le_bytes());
    Ok(())
}

//! Where things lie: camtlc's own folder, and the source of the runtime that models are built against.
//!
//! | in the home | what |
//! |---|---|
//! | `crates/NAME-HASH/` | the generated crate of one model file, with `build.log` of its last build |
//! | `target/` | cargo's, shared by all models: dependencies are compiled once |
//! | `cuda/HASH/` | the same of builds for CUDA, with one toolkit |
//! | `bin/NAME-HASH` | the finished binaries, named after all that went into them |
//! | `lock` | held by the camtlc that builds |

use std::env;
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use thiserror::Error;

use super::Outcome;
use super::failure::refused;
use crate::codegen::Runtime;

pub struct Home {
    root: PathBuf,
}

impl Home {
    pub fn find() -> Outcome<Self> {
        let root = chosen().or_else(by_convention).ok_or(NoHome)?;
        // Cargo runs in another folder, so a relative path would change its meaning.
        let root = std::path::absolute(&root).map_err(refused("find", &root))?;
        Ok(Self { root })
    }

    pub fn crates(&self) -> PathBuf {
        self.root.join("crates")
    }

    pub fn target(&self) -> PathBuf {
        self.root.join("target")
    }

    /// For CUDA, a folder a toolkit.
    pub fn cuda_target(&self, toolkit: &str) -> PathBuf {
        self.root.join("cuda").join(toolkit)
    }

    pub fn bin(&self) -> PathBuf {
        self.root.join("bin")
    }

    pub fn lock(&self) -> PathBuf {
        self.root.join("lock")
    }
}

fn chosen() -> Option<PathBuf> {
    folder_in("CAMTL_HOME")
}

fn by_convention() -> Option<PathBuf> {
    if cfg!(windows) {
        return folder_in("LOCALAPPDATA").map(|folder| folder.join("camtl"));
    }
    let cache = folder_in("XDG_CACHE_HOME").filter(|folder| folder.is_absolute());
    let cache = cache.or_else(|| folder_in("HOME").map(|home| home.join(".cache")));
    cache.map(|folder| folder.join("camtl"))
}

fn folder_in(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// The runtime to link: CAMTL_RUNTIME, else the source that camtlc was built from, else this release's.
pub fn runtime() -> Outcome<Runtime> {
    if let Some(path) = folder_in("CAMTL_RUNTIME") {
        if !is_source(&path) {
            return Err(NoRuntime { path }.into());
        }
        let path = std::path::absolute(&path).map_err(refused("find", &path))?;
        return Ok(Runtime::Path(path));
    }
    let built_from = Path::new(env!("CARGO_MANIFEST_DIR"));
    Ok(match is_source(built_from) {
        true => Runtime::Path(built_from.to_owned()),
        false => Runtime::Version(env!("CARGO_PKG_VERSION").to_owned()),
    })
}

fn is_source(folder: &Path) -> bool {
    folder.join("Cargo.toml").is_file() && folder.join("src/lib.rs").is_file()
}

/// Neither chosen nor to be guessed.
#[derive(Debug, Error, Diagnostic)]
#[error("there is no folder to build in")]
#[diagnostic(code(camtlc::home), help("set CAMTL_HOME to a folder where camtlc may keep what it builds"))]
struct NoHome;

#[derive(Debug, Error, Diagnostic)]
#[error("`{}`, which CAMTL_RUNTIME names, does not hold the source of camtl", path.display())]
#[diagnostic(
    code(camtlc::runtime),
    help("set it to a checkout of camtl, with `Cargo.toml` and `src/lib.rs`, or leave it unset")
)]
struct NoRuntime {
    path: PathBuf,
}

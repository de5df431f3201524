//! For a `build.rs`: a `.cam` file to a module of the user's own crate, as prost and lalrpop do with their files.
//!
//! The compiler is a dependency of the build script only, without the runtime; the runtime one of the crate:
//!
//! ```toml
//! [dependencies]
//! camtl = { version = "0.1", default-features = false, features = ["runtime"] }
//!
//! [build-dependencies]
//! camtl = { version = "0.1", default-features = false, features = ["compiler"] }
//! ```
//!
//! ```no_run
//! // in the `main` of build.rs
//! camtl::build::compile("models/reviews.cam");
//! ```
//!
//! ```ignore
//! // src/main.rs
//! camtl::include_model!("reviews"); // as `model reviews` says
//!
//! fn main() -> miette::Result<()> {
//!     let model = reviews::load("runs/reviews")?;
//!     for answer in model.predict("sentiment", &["a joy from start to end ."])? {
//!         println!("{answer:?}");
//!     }
//!     Ok(())
//! }
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `lines` | a diagnostic as the one line that cargo shows of it |
//! | `error` | what keeps a model from being compiled |

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::analysis::{self, Compiled};
use crate::codegen;
use crate::disk::{self, Folder};
use crate::ir::{Origin, Program};
use crate::span::Source;

mod error;
mod lines;

pub use error::{Error, Mistakes};

/// Compiles a model for `include_model!`; `path` is relative to the folder of `Cargo.toml`.
///
/// Warnings and mistakes become cargo's own, each with file, line and column. After a mistake the build script ends
/// with exit code 1; [`Compiler::try_compile`] returns it instead.
pub fn compile(path: impl AsRef<Path>) {
    Compiler::new().compile(path);
}

/// [`compile`] with settings.
#[derive(Clone, Debug, Default)]
pub struct Compiler {
    variant: Option<String>,
    out_dir: Option<PathBuf>,
}

/// A compiled model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// The model's name, for a variant followed by `_` and the variant's: the module's name, and what
    /// `include_model!` takes.
    pub name: String,
    /// The file with the module.
    pub path: PathBuf,
    /// Every file that the model was read from.
    pub read: Vec<PathBuf>,
    /// A line each.
    pub warnings: Vec<String>,
}

impl Compiler {
    pub fn new() -> Self {
        Self::default()
    }

    /// One of the model's variants, instead of the model itself.
    pub fn variant(mut self, name: impl Into<String>) -> Self {
        self.variant = Some(name.into());
        self
    }

    /// The folder to write to, instead of `$OUT_DIR/camtl`, where `include_model!` looks.
    pub fn out_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.out_dir = Some(folder.into());
        self
    }

    /// See [`compile`](fn@compile).
    pub fn compile(&self, path: impl AsRef<Path>) {
        match self.try_compile(path) {
            Ok(output) => print!("{}", output.instructions()),
            Err(error) => {
                print!("{}", error.instructions());
                eprint!("{}", error.report());
                std::process::exit(1);
            }
        }
    }

    /// Compiles without a word to cargo: that is [`Output::instructions`] or [`Error::instructions`].
    ///
    /// # Errors
    /// Mistakes of the model, and files that cannot be read or written.
    pub fn try_compile(&self, path: impl AsRef<Path>) -> Result<Output, Error> {
        let mut compiled = read(path.as_ref())?;
        if !compiled.failures.is_empty() {
            let mut found = std::mem::take(&mut compiled.warnings);
            found.append(compiled.failures);
            return Err(Mistakes { sources: compiled.sources, found }.into());
        }
        let Compiled { sources, text, warnings, .. } = &compiled;
        let program = self.select(&compiled)?;
        let folder = match &self.out_dir {
            Some(folder) => folder.clone(),
            None => variable("OUT_DIR")?.join("camtl"),
        };
        let name = codegen::module(program);
        let file = folder.join(format!("{name}.rs"));
        write(&file, &codegen::embed(program, text))?;
        let model = &sources.main().name;
        Ok(Output {
            name,
            path: file,
            read: sources.iter().map(|source| PathBuf::from(&source.name)).chain(config(program)).collect(),
            warnings: warnings.entries(sources).iter().map(|entry| lines::located(entry, model)).collect(),
        })
    }

    fn select<'a>(&self, compiled: &'a Compiled) -> Result<&'a Program, Error> {
        Ok(compiled.form(self.variant.as_deref())?)
    }
}

impl Output {
    /// What cargo is to be told: when to compile again, and of what there is to warn. Ends with a line break.
    pub fn instructions(&self) -> String {
        let read = self.read.iter().map(|path| format!("cargo::rerun-if-changed={}\n", path.display()));
        let warnings = self.warnings.iter().map(|line| format!("cargo::warning={line}\n"));
        read.chain(warnings).collect()
    }
}

/// The file that tells the checkpoint's sizes.
fn config(program: &Program) -> Option<PathBuf> {
    match &program.backbone.origin {
        Origin::Checkpoint(name) => disk::checkpoint_config(name),
        Origin::Scratch { .. } => None,
    }
}

/// All of a model that is read goes through here. Cargo takes a relative path as this does.
fn read(path: &Path) -> Result<Compiled, Error> {
    let from = match env::var_os("CARGO_MANIFEST_DIR") {
        Some(root) => Path::new(&root).join(path),
        None => path.to_owned(),
    };
    let source = match disk::read(&from) {
        Ok(source) => Source::new(path.to_string_lossy(), source.text),
        Err(cause) => return Err(Error::Read { path: from, cause }),
    };
    analysis::compile_model(&source, &Folder::of(&from))
        .map_err(|rejected| Mistakes { sources: rejected.sources, found: rejected.diagnostics }.into())
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
    folder.and_then(|()| fs::write(path, text)).map_err(|cause| Error::Write { path: path.to_owned(), cause })
}

fn variable(name: &'static str) -> Result<PathBuf, Error> {
    env::var_os(name).map(PathBuf::from).ok_or(Error::NoCargo { variable: name })
}

#[cfg(test)]
mod tests;

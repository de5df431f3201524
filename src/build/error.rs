//! What keeps a model from being compiled, for cargo and for a person.

use std::io;
use std::path::PathBuf;

use super::lines;
use crate::analysis::NoVariant;
use crate::diagnostics::{Diagnostics, Entry, Style};
use crate::disk::Unreadable;
use crate::span::Sources;

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[non_exhaustive]
pub enum Error {
    #[error("the model `{}` cannot be read", path.display())]
    #[diagnostic(
        code(build::read),
        help("a relative path is looked up from the folder of the crate's Cargo.toml")
    )]
    Read {
        path: PathBuf,
        #[source]
        cause: Unreadable,
    },

    #[error(transparent)]
    #[diagnostic(transparent)]
    NoVariant(#[from] NoVariant),

    #[error("`{}` cannot be written", path.display())]
    #[diagnostic(code(build::write))]
    Write {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },

    #[error("{variable} is not set")]
    #[diagnostic(
        code(build::no_cargo),
        help("cargo sets it for a build.rs; elsewhere the folder is named with `Compiler::out_dir`")
    )]
    NoCargo { variable: &'static str },

    #[error(transparent)]
    #[diagnostic(transparent)]
    Mistakes(#[from] Mistakes),
}

/// All mistakes of a model, and the warnings beside them.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("the model `{}` has mistakes", sources.main().name)]
#[diagnostic(code(build::mistakes))]
pub struct Mistakes {
    pub(super) sources: Sources,
    pub(super) found: Diagnostics,
}

impl Error {
    /// What cargo is to be told: a line for each mistake. Ends with a line break.
    pub fn instructions(&self) -> String {
        let tell = |kind: &str, line: String| format!("cargo::{kind}={line}\n");
        match self {
            Self::Mistakes(Mistakes { sources, found }) => {
                let model = &sources.main().name;
                let entries = found.entries(sources);
                let tell = |entry: &Entry| {
                    let kind = if entry.severity == "error" { "error" } else { "warning" };
                    tell(kind, lines::located(entry, model))
                };
                entries.iter().map(tell).collect()
            }
            other => tell("error", lines::line(other)),
        }
    }

    /// The mistakes under the lines of the model that they speak of; of another error its line.
    pub fn report(&self) -> String {
        match self {
            Self::Mistakes(Mistakes { sources, found }) => found.render(sources, Style::Plain),
            other => format!("{}\n", lines::line(other)),
        }
    }
}

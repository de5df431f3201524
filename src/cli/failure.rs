//! How a command ends when it does not succeed.

use std::io;
use std::path::PathBuf;

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme};
use thiserror::Error;

use super::output;
use crate::diagnostics::Entry;

/// What a command gives.
pub type Outcome<T = ()> = Result<T, Failure>;

/// A mistake of the user's or of the machine's; exit code 1. (Wrong usage is clap's, exit code 2.)
#[derive(Debug)]
pub enum Failure {
    /// To be printed by `main`.
    Report(miette::Report),
    /// What there is to say has been said.
    Shown,
}

impl Failure {
    /// Prints what has not been said yet to stderr.
    pub fn show(&self) {
        let Self::Report(report) = self else { return };
        let theme = match output::has_colors() {
            true => GraphicalTheme::unicode(),
            false => GraphicalTheme::unicode_nocolor(),
        };
        // Paths stay in one piece, so that they can be copied: the terminal wraps by itself.
        let handler = GraphicalReportHandler::new_themed(theme).with_links(false).with_wrap_lines(false);
        let mut text = String::new();
        match handler.render_report(&mut text, report.as_ref()) {
            Ok(()) => eprintln!("{}", text.trim_end()),
            Err(_) => eprintln!("error: {report}"),
        }
    }
}

impl Failure {
    /// As `check --json` lists it; `None` where it has been said.
    pub fn entry(&self) -> Option<Entry> {
        let Self::Report(report) = self else { return None };
        let causes: String = report.chain().skip(1).map(|cause| format!(": {cause}")).collect();
        Some(Entry {
            severity: "error",
            code: report.code().map(|code| code.to_string()),
            message: format!("{report}{causes}"),
            help: report.help().map(|help| help.to_string()),
            variant: None,
            labels: Vec::new(),
        })
    }
}

impl<E: Diagnostic + Send + Sync + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Report(error.into())
    }
}

/// The file system refused.
#[derive(Debug, Error, Diagnostic)]
#[error("cannot {doing} `{}`", path.display())]
#[diagnostic(code(camtlc::file))]
pub struct FileRefused {
    /// "read", "write", "create the folder".
    pub doing: &'static str,
    pub path: PathBuf,
    #[source]
    pub cause: io::Error,
    #[help]
    pub help: Option<String>,
}

/// For `map_err`: says what was tried with which path.
pub fn refused(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> FileRefused {
    let path = path.into();
    move |cause| {
        let help = match cause.kind() {
            io::ErrorKind::NotFound => Some(here(doing)),
            io::ErrorKind::StorageFull => Some("free some space on the disk, and try again".to_owned()),
            _ => None,
        };
        FileRefused { doing, path, cause, help }
    }
}

fn here(doing: &str) -> String {
    match std::env::current_dir() {
        Ok(folder) if doing == "read" => {
            format!("a relative path is looked up from the current folder, `{}`", folder.display())
        }
        _ => "check that its folder exists".to_owned(),
    }
}

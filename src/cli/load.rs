//! From a path to a checked model. Mistakes and warnings are shown here, under the lines that they speak of.

use std::path::{Path, PathBuf};

use miette::Diagnostic;
use thiserror::Error;

use super::{Failure, Outcome, files, output};
use crate::analysis;
use crate::diagnostics::{Diagnostics, Style};
use crate::ir::Program;
use crate::span::Source;

/// A model without mistakes, and its text.
pub struct Model {
    pub source: Source,
    pub program: Program,
    path: PathBuf,
}

impl Model {
    /// The one name of its file, by whatever path it was found.
    pub fn place(&self) -> PathBuf {
        self.path.canonicalize().unwrap_or_else(|_| self.path.clone())
    }
}

pub fn load(path: &Path) -> Outcome<Model> {
    let (model, warnings) = compile(path)?;
    show(&model.source, &warnings);
    Ok(model)
}

/// The model that a run was trained from, whose text lies in the run's folder; what there was to warn of has been
/// said before the training.
pub fn load_run(run: &Path) -> Outcome<Model> {
    let path = run.join("model.cam");
    if !path.is_file() {
        return Err(NoRun { run: run.to_owned() }.into());
    }
    Ok(compile(&path)?.0)
}

fn compile(path: &Path) -> Outcome<(Model, Diagnostics)> {
    let source = Source::new(path.to_string_lossy(), files::read(path)?);
    match analysis::compile(&source) {
        Ok((program, warnings)) => Ok((Model { source, program, path: path.to_owned() }, warnings)),
        Err(mistakes) => {
            show(&source, &mistakes);
            Err(Failure::Shown)
        }
    }
}

/// Prints diagnostics to stderr, if there are any.
pub fn show(source: &Source, diagnostics: &Diagnostics) {
    if diagnostics.is_empty() {
        return;
    }
    let style = if output::has_colors() { Style::Color } else { Style::Plain };
    eprintln!("{}", diagnostics.render(source, style).trim_end());
}

#[derive(Debug, Error, Diagnostic)]
#[error("`{}` is not the folder of a run: it has no `model.cam`", run.display())]
#[diagnostic(
    code(camtlc::run),
    help("name a folder that `camtlc train` has written, such as one under `runs/`")
)]
struct NoRun {
    run: PathBuf,
}

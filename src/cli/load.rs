//! From a path to a checked model. Mistakes and warnings are shown here, under the lines that they speak of.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use serde::Deserialize;
use thiserror::Error;

use super::args::ModelFile;
use super::failure::refused;
use super::{Failure, Outcome, output};
use crate::analysis::{self, Compiled, Files, NoFiles};
use crate::diagnostics::{Diagnostics, Style};
use crate::disk::{self, Folder, Unreadable};
use crate::ir::Program;
use crate::span::{Source, Sources};

/// A model without mistakes, or one of its variants.
pub struct Model {
    pub program: Program,
    /// Its whole text: what it includes stands in the place of each `include`.
    pub text: String,
    path: PathBuf,
}

impl Model {
    fn of(compiled: Compiled, variant: Option<&str>, path: &Path) -> Outcome<Self> {
        let program = compiled.form(variant)?.clone();
        Ok(Self { program, text: compiled.text, path: path.to_owned() })
    }

    /// The one name of its file, by whatever path it was found.
    pub fn place(&self) -> PathBuf {
        self.path.canonicalize().unwrap_or_else(|_| self.path.clone())
    }
}

/// What a command's arguments name, to be built: all its assertions hold.
pub fn load(file: &ModelFile) -> Outcome<Model> {
    let compiled = compile(&file.path, &Folder::of(&file.path))?;
    show(&compiled.sources, &compiled.warnings);
    show(&compiled.sources, &compiled.failures);
    match compiled.failures.is_empty() {
        true => Model::of(compiled, file.variant.as_deref(), &file.path),
        false => Err(Failure::Shown),
    }
}

/// What a command's arguments name, to be looked at: assertions that do not hold are shown, and no reason to stop.
pub fn load_to_show(file: &ModelFile) -> Outcome<Model> {
    let compiled = compile(&file.path, &Folder::of(&file.path))?;
    show(&compiled.sources, &compiled.warnings);
    show(&compiled.sources, &compiled.failures);
    Model::of(compiled, file.variant.as_deref(), &file.path)
}

/// Like [`load_to_show`] of two, each file read once.
pub fn load_two(one: &ModelFile, other: &ModelFile) -> Outcome<[Program; 2]> {
    if one.path != other.path {
        return Ok([load_to_show(one)?.program, load_to_show(other)?.program]);
    }
    let compiled = compile(&one.path, &Folder::of(&one.path))?;
    show(&compiled.sources, &compiled.warnings);
    show(&compiled.sources, &compiled.failures);
    let form = |file: &ModelFile| compiled.form(file.variant.as_deref()).cloned();
    Ok([form(one)?, form(other)?])
}

/// The model that a run was trained from, whose text lies in the run's folder; what there was to warn of has been
/// said before the training.
pub fn load_run(run: &Path) -> Outcome<Model> {
    let path = run.join("model.cam");
    if !path.is_file() {
        return Err(NoRun { run: run.to_owned() }.into());
    }
    let variant = variant_of(run)?;
    Model::of(compile(&path, &NoFiles)?, variant.as_deref(), &path)
}

/// A model's text: of a file, or of stdin, which is called `-`.
pub fn read(path: &Path) -> Outcome<Source> {
    let source = match path == Path::new("-") {
        true => disk::read_from("stdin", io::stdin().lock()),
        false => disk::read(path),
    };
    source.map_err(|error| match error {
        Unreadable::Refused(cause) => refused("read", path)(cause).into(),
        Unreadable::NotText { line } => NotText { path: path.to_owned(), line }.into(),
    })
}

fn compile(path: &Path, files: &dyn Files) -> Outcome<Compiled> {
    let source = read(path)?;
    analysis::compile_model(&source, files).map_err(|rejected| {
        show(&rejected.sources, &rejected.diagnostics);
        Failure::Shown
    })
}

/// Prints diagnostics to stderr, if there are any.
pub fn show(sources: &Sources, diagnostics: &Diagnostics) {
    if diagnostics.is_empty() {
        return;
    }
    let style = if output::has_colors() { Style::Color } else { Style::Plain };
    eprintln!("{}", diagnostics.render(sources, style).trim_end());
}

/// What is read here of `run.json`.
#[derive(Deserialize)]
struct Record {
    variant: Option<String>,
}

/// Which variant a run is of. A run that cannot be understood is left to the model's binary, which says more.
fn variant_of(run: &Path) -> Outcome<Option<String>> {
    let path = run.join("run.json");
    if !path.is_file() {
        return Ok(None);
    }
    let text = fs::read_to_string(&path).map_err(refused("read", &path))?;
    Ok(serde_json::from_str(&text).ok().and_then(|record: Record| record.variant))
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

#[derive(Debug, Error, Diagnostic)]
#[error("`{}` is not text: line {line} is not UTF-8", path.display())]
#[diagnostic(code(camtlc::text), help("save the file as UTF-8; is it the file that was meant?"))]
struct NotText {
    path: PathBuf,
    line: usize,
}

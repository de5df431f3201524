//! `camtlc new NAME`: a first model, every line of it explained, and what to do with it.

use std::path::{Path, PathBuf};

use miette::Diagnostic;
use thiserror::Error;

use super::args::New;
use super::{Outcome, files, output};
use crate::analysis;
use crate::diagnostics::Diagnostics;
use crate::ir::{self, Program};
use crate::span::Source;

const STARTER: &str = include_str!("starter.cam");

pub fn run(args: &New) -> Outcome {
    let (text, program) = starter(&args.name)?;
    let path = args.dir.join(format!("{}.cam", args.name));
    if !files::create(&path, &text)? {
        return Err(Taken { path }.into());
    }
    output::print(&next_steps(&path, &program))
}

/// The starter under another name, if that is one.
fn starter(name: &str) -> Result<(String, Program), IllegalName> {
    let renamed = |name: &str| STARTER.replacen("model starter\n", &format!("model {name}\n"), 1);
    // A letter that the grammar has no place for is as wrong in a name as `-`, for which analysis has a help.
    let is_letter = |c: char| c.is_alphabetic() || c.is_ascii_digit() || "_-".contains(c);
    let word: String = name.chars().map(|c| if is_letter(c) { c } else { '-' }).collect();
    match analysis::compile(&Source::new("the starter", renamed(&word))) {
        Ok((program, _)) => Ok((renamed(&word), program)),
        Err(mistakes) => Err(IllegalName::of(name, &word, &mistakes)),
    }
}

fn next_steps(path: &Path, program: &Program) -> String {
    let name = &program.name;
    let beside = path.with_extension("");
    let folders = program.tasks.iter().filter_map(|task| match &task.data {
        ir::Source { format: ir::Format::Tsv(_), folder, .. } => Some(beside.join(folder)),
        _ => None,
    });
    let folders: String =
        folders.map(|folder| format!("  {}: train.tsv and dev.tsv\n", folder.display())).collect();
    let path = path.display();
    format!(
        "wrote {path}

Make it yours, and look at it:
  camtlc check {path}
  camtlc graph {path}

Its tasks expect their data, tab-separated, with a first line of label, text_a and, for pairs, text_b, in
{folders}
Then train, where DIR is the folder of the checkpoint; the run is kept in runs/{name}:
  camtlc train {path} --backbone DIR
"
    )
}

#[derive(Debug, Error, Diagnostic)]
#[error("{message}")]
#[diagnostic(code(camtlc::name))]
struct IllegalName {
    message: String,
    #[help]
    help: String,
}

impl IllegalName {
    /// What analysis says of the name; a word that the language keeps for itself does not get that far.
    fn of(name: &str, word: &str, mistakes: &Diagnostics) -> Self {
        let is_of_name = |code: Box<dyn std::fmt::Display + '_>| code.to_string() == "cam::name::identifier";
        let said = mistakes.iter().find(|mistake| mistake.code().is_some_and(is_of_name));
        match said {
            Some(mistake) => Self {
                message: mistake.to_string().replacen(word, name, 1),
                help: mistake.help().map(|help| help.to_string()).unwrap_or_default(),
            },
            None => Self {
                message: format!("the model name `{name}` is a word of the language"),
                help: format!("take another, such as `{name}_model`"),
            },
        }
    }
}

#[derive(Debug, Error, Diagnostic)]
#[error("`{}` is there already, and is left as it is", path.display())]
#[diagnostic(code(camtlc::taken), help("choose another name, or another folder with `--dir`"))]
struct Taken {
    path: PathBuf,
}

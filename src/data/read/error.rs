//! Why a file of examples was refused: file, line, cause, and what helps.

use std::io;
use std::path::PathBuf;

use super::super::glue;
use super::super::source::Split;

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[non_exhaustive]
pub enum ReadError {
    #[error("task `{task}` reads the GLUE set `{set}`, which does not exist")]
    #[diagnostic(code(data::set), help("the sets are {}", set_names()))]
    UnknownSet { task: String, set: String },

    #[error("task `{task}`: there is no folder `{}`", .folder.display())]
    #[diagnostic(
        code(data::folder),
        help("the data folder of this run is `{}`; another one is set with --data", .root.display())
    )]
    NoFolder { task: String, folder: PathBuf, root: PathBuf },

    #[error("task `{task}`: there is no {split} file `{}`", .path.display())]
    #[diagnostic(
        code(data::file),
        help("the data folder of this run is `{}`; another one is set with --data", .root.display())
    )]
    NoFile { task: String, path: PathBuf, split: Split, root: PathBuf },

    #[error("`{}` cannot be read", .path.display())]
    #[diagnostic(code(data::io))]
    Io {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },

    #[error("`{}` has no rows", .path.display())]
    #[diagnostic(code(data::empty), help("a file of examples has at least one"))]
    Empty { path: PathBuf },

    #[error("{}:{line}: the line is not UTF-8", .path.display())]
    #[diagnostic(code(data::utf8), help("convert the file, for example with `iconv -f latin1 -t utf-8`"))]
    Utf8 { path: PathBuf, line: u32 },

    #[error("{}:1: the header has no column `{column}`", .path.display())]
    #[diagnostic(code(data::header), help("the header's columns are {found}; columns are separated by tabs"))]
    MissingColumn { path: PathBuf, column: String, found: String },

    #[error("{}:1: the header's column `{column}` is unknown or repeated", .path.display())]
    #[diagnostic(
        code(data::header),
        help("the columns of a tsv source are `label`, `text_a` and, for pairs, `text_b`")
    )]
    ExtraColumn { path: PathBuf, column: String },

    #[error("{}:{line}: the row has {found} columns instead of {expected}", .path.display())]
    #[diagnostic(
        code(data::columns),
        help(
            "columns are separated by tabs and quotes do not group, so a text cannot hold a tab or a line break"
        )
    )]
    Width { path: PathBuf, line: u32, found: usize, expected: usize },

    #[error("{}:{line}: `{label}` is not a label of the task", .path.display())]
    #[diagnostic(code(data::label), help("the task's labels are {known}"))]
    Label { path: PathBuf, line: u32, label: String, known: String },

    #[error("{}:{line}: `{value}` is not a number", .path.display())]
    #[diagnostic(code(data::number), help("a value is written like `2.5`"))]
    Number { path: PathBuf, line: u32, value: String },

    #[error("{}:{line}: the value {value} is outside {low:?} .. {high:?}", .path.display())]
    #[diagnostic(code(data::range), help("the task's `regress` line states the range"))]
    Range { path: PathBuf, line: u32, value: f32, low: f32, high: f32 },
}

fn set_names() -> String {
    glue::SETS.map(|set| set.name).join(", ")
}

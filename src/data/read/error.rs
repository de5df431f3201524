//! Why a file of examples was refused: file, line, cause, and what helps.

use std::io;
use std::path::{Path, PathBuf};

use super::super::source::Split;

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[non_exhaustive]
pub enum ReadError {
    #[error("task `{task}` reads the {benchmark} set `{set}`, which does not exist")]
    #[diagnostic(code(data::set), help("the sets are {known}"))]
    UnknownSet { task: String, benchmark: &'static str, set: String, known: String },

    #[error("task `{task}`: there is no folder `{}`", .folder.display())]
    #[diagnostic(
        code(data::folder),
        help("the data folder of this run is `{}`; another one is set with --data", .root.display())
    )]
    NoFolder { task: String, folder: PathBuf, root: PathBuf },

    #[error("task `{task}`: there is no {split} file `{}`{others}", .path.display())]
    #[diagnostic(
        code(data::file),
        help("the data folder of this run is `{}`; another one is set with --data", .root.display())
    )]
    NoFile {
        task: String,
        path: PathBuf,
        /// Other names that were looked for, in words.
        others: String,
        split: Split,
        root: PathBuf,
    },

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
    #[diagnostic(code(data::header), help("the header's columns are {found}"))]
    MissingColumn { path: PathBuf, column: String, found: String },

    #[error("{}:1: the header's column `{column}` is unknown or repeated", .path.display())]
    #[diagnostic(
        code(data::header),
        help("the columns of a tsv source are `label`, `text_a` and, for pairs, `text_b`")
    )]
    ExtraColumn { path: PathBuf, column: String },

    #[error("{}:{line}: the key `{key}` is unknown", .path.display())]
    #[diagnostic(
        code(data::key),
        help(
            "the keys are `label`, `text_a` and, for pairs, `text_b`, unless the task's `data` names others"
        )
    )]
    ExtraKey { path: PathBuf, line: u32, key: String },

    #[error("{}:{line}: the row has {found} columns instead of {expected}", .path.display())]
    #[diagnostic(
        code(data::columns),
        help(
            "every row has the header's columns: between tabs quotes do not group, so a text cannot hold a tab or a line break; between commas a text that holds a comma stands in quotes"
        )
    )]
    Width { path: PathBuf, line: u32, found: usize, expected: usize },

    #[error("{}:{line}: the row is not what its format says: {cause}", .path.display())]
    #[diagnostic(code(data::json), help("each line is one JSON object with all keys of the format"))]
    Json { path: PathBuf, line: u32, cause: String },

    #[error("{}: the file is not what its format says: {cause}", .path.display())]
    #[diagnostic(code(data::json), help("the file is one JSON object as SQuAD v1.1 has it"))]
    WholeJson { path: PathBuf, cause: String },

    #[error("{}:{line}: `{key}` {found}", .path.display())]
    #[diagnostic(code(data::key), help("the task's `data` names the keys of its texts"))]
    NoText { path: PathBuf, line: u32, key: String, found: &'static str },

    #[error("{}:{line}: {problem}", .path.display())]
    #[diagnostic(
        code(data::row),
        help("the row contradicts itself; the file may be cut or of another version")
    )]
    Unfit { path: PathBuf, line: u32, problem: String },

    #[error("{}: question `{id}`: {problem}", .path.display())]
    #[diagnostic(
        code(data::question),
        help(
            "answers are parts of their context, counted in characters; questions without one are not supported"
        )
    )]
    Question { path: PathBuf, id: String, problem: String },

    #[error("{}: the file is SQuAD {version}, and question `{id}` has no answer", .path.display())]
    #[diagnostic(
        code(data::unanswerable),
        help(
            "a `span` task finds an answer to every question, as in SQuAD v1.1; --skip-unreadable leaves questions without one out, and counts them"
        )
    )]
    Unanswerable { path: PathBuf, id: String, version: String },

    #[error("{}:{line}: there is no label", .path.display())]
    #[diagnostic(code(data::label), help("only a test file may be without labels"))]
    NoLabel { path: PathBuf, line: u32 },

    #[error("`{}` holds {holds}, and the task's kind is `{predicts}`", .path.display())]
    #[diagnostic(
        code(data::kind),
        help(
            "tags belong to `tag`, answers in a context to `span`, choices to `choose`, texts to `classify` and `regress`"
        )
    )]
    OtherKind { path: PathBuf, holds: &'static str, predicts: &'static str },

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

impl ReadError {
    pub(super) fn missing_column(path: &Path, column: &str, header: &[&str]) -> Self {
        let found = in_quotes(header);
        Self::MissingColumn { path: path.to_owned(), column: column.to_owned(), found }
    }

    pub(super) fn label(path: &Path, line: u32, label: &str, known: &[&str]) -> Self {
        let known = in_quotes(known);
        Self::Label { path: path.to_owned(), line, label: label.to_owned(), known }
    }

    /// Of a line that is parsed alone.
    pub(super) fn json(path: &Path, line: u32, cause: &serde_json::Error) -> Self {
        // The line that it names is always 1.
        let place = format!(" at line {} column {}", cause.line(), cause.column());
        let text = cause.to_string();
        let cause = match text.strip_suffix(&place) {
            Some(problem) => format!("{problem} at column {}", cause.column()),
            None => text,
        };
        Self::Json { path: path.to_owned(), line, cause }
    }

    pub(super) fn whole_json(path: &Path, cause: &serde_json::Error) -> Self {
        Self::WholeJson { path: path.to_owned(), cause: cause.to_string() }
    }
}

fn in_quotes(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

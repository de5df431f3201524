//! Lines to examples: which column is which, and what a label or a value may be.
//!
//! One reader serves every tab-separated layout; what differs is where the columns are, which a header names or
//! [`glue`] states. There is no quoting: a quote in the text is a quote.

use std::fs;
use std::path::{Path, PathBuf};

use super::example::{Example, Target};
use super::glue;
use super::lines::{Line, lines};
use super::source::{Kind, Source, Split};

mod error;

pub use error::ReadError;

/// What to do about a row that cannot be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Unreadable {
    #[default]
    Fail,
    /// Leave it out and count it. A file of which nothing is left is an error all the same.
    Skip,
}

/// The rows of one file.
#[derive(Clone, Debug)]
pub struct Examples {
    pub rows: Vec<Example>,
    /// Rows left out under [`Unreadable::Skip`].
    pub skipped: usize,
}

/// What the rows of a file should be.
#[derive(Clone, Copy, Debug)]
pub struct Expected {
    pub kind: Kind,
    /// Whether a file without labels is refused.
    pub labelled: bool,
    pub unreadable: Unreadable,
}

/// The file of a split of a task below the data folder `root`, which must exist.
///
/// # Errors
/// [`ReadError::UnknownSet`], or a folder or file that is missing.
pub fn locate(task: &str, source: Source, split: Split, root: &Path) -> Result<PathBuf, ReadError> {
    let file = match source {
        Source::Glue { set, .. } => glue_set(task, set)?.file(split),
        Source::Tsv { .. } => match split {
            Split::Train => "train.tsv",
            Split::Dev => "dev.tsv",
            Split::Test => "test.tsv",
        },
    };
    let folder = root.join(source.folder());
    if !folder.is_dir() {
        return Err(ReadError::NoFolder { task: task.to_owned(), folder, root: root.to_owned() });
    }
    let path = folder.join(file);
    if !path.is_file() {
        return Err(ReadError::NoFile { task: task.to_owned(), path, split, root: root.to_owned() });
    }
    Ok(path)
}

/// All rows of a split of a task, from the data folder `root`.
///
/// # Errors
/// Any [`ReadError`]: the first row that cannot be read, unless rows may be skipped.
pub fn examples(
    task: &str,
    source: Source,
    split: Split,
    root: &Path,
    expected: Expected,
) -> Result<Examples, ReadError> {
    let path = locate(task, source, split, root)?;
    parse(task, source, split, &path, &read_bytes(&path)?, expected)
}

/// The rows of a single tab-separated file with the header `label text_a [text_b]`, wherever it lies.
///
/// # Errors
/// As [`examples`].
pub fn tsv_file(path: &Path, expected: Expected) -> Result<Examples, ReadError> {
    parse_tsv(path, &read_bytes(path)?, expected)
}

pub(super) fn read_bytes(path: &Path) -> Result<Vec<u8>, ReadError> {
    fs::read(path).map_err(|cause| ReadError::Io { path: path.to_owned(), cause })
}

/// The rows in `bytes`, which were read from `path`.
pub(super) fn parse(
    task: &str,
    source: Source,
    split: Split,
    path: &Path,
    bytes: &[u8],
    expected: Expected,
) -> Result<Examples, ReadError> {
    let Source::Glue { set, .. } = source else { return parse_tsv(path, bytes, expected) };
    let set = glue_set(task, set)?;
    if let Some(bare) = set.bare(split) {
        let columns =
            Columns { width: bare.width, label: Some(bare.label), text_a: bare.text_a, text_b: None };
        return rows(path, lines(bytes), columns, expected);
    }
    let mut lines = lines(bytes);
    let header = header(path, &mut lines)?;
    let find = |name: &str| header.iter().position(|column| *column == name);
    let need = |name: &str| find(name).ok_or_else(|| missing(path, name, &header));
    let columns = Columns {
        width: header.len(),
        label: if expected.labelled { Some(need(set.label)?) } else { find(set.label) },
        text_a: need(set.text_a)?,
        text_b: set.text_b.map(need).transpose()?,
    };
    rows(path, lines, columns, expected)
}

fn parse_tsv(path: &Path, bytes: &[u8], expected: Expected) -> Result<Examples, ReadError> {
    let mut lines = lines(bytes);
    let header = header(path, &mut lines)?;
    // The format is ours: a column that nobody reads is more likely a slip of the pen than a remark.
    let mut columns = Columns { width: header.len(), label: None, text_a: 0, text_b: None };
    let mut text_a = None;
    for (at, name) in header.iter().enumerate() {
        let seen = match *name {
            "label" => columns.label.replace(at),
            "text_a" => text_a.replace(at),
            "text_b" => columns.text_b.replace(at),
            other => return Err(ReadError::ExtraColumn { path: path.to_owned(), column: other.to_owned() }),
        };
        if seen.is_some() {
            return Err(ReadError::ExtraColumn { path: path.to_owned(), column: (*name).to_owned() });
        }
    }
    columns.text_a = text_a.ok_or_else(|| missing(path, "text_a", &header))?;
    if expected.labelled && columns.label.is_none() {
        return Err(missing(path, "label", &header));
    }
    rows(path, lines, columns, expected)
}

fn glue_set(task: &str, set: &str) -> Result<&'static glue::Set, ReadError> {
    glue::Set::named(set).ok_or_else(|| ReadError::UnknownSet { task: task.to_owned(), set: set.to_owned() })
}

fn header<'a>(path: &Path, lines: &mut impl Iterator<Item = Line<'a>>) -> Result<Vec<&'a str>, ReadError> {
    let line = lines.next().ok_or_else(|| ReadError::Empty { path: path.to_owned() })?;
    let text = line.text().ok_or_else(|| ReadError::Utf8 { path: path.to_owned(), line: line.number })?;
    Ok(text.split('\t').collect())
}

fn missing(path: &Path, column: &str, header: &[&str]) -> ReadError {
    let found = header.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    ReadError::MissingColumn { path: path.to_owned(), column: column.to_owned(), found }
}

/// Positions in a row; `width` is how many columns every row has.
#[derive(Clone, Copy)]
struct Columns {
    width: usize,
    label: Option<usize>,
    text_a: usize,
    text_b: Option<usize>,
}

fn rows<'a>(
    path: &Path,
    lines: impl Iterator<Item = Line<'a>>,
    columns: Columns,
    expected: Expected,
) -> Result<Examples, ReadError> {
    let mut examples = Examples { rows: Vec::new(), skipped: 0 };
    let mut first_unreadable = None;
    let mut cells = Vec::with_capacity(columns.width);
    for line in lines {
        match row(path, line, columns, expected.kind, &mut cells) {
            Ok(example) => examples.rows.push(example),
            Err(error) if expected.unreadable == Unreadable::Skip => {
                examples.skipped += 1;
                first_unreadable.get_or_insert(error);
            }
            Err(error) => return Err(error),
        }
    }
    if examples.rows.is_empty() {
        return Err(first_unreadable.unwrap_or_else(|| ReadError::Empty { path: path.to_owned() }));
    }
    Ok(examples)
}

fn row<'a>(
    path: &Path,
    line: Line<'a>,
    columns: Columns,
    kind: Kind,
    cells: &mut Vec<&'a str>,
) -> Result<Example, ReadError> {
    let text = line.text().ok_or_else(|| ReadError::Utf8 { path: path.to_owned(), line: line.number })?;
    cells.clear();
    cells.extend(text.split('\t'));
    if cells.len() != columns.width {
        return Err(ReadError::Width {
            path: path.to_owned(),
            line: line.number,
            found: cells.len(),
            expected: columns.width,
        });
    }
    let target = match columns.label {
        Some(at) => target(path, line.number, kind, cells[at])?,
        None => Target::None,
    };
    let text_b = columns.text_b.map(|at| cells[at].to_owned());
    Ok(Example { target, ..Example::text(cells[columns.text_a], text_b, line.number) })
}

fn target(path: &Path, line: u32, kind: Kind, cell: &str) -> Result<Target, ReadError> {
    match kind {
        Kind::Classify { labels } => match labels.iter().zip(0..).find(|(label, _)| **label == cell) {
            Some((_, index)) => Ok(Target::Class(index)),
            None => Err(ReadError::Label {
                path: path.to_owned(),
                line,
                label: cell.to_owned(),
                known: labels.iter().map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", "),
            }),
        },
        Kind::Regress { low, high, .. } => match cell.parse::<f32>() {
            Ok(value) if (low..=high).contains(&value) => Ok(Target::Value(value)),
            Ok(value) if value.is_finite() => {
                Err(ReadError::Range { path: path.to_owned(), line, value, low, high })
            }
            _ => Err(ReadError::Number { path: path.to_owned(), line, value: cell.to_owned() }),
        },
        Kind::Tag { .. } | Kind::Span { .. } | Kind::Choose { .. } => {
            unreachable!("kinds of text alone have a data set")
        }
    }
}

#[cfg(test)]
mod tests;

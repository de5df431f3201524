//! Files to examples: a reader a format, and what all of them do alike.
//!
//! | format | reader |
//! |---|---|
//! | GLUE, and own files with tabs | `tabs` |
//! | own files with commas and quotes | `commas` |
//! | SNLI, SciTail, and own JSON lines | `objects` |
//! | own files with texts to choose from | `choices`, behind the one of its format |
//! | SuperGLUE | `superglue`, `marks` |
//! | SQuAD and MRQA | `questions` |
//! | CoNLL | `tagged` |
//!
//! Every reader gives its rows to `rows`, good or bad, which knows what becomes of the bad ones. What a label or a
//! value may be stands in `target`.

use std::fmt;
use std::fs;
use std::io::Read;
use std::path::Path;

use super::example::Example;
use super::files;
use super::source::{Columns, Format, Kind, Source, Split};

mod choices;
mod commas;
mod error;
mod marks;
mod objects;
mod questions;
mod rows;
mod superglue;
mod tabs;
mod tagged;
mod target;

pub use super::files::locate;
pub use error::ReadError;
use rows::Rows;

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
    pub left_out: LeftOut,
}

impl Examples {
    /// All rows there are.
    pub fn of(rows: Vec<Example>) -> Self {
        Self { rows, left_out: LeftOut::default() }
    }
}

/// Rows of a file that are not among its examples.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// The data set itself says that they have no use: SNLI's pairs without agreement ("-").
    pub unused: usize,
    /// Rows that cannot be read, under [`Unreadable::Skip`].
    pub unreadable: usize,
    /// Place and cause of the first of these.
    pub first: Vec<String>, // [at most FIRST]
}

impl LeftOut {
    /// As many unreadable rows are told one by one.
    pub const FIRST: usize = 3;

    pub fn count(&self) -> usize {
        self.unused + self.unreadable
    }
}

/// What of the unreadable rows a person is told: how many, and the first with their places.
impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { unreadable, first, .. } = self;
        let rows = if *unreadable == 1 { "row" } else { "rows" };
        write!(f, "{unreadable} {rows} left out, which cannot be read")?;
        first.iter().try_for_each(|row| write!(f, "\n  {row}"))?;
        match unreadable - first.len() {
            0 => Ok(()),
            more => write!(f, "\n  and {more} more"),
        }
    }
}

/// What the rows of a file should be.
#[derive(Clone, Copy, Debug)]
pub struct Expected {
    pub kind: Kind,
    /// Whether a file without labels is refused.
    pub labelled: bool,
    pub unreadable: Unreadable,
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
    let mut rows = Rows::new(path, expected);
    tabs::table(&mut rows, &read_bytes(path)?, Columns::Usual)?;
    rows.finish()
}

/// The content of a file, unpacked if its name ends in `.gz`.
pub(super) fn read_bytes(path: &Path) -> Result<Vec<u8>, ReadError> {
    let at = |cause| ReadError::Io { path: path.to_owned(), cause };
    let bytes = fs::read(path).map_err(at)?;
    if path.extension().is_none_or(|extension| extension != "gz") {
        return Ok(bytes);
    }
    let mut unpacked = Vec::new();
    // Files that were put together from several packed ones have as many parts.
    flate2::read::MultiGzDecoder::new(bytes.as_slice()).read_to_end(&mut unpacked).map_err(at)?;
    Ok(unpacked)
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
    let mut rows = Rows::new(path, expected);
    let rows_of = &mut rows;
    match source.format {
        Format::Glue(set) => tabs::glue(rows_of, bytes, files::glue_set(task, set)?, split)?,
        Format::SuperGlue(set) => superglue::read(rows_of, bytes, task, set)?,
        Format::Squad => questions::squad(rows_of, bytes)?,
        Format::Mrqa(_) => questions::mrqa(rows_of, bytes)?,
        Format::Conll => tagged::conll(rows_of, bytes)?,
        Format::Snli => objects::snli(rows_of, bytes)?,
        Format::SciTail => objects::scitail(rows_of, bytes)?,
        Format::Csv(columns) => commas::table(rows_of, bytes, columns)?,
        Format::Tsv(columns) => tabs::table(rows_of, bytes, columns)?,
        Format::JsonLines(columns) => objects::table(rows_of, bytes, columns)?,
    }
    rows.finish()
}

#[cfg(test)]
mod tests;

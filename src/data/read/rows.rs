//! The rows of a file as they are read: the good ones are kept, the bad ones end the reading or are counted.

use std::path::Path;

use serde::de::DeserializeOwned;

use super::super::example::Example;
use super::super::lines::{Line, lines};
use super::{Examples, Expected, LeftOut, ReadError, Unreadable};

/// A file's rows so far.
pub struct Rows<'a> {
    pub path: &'a Path,
    pub expected: Expected,
    examples: Examples,
    first_unreadable: Option<ReadError>,
}

impl<'a> Rows<'a> {
    pub fn new(path: &'a Path, expected: Expected) -> Self {
        let examples = Examples::of(Vec::new());
        Self { path, expected, examples, first_unreadable: None }
    }

    /// Takes a row, or all rows of one line.
    ///
    /// # Errors
    /// The row's own, unless rows may be skipped.
    pub fn take(
        &mut self,
        rows: Result<impl IntoIterator<Item = Example>, ReadError>,
    ) -> Result<(), ReadError> {
        match rows {
            Ok(rows) => self.examples.rows.extend(rows),
            Err(error) if self.expected.unreadable == Unreadable::Skip => {
                let left_out = &mut self.examples.left_out;
                left_out.unreadable += 1;
                if left_out.first.len() < LeftOut::FIRST {
                    left_out.first.push(error.to_string());
                }
                self.first_unreadable.get_or_insert(error);
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Counts a row that the data set itself says is not to be used.
    pub fn leave_out(&mut self) {
        self.examples.left_out.unused += 1;
    }

    /// # Errors
    /// A file of which nothing is left.
    pub fn finish(self) -> Result<Examples, ReadError> {
        if self.examples.rows.is_empty() {
            let empty = || ReadError::Empty { path: self.path.to_owned() };
            return Err(self.first_unreadable.unwrap_or_else(empty));
        }
        Ok(self.examples)
    }

    /// The text of a line.
    pub fn text<'t>(&self, line: Line<'t>) -> Result<&'t str, ReadError> {
        line.text().ok_or_else(|| ReadError::Utf8 { path: self.path.to_owned(), line: line.number })
    }

    /// A row that contradicts itself.
    pub fn unfit(&self, line: u32, problem: String) -> ReadError {
        ReadError::Unfit { path: self.path.to_owned(), line, problem }
    }

    /// Reads JSON lines: an object each, of which `rows` makes any number of examples. Blank lines are none.
    pub fn json_lines<T: DeserializeOwned>(
        &mut self,
        bytes: &[u8],
        mut rows: impl FnMut(&mut Self, T, u32) -> Result<Vec<Example>, ReadError>,
    ) -> Result<(), ReadError> {
        for line in lines(bytes).filter(|line| !line.is_blank()) {
            let object = self.text(line).and_then(|text| {
                serde_json::from_str(text).map_err(|cause| ReadError::json(self.path, line.number, &cause))
            });
            let found = object.and_then(|object| rows(self, object, line.number));
            self.take(found)?;
        }
        Ok(())
    }
}

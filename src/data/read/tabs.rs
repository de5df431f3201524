//! Tab-separated files: GLUE's and own ones. There is no quoting: a quote in the text is a quote.
//!
//! One reader serves every layout; what differs is where the columns are, which a header names or
//! [`glue`](super::super::glue) states.

use super::super::example::{Example, Target};
use super::super::glue;
use super::super::lines::{Line, lines};
use super::super::source::{Columns, Split};
use super::{ReadError, Rows, choices};

/// The rows of a split of a GLUE set.
pub fn glue(rows: &mut Rows, bytes: &[u8], set: &glue::Set, split: Split) -> Result<(), ReadError> {
    if let Some(bare) = set.bare(split) {
        let places = Places {
            width: bare.width,
            label: Some(bare.label),
            text_a: bare.text_a,
            text_b: None,
            choices: Vec::new(),
            id: None,
        };
        return read(rows, lines(bytes), places);
    }
    let mut lines = lines(bytes);
    let header = header(rows, &mut lines)?;
    let find = |name: &str| header.iter().position(|column| *column == name);
    let need = |name: &str| find(name).ok_or_else(|| ReadError::missing_column(rows.path, name, &header));
    let places = Places {
        width: header.len(),
        label: if rows.expected.labelled { Some(need(set.label)?) } else { find(set.label) },
        text_a: need(set.text_a)?,
        text_b: set.text_b.map(need).transpose()?,
        choices: Vec::new(),
        id: find("index"),
    };
    read(rows, lines, places)
}

/// The rows of an own file, whose header names the columns.
pub fn table(rows: &mut Rows, bytes: &[u8], columns: Columns) -> Result<(), ReadError> {
    let mut lines = lines(bytes);
    let header = header(rows, &mut lines)?;
    let places = Places::find(rows, &header, columns)?;
    read(rows, lines, places)
}

fn header<'t>(rows: &Rows, lines: &mut impl Iterator<Item = Line<'t>>) -> Result<Vec<&'t str>, ReadError> {
    let line = lines.next().ok_or_else(|| ReadError::Empty { path: rows.path.to_owned() })?;
    Ok(rows.text(line)?.split('\t').collect())
}

fn read<'t>(rows: &mut Rows, lines: impl Iterator<Item = Line<'t>>, places: Places) -> Result<(), ReadError> {
    let mut cells = Vec::with_capacity(places.width);
    for line in lines {
        let row = rows.text(line).and_then(|text| {
            cells.clear();
            cells.extend(text.split('\t'));
            places.example(rows, line.number, &cells)
        });
        rows.take(row.map(Some))?;
    }
    Ok(())
}

/// Where the columns are in a row; `width` is how many columns every row has.
pub struct Places {
    width: usize,
    label: Option<usize>,
    text_a: usize,
    text_b: Option<usize>,
    /// Of rows with several texts to choose from.
    choices: Vec<usize>,
    id: Option<usize>,
}

impl Places {
    /// In an own file with this header.
    pub fn find(rows: &Rows, header: &[&str], columns: Columns) -> Result<Self, ReadError> {
        let missing = |name: &str| ReadError::missing_column(rows.path, name, header);
        let find = |name: &str| header.iter().position(|column| *column == name);
        let names = match columns {
            // The format is ours: a column that nobody reads is more likely a slip of the pen than a remark.
            Columns::Usual => vec!["label", "text_a", "text_b"],
            Columns::Named { .. } | Columns::Choices { .. } => {
                let (label, text_a, text_b, id) = columns.names();
                let texts = [Some(label), Some(text_a), text_b, id].into_iter().flatten();
                texts.chain(columns.choices().iter().copied()).collect()
            }
        };
        for (at, column) in header.iter().enumerate() {
            let is_repeated = names.contains(column) && header[..at].contains(column);
            if is_repeated || (columns == Columns::Usual && !names.contains(column)) {
                let column = (*column).to_owned();
                return Err(ReadError::ExtraColumn { path: rows.path.to_owned(), column });
            }
        }
        let (label, text_a, text_b, id) = columns.names();
        let places = Self {
            width: header.len(),
            label: find(label),
            text_a: find(text_a).ok_or_else(|| missing(text_a))?,
            text_b: match text_b {
                Some(name) => Some(find(name).ok_or_else(|| missing(name))?),
                None => find("text_b"),
            },
            choices: columns
                .choices()
                .iter()
                .map(|name| find(name).ok_or_else(|| missing(name)))
                .collect::<Result<_, _>>()?,
            id: id.map(|name| find(name).ok_or_else(|| missing(name))).transpose()?,
        };
        if rows.expected.labelled && places.label.is_none() {
            return Err(missing(label));
        }
        Ok(places)
    }

    /// The example of a row.
    pub fn example(&self, rows: &Rows, line: u32, cells: &[&str]) -> Result<Example, ReadError> {
        if cells.len() != self.width {
            return Err(ReadError::Width {
                path: rows.path.to_owned(),
                line,
                found: cells.len(),
                expected: self.width,
            });
        }
        let text_b = self.text_b.map(|at| cells[at].to_owned());
        let id = self.id.map(|at| cells[at].to_owned());
        if !self.choices.is_empty() {
            let choices = self.choices.iter().map(|at| cells[*at].to_owned()).collect();
            let label = self.label.map(|at| cells[at]);
            return choices::example(rows, line, (cells[self.text_a], text_b.as_deref()), choices, label, id);
        }
        let target = match self.label {
            Some(at) => rows.target_of_text(line, cells[at])?,
            None => Target::None,
        };
        Ok(Example { target, id, ..Example::text(cells[self.text_a], text_b, line) })
    }
}

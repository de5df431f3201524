//! Lines of cells, and how runs of them are aligned.

use super::phrases::GAP;

/// One line of the result.
pub struct Line {
    pub level: usize,
    pub cells: Vec<String>,
    pub table: Option<Table>,
    /// Behind the cells.
    pub comment: Option<String>,
    /// After an empty line.
    pub blank: bool,
}

/// What a line is a row of. Comments on lines of their own stand between rows without parting them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    Tasks,
    Attachments,
    Comment,
}

impl Line {
    fn is_comment(&self) -> bool {
        self.table == Some(Table::Comment)
    }

    /// Between cell `column` and the next.
    fn gap(&self, column: usize) -> &'static str {
        match (self.table, column) {
            (Some(Table::Tasks), 0) | (Some(Table::Attachments), _) => " ",
            _ => GAP,
        }
    }
}

/// The text of all lines.
pub fn join(lines: &[Line]) -> String {
    let bodies = align(lines);
    let mut text = String::new();
    let mut start = 0;
    while start < lines.len() {
        let end = comment_run(lines, start);
        let widest = bodies[start..end].iter().map(|body| body.chars().count()).max().unwrap_or(0);
        for (line, body) in lines[start..end].iter().zip(&bodies[start..end]) {
            if line.blank {
                text.push('\n');
            }
            match &line.comment {
                Some(comment) => text.push_str(&format!("{body:widest$}  {comment}")),
                None => text.push_str(body),
            }
            text.push('\n');
        }
        start = end;
    }
    text
}

/// The end of the run of adjacent lines with a comment behind them, whose comments share a column; `start +
/// 1` at least.
fn comment_run(lines: &[Line], start: usize) -> usize {
    let follows = |line: &&Line| line.comment.is_some() && !line.blank && line.level == lines[start].level;
    match &lines[start].comment {
        Some(_) => start + 1 + lines[start + 1..].iter().take_while(follows).count(),
        None => start + 1,
    }
}

/// The cells of each line, padded to the columns of its table, behind its indentation.
fn align(lines: &[Line]) -> Vec<String> {
    let mut bodies = Vec::with_capacity(lines.len());
    let mut start = 0;
    while start < lines.len() {
        let end = table_run(lines, start);
        let widths = widths(&lines[start..end]);
        bodies.extend(lines[start..end].iter().map(|line| row(line, &widths)));
        start = end;
    }
    bodies
}

/// The end of the table that starts at `start`: rows of its sort and the comments among them.
fn table_run(lines: &[Line], start: usize) -> usize {
    let first = &lines[start];
    if first.table.is_none() || first.is_comment() {
        return start + 1;
    }
    let belongs = |line: &&Line| {
        !line.blank && line.level == first.level && (line.table == first.table || line.is_comment())
    };
    start + 1 + lines[start + 1..].iter().take_while(belongs).count()
}

fn widths(lines: &[Line]) -> Vec<usize> {
    let mut widths = Vec::new();
    for line in lines.iter().filter(|line| !line.is_comment()) {
        for (column, cell) in line.cells.iter().enumerate() {
            if column == widths.len() {
                widths.push(0);
            }
            // The last cell has nothing to line up.
            if column + 1 < line.cells.len() {
                widths[column] = cell.chars().count().max(widths[column]);
            }
        }
    }
    widths
}

fn row(line: &Line, widths: &[usize]) -> String {
    let mut body = "    ".repeat(line.level);
    for (column, cell) in line.cells.iter().enumerate() {
        body.push_str(cell);
        if column + 1 < line.cells.len() {
            let padding = widths[column].saturating_sub(cell.chars().count());
            body.extend(std::iter::repeat_n(' ', padding));
            body.push_str(line.gap(column));
        }
    }
    body
}

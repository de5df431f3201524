//! Nodes that fit on a line, as text.

use crate::syntax::ast::{Body, Entry, Extent, Freeze, Part, Place, Task, Value};

/// Between entries on one line.
pub const GAP: &str = "   ";

pub fn freeze(freeze: &Freeze) -> String {
    format!("freeze {}", freeze.parts.iter().map(part).collect::<Vec<_>>().join(", "))
}

pub fn place(place: &Place) -> String {
    format!("{} {}", place.preposition.text, part(&place.part))
}

/// Layers are counted, so their ranges are tight: `layers 0..6`.
fn part(part: &Part) -> String {
    let name = &part.name.text;
    match &part.extent {
        None => name.clone(),
        Some(Extent::One(number)) => format!("{name} {}", number.text),
        Some(Extent::Range(range)) => format!("{name} {}..{}", range.low.text, range.high.text),
    }
}

/// The cells of a task's row: its name, then its entries, the braces on the first and the last.
pub fn task_row(task: &Task) -> Vec<String> {
    let mut cells = vec![task.name.text.clone()];
    cells.extend(task.body.entries.iter().map(entry));
    match cells.as_mut_slice() {
        [_, first, ..] => {
            first.insert_str(0, "{ ");
            if let Some(last) = cells.last_mut() {
                last.push_str(" }");
            }
        }
        _ => cells.push("{}".to_owned()),
    }
    cells
}

pub fn inline_body(body: &Body) -> String {
    if body.entries.is_empty() {
        return "{}".to_owned();
    }
    format!("{{ {} }}", body.entries.iter().map(entry).collect::<Vec<_>>().join(GAP))
}

pub fn entry(entry: &Entry) -> String {
    let head = entry_head(entry);
    match &entry.body {
        Some(body) => format!("{head} {}", inline_body(body)),
        None => head,
    }
}

/// An entry without its block.
pub fn entry_head(entry: &Entry) -> String {
    let words = entry.values.iter().map(value);
    std::iter::once(entry.key.text.clone()).chain(words).collect::<Vec<_>>().join(" ")
}

fn value(value: &Value) -> String {
    match value {
        Value::Word(word) => word.text.clone(),
        Value::Text(text) => quoted(&text.text),
        Value::Number(number) => number.text.clone(),
        Value::Range(range) => format!("{} .. {}", range.low.text, range.high.text),
        Value::List(list) => list.values.iter().map(self::value).collect::<Vec<_>>().join(", "),
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

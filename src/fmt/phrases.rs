//! Nodes that fit on a line, as text.

use crate::syntax::ast::{
    Assert, Attach, Body, Detach, Entry, Extent, Item, Part, Place, Task, Tasks, Value, Variant, Word,
};

/// Between entries on one line.
pub const GAP: &str = "   ";

/// An item that always fits on one line; `None` for those with blocks.
pub fn short_item(item: &Item) -> Option<String> {
    Some(match item {
        Item::Include(include) => format!("include {}", quoted(&include.path.text)),
        Item::Model(model) => format!("model {}", model.name.text),
        Item::Fidelity(fidelity) => format!("fidelity {}", fidelity.to.text),
        Item::Sequence(sequence) => format!("sequence {}", sequence.length.text),
        Item::Drop(drop) => format!("drop {}", words(&drop.tasks)),
        Item::Freeze(freeze) => format!("freeze {}", parts(&freeze.parts)),
        Item::Unfreeze(unfreeze) => format!("unfreeze {}", parts(&unfreeze.parts)),
        Item::Detach(detach) => self::detach(detach),
        Item::Assert(assert) => self::assert(assert),
        Item::Backbone(_) | Item::Tasks(_) | Item::Attach(_) | Item::Train(_) | Item::Variant(_) => {
            return None;
        }
    })
}

/// `variant small of baseline`
pub fn variant_head(variant: &Variant) -> String {
    let of = variant.of.as_ref().map(|of| format!(" of {}", of.text)).unwrap_or_default();
    format!("variant {}{of}", variant.name.text)
}

/// The items of a variant that stands on one line; `None` where one of them cannot.
pub fn inline_items(items: &[Item]) -> Option<String> {
    if items.is_empty() {
        return Some("{}".to_owned());
    }
    let items: Option<Vec<String>> = items.iter().map(inline_item).collect();
    Some(format!("{{ {} }}", items?.join(GAP)))
}

fn inline_item(item: &Item) -> Option<String> {
    match item {
        Item::Backbone(backbone) => {
            Some(format!("backbone {} {}", backbone.kind.text, inline_body(&backbone.body)))
        }
        Item::Tasks(tasks) => Some(inline_tasks(tasks)),
        Item::Attach(attach) => Some(inline_attach(attach)),
        Item::Train(train) => Some(format!("train {}", inline_body(&train.body))),
        item => short_item(item),
    }
}

fn inline_tasks(tasks: &Tasks) -> String {
    let task = |task: &Task| format!("{} {}", task.name.text, inline_body(&task.body));
    match tasks.tasks.as_slice() {
        [] => "tasks {}".to_owned(),
        tasks => format!("tasks {{ {} }}", tasks.iter().map(task).collect::<Vec<_>>().join(GAP)),
    }
}

fn inline_attach(attach: &Attach) -> String {
    let head = format!("attach {} {}", attach.module.text, place(&attach.place));
    match &attach.body {
        Some(body) => format!("{head} {}", inline_body(body)),
        None => head,
    }
}

fn detach(detach: &Detach) -> String {
    let from = detach.from.as_ref().map(|from| format!(" from {}", part(from))).unwrap_or_default();
    format!("detach {}{from}", words(&detach.modules))
}

fn assert(assert: &Assert) -> String {
    let Assert { span: _, quantity, comparison, bound, unit, times, lacks_x } = assert;
    // A mistake is laid out, not mended.
    let sign = if *lacks_x { "" } else { " x" };
    let unit = unit.as_ref().map(|unit| format!(" {}", unit.text)).unwrap_or_default();
    let times = times.as_ref().map(|times| format!("{sign} {}", times.text)).unwrap_or_default();
    format!("assert {} {} {}{unit}{times}", quantity.text, comparison.sign(), bound.text)
}

fn words(words: &[Word]) -> String {
    words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(", ")
}

fn parts(parts: &[Part]) -> String {
    parts.iter().map(part).collect::<Vec<_>>().join(", ")
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

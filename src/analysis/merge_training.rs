//! The training settings of one form: the model's own, with those that its variants set in their place.

use super::index_items::Items;
use crate::syntax::ast::{Body, Entry, Value};

/// The entries in effect, as if they stood in one `train` block.
///
/// A variant's entry replaces that of the same key. Where both set the same thing, as in `optimizer adamw { .. }`,
/// the options in braces are merged in the same way. `steps` and `epochs` replace each other.
pub fn merge_training(items: &Items) -> Vec<Entry> {
    let mut merged: Vec<Entry> = Vec::new();
    for train in &items.trains {
        merged = merge(merged, &train.body.entries);
    }
    merged
}

fn merge(before: Vec<Entry>, changes: &[Entry]) -> Vec<Entry> {
    let replaces = |change: &Entry, entry: &Entry| {
        let (new, old) = (change.key.text.as_str(), entry.key.text.as_str());
        new == old || matches!((new, old), ("steps", "epochs") | ("epochs", "steps"))
    };
    let (replaced, mut merged): (Vec<Entry>, Vec<Entry>) =
        before.into_iter().partition(|entry| changes.iter().any(|change| replaces(change, entry)));
    for change in changes {
        let same = replaced.iter().find(|entry| {
            entry.key.text == change.key.text && in_words(&entry.values) == in_words(&change.values)
        });
        merged.push(match same {
            Some(entry) => with_options(entry, change),
            None => change.clone(),
        });
    }
    merged
}

/// The change, with the options that it does not set.
fn with_options(entry: &Entry, change: &Entry) -> Entry {
    let body = match (&entry.body, &change.body) {
        (Some(old), Some(new)) => {
            Some(Body { span: new.span, entries: merge(old.entries.clone(), &new.entries) })
        }
        (old, new) => new.as_ref().or(old.as_ref()).cloned(),
    };
    Entry { body, ..change.clone() }
}

fn in_words(values: &[Value]) -> Vec<&str> {
    values
        .iter()
        .flat_map(|value| match value {
            Value::Word(word) => vec![word.text.as_str()],
            Value::Text(text) => vec![text.text.as_str()],
            Value::Number(number) => vec![number.text.as_str()],
            Value::Range(range) => vec![range.low.text.as_str(), range.high.text.as_str()],
            Value::List(list) => in_words(&list.values),
        })
        .collect()
}

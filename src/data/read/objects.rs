//! JSON lines with a text or a pair and a label: SNLI, SciTail, and own files.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::super::example::Example;
use super::super::source::{Columns, Kind};
use super::{ReadError, Rows, choices};

/// What of a row of SNLI or SciTail is read.
#[derive(Deserialize)]
struct Pair {
    sentence1: String,
    sentence2: String,
    gold_label: Option<String>,
    #[serde(rename = "pairID")]
    pair_id: Option<String>,
}

/// SNLI (Bowman et al., 2015). A pair on which its judges did not agree has the label `-`: it is left out and counted.
pub fn snli(rows: &mut Rows, bytes: &[u8]) -> Result<(), ReadError> {
    rows.json_lines(bytes, |rows, pair: Pair, line| {
        if pair.gold_label.as_deref() == Some("-") {
            rows.leave_out();
            return Ok(Vec::new());
        }
        let target = match pair.gold_label.as_deref() {
            Some(label) => rows.target_of_text(line, label)?,
            None => rows.no_label(line)?,
        };
        Ok(vec![Example { target, ..of(pair, line) }])
    })
}

/// SciTail (Khot et al., 2018). One of its layouts says `entails` where the others say `entailment`: either is read
/// as the one that the task has.
pub fn scitail(rows: &mut Rows, bytes: &[u8]) -> Result<(), ReadError> {
    const SAME: [&str; 2] = ["entails", "entailment"];
    rows.json_lines(bytes, |rows, pair: Pair, line| {
        let target = match (pair.gold_label.as_deref(), rows.expected.kind) {
            (Some(label), Kind::Classify { labels }) if SAME.contains(&label) && !labels.contains(&label) => {
                let own = SAME.into_iter().find(|form| labels.contains(form));
                rows.target_of_text(line, own.unwrap_or(label))?
            }
            (Some(label), _) => rows.target_of_text(line, label)?,
            (None, _) => rows.no_label(line)?,
        };
        Ok(vec![Example { target, ..of(pair, line) }])
    })
}

fn of(pair: Pair, line: u32) -> Example {
    Example { id: pair.pair_id, ..Example::text(pair.sentence1, Some(pair.sentence2), line) }
}

/// The rows of an own file: an object a line, whose keys are the columns.
pub fn table(rows: &mut Rows, bytes: &[u8], columns: Columns) -> Result<(), ReadError> {
    let (label, text_a, text_b, id) = columns.names();
    rows.json_lines(bytes, |rows, object: Map<String, Value>, line| {
        if columns == Columns::Usual
            && let Some(other) =
                object.keys().find(|key| !["label", "text_a", "text_b"].contains(&key.as_str()))
        {
            return Err(ReadError::ExtraKey { path: rows.path.to_owned(), line, key: other.clone() });
        }
        let text = |key: &str| match object.get(key) {
            Some(Value::String(text)) => Ok(text.clone()),
            Some(Value::Number(number)) => Ok(number.to_string()),
            other => Err(ReadError::NoText {
                path: rows.path.to_owned(),
                line,
                key: key.to_owned(),
                found: if other.is_some() { "is no text" } else { "is missing" },
            }),
        };
        let second = match text_b {
            Some(key) => Some(text(key)?),
            None if object.contains_key("text_b") => Some(text("text_b")?),
            None => None,
        };
        let id = id.map(text).transpose()?;
        let choices = columns.choices();
        if !choices.is_empty() {
            let choices = choices::of_object(rows, line, &object, choices)?;
            let label = object.get(label).filter(|label| !label.is_null()).map(|label| match label {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            });
            let texts = (&*text(text_a)?, second.as_deref());
            return Ok(vec![choices::example(rows, line, texts, choices, label.as_deref(), id)?]);
        }
        let target = rows.target_of_json(line, object.get(label))?;
        Ok(vec![Example { target, id, ..Example::text(text(text_a)?, second, line) }])
    })
}

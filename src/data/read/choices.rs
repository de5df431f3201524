//! Rows of an own table with several texts to choose from, as SWAG and HellaSwag have them.

use serde_json::{Map, Value};

use super::super::example::{Example, Input, Target};
use super::super::source::Kind;
use super::{ReadError, Rows};

/// The example of a row: `about` is the text that all choices are about, and what each of them begins with. A choice
/// without a text is none, so that rows may have fewer than others; `label` counts the choices from 0.
pub fn example(
    rows: &Rows,
    line: u32,
    about: (&str, Option<&str>),
    choices: Vec<String>,
    label: Option<&str>,
    id: Option<String>,
) -> Result<Example, ReadError> {
    let Kind::Choose { choices: most } = rows.expected.kind else { return Err(rows.wrong_kind("choices")) };
    let count = choices.iter().rposition(|choice| !choice.trim().is_empty()).map_or(0, |last| last + 1);
    if choices[..count].iter().any(|choice| choice.trim().is_empty()) {
        return Err(rows.unfit(line, "a choice is empty, and one behind it is not".to_owned()));
    }
    if !(2..=most).contains(&count) {
        return Err(rows.unfit(line, format!("the row has {count} choices, and the task 2 to {most}")));
    }
    let target = match label {
        None => rows.no_label(line)?,
        Some(label) => match label.trim().parse::<u32>() {
            Ok(index) if (index as usize) < count => Target::Class(index),
            _ => {
                let known: Vec<String> = (0..count).map(|index| index.to_string()).collect();
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                return Err(ReadError::label(rows.path, line, label, &known));
            }
        },
    };
    let (first, begin) = about;
    let second = |choice: String| match begin {
        Some(begin) => format!("{begin} {choice}"),
        None => choice,
    };
    let choices = choices.into_iter().take(count).map(|choice| (first.to_owned(), second(choice)));
    Ok(Example { input: Input::Choices(choices.collect()), target, group: None, id, line })
}

/// The choices of a JSON object: an array under one key, or a key each, of which the last may be absent.
pub fn of_object(
    rows: &Rows,
    line: u32,
    object: &Map<String, Value>,
    keys: &[&str],
) -> Result<Vec<String>, ReadError> {
    let wrong =
        |key: &str, found| ReadError::NoText { path: rows.path.to_owned(), line, key: key.to_owned(), found };
    let text = |key: &str, value: &Value| match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(wrong(key, "is no text")),
    };
    match (keys, keys.first().and_then(|key| object.get(*key))) {
        ([key], Some(Value::Array(choices))) => choices.iter().map(|choice| text(key, choice)).collect(),
        ([key], found) => Err(wrong(key, if found.is_some() { "is no list of texts" } else { "is missing" })),
        _ => keys
            .iter()
            .map(|key| match object.get(*key) {
                None | Some(Value::Null) => Ok(String::new()),
                Some(value) => text(key, value),
            })
            .collect(),
    }
}

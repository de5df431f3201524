//! The value of one entry, read as what its key takes: a size, a number, a word, a text.

use miette::Diagnostic;
use thiserror::Error;

use crate::{
    diagnostics::Diagnostics,
    span::{Span, Spanned},
    syntax::ast::{Amount, Entry, Number, Text, Value, Word},
};

/// A whole number in `1..=limit`. The limits keep every count of parameters inside a `usize`.
pub fn size(entry: &Entry, limit: usize, sink: &mut Diagnostics) -> Option<Spanned<usize>> {
    let number = number(entry, "a whole number", sink)?;
    size_of(&entry.key.text, number, limit, sink)
}

/// Like [`size`], of a number that stands alone.
pub fn size_of(key: &str, number: &Number, limit: usize, sink: &mut Diagnostics) -> Option<Spanned<usize>> {
    let value = match number.amount {
        Amount::Whole(value) => value,
        Amount::Unclear => return None,
        Amount::Decimal(_) | Amount::Percent(_) => {
            sink.push(Expected::new(key, "a whole number", Some(&number.text), None, number.span));
            return None;
        }
    };
    let key = || key.to_owned();
    match usize::try_from(value) {
        Ok(0) => sink.push(Zero { key: key(), span: number.span }),
        Ok(value) if value <= limit => return Some(Spanned::new(value, number.span)),
        _ => sink.push(TooLarge { key: key(), text: number.text.clone(), limit, span: number.span }),
    }
    None
}

/// A whole number, 0 included.
pub fn whole(entry: &Entry, sink: &mut Diagnostics) -> Option<Spanned<u64>> {
    let number = number(entry, "a whole number", sink)?;
    match number.amount {
        Amount::Whole(value) => Some(Spanned::new(value, number.span)),
        Amount::Unclear => None,
        _ => report(entry, "a whole number", "", sink),
    }
}

/// Any number but a percentage.
pub fn decimal(entry: &Entry, sink: &mut Diagnostics) -> Option<Spanned<f64>> {
    let number = number(entry, "a number", sink)?;
    decimal_of(&entry.key.text, number, sink)
}

/// Like [`decimal`], of a number that stands alone.
pub fn decimal_of(key: &str, number: &Number, sink: &mut Diagnostics) -> Option<Spanned<f64>> {
    let value = match number.amount {
        Amount::Whole(value) => value as f64,
        Amount::Decimal(value) => value,
        Amount::Percent(percent) => {
            let plain = format!("`{key} {}`", percent / 100.0);
            sink.push(Expected::new(key, "a plain number", Some(&number.text), Some(plain), number.span));
            return None;
        }
        Amount::Unclear => return None,
    };
    Some(Spanned::new(value, number.span))
}

pub fn word<'a>(entry: &'a Entry, sink: &mut Diagnostics) -> Option<&'a Word> {
    match entry.values.as_slice() {
        [Value::Word(word)] => Some(word),
        _ => report(entry, "a word", "", sink),
    }
}

/// A text that is not empty.
pub fn text<'a>(entry: &'a Entry, sink: &mut Diagnostics) -> Option<&'a Text> {
    match entry.values.as_slice() {
        [Value::Text(text)] => filled(&entry.key.text, text, sink),
        [Value::Word(word)] => {
            report(entry, "a text in quotes", &format!("`{} \"{}\"`", entry.key.text, word.text), sink)
        }
        _ => report(entry, "a text in quotes", "", sink),
    }
}

/// `text`, unless there is nothing in it.
pub fn filled<'a>(key: &str, text: &'a Text, sink: &mut Diagnostics) -> Option<&'a Text> {
    if text.text.trim().is_empty() {
        sink.push(Empty { key: key.to_owned(), span: text.span });
        return None;
    }
    Some(text)
}

/// Reports the value of `entry` as not being what its key takes; `right` shows what it does take.
pub fn report<T>(entry: &Entry, takes: &str, right: &str, sink: &mut Diagnostics) -> Option<T> {
    let found = entry.values.iter().map(in_words).collect::<Vec<_>>().join(" ");
    let found = (!found.is_empty()).then_some(found.as_str());
    let right = (!right.is_empty()).then(|| right.to_owned());
    sink.push(Expected::new(&entry.key.text, takes, found, right, entry.value_span()));
    None
}

/// Reports a block where a key takes none.
pub fn without_block(entry: &Entry, sink: &mut Diagnostics) {
    if let Some(body) = &entry.body {
        sink.push(Expected::new(&entry.key.text, "no block", Some("{ .. }"), None, body.span));
    }
}

fn number<'a>(entry: &'a Entry, takes: &str, sink: &mut Diagnostics) -> Option<&'a Number> {
    match entry.values.as_slice() {
        [Value::Number(number)] => Some(number),
        _ => report(entry, takes, "", sink),
    }
}

fn in_words(value: &Value) -> String {
    match value {
        Value::Word(word) => word.text.clone(),
        Value::Text(text) => format!("{:?}", text.text),
        Value::Number(number) => number.text.clone(),
        Value::Range(range) => format!("{}..{}", range.low.text, range.high.text),
        Value::List(list) => list.values.iter().map(in_words).collect::<Vec<_>>().join(", "),
    }
}

#[derive(Debug, Error, Diagnostic)]
#[error("`{key}` takes {takes}, {found}")]
#[diagnostic(code(cam::value::expected))]
struct Expected {
    key: String,
    takes: String,
    found: String,
    #[label("expected {takes}")]
    span: Span,
    #[help]
    right: Option<String>,
}

impl Expected {
    fn new(key: &str, takes: &str, found: Option<&str>, right: Option<String>, span: Span) -> Self {
        let found = found.map_or_else(|| "but nothing is given".into(), |found| format!("not `{found}`"));
        Self { key: key.into(), takes: takes.into(), found, span, right }
    }
}

#[derive(Debug, Error, Diagnostic)]
#[error("`{key}` is zero")]
#[diagnostic(code(cam::value::zero), help("the least is `{key} 1`"))]
struct Zero {
    key: String,
    #[label("zero")]
    span: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("`{key} {text}` is beyond what is supported")]
#[diagnostic(code(cam::value::too_large), help("the most is `{key} {limit}`"))]
struct TooLarge {
    key: String,
    text: String,
    limit: usize,
    #[label("too large")]
    span: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("the text of `{key}` is empty")]
#[diagnostic(code(cam::value::empty), help("a name or a path belongs between the quotes"))]
struct Empty {
    key: String,
    #[label("empty")]
    span: Span,
}

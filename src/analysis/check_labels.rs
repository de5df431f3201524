//! The labels of a task that classifies, and the tags of one that tags words.

use std::collections::HashMap;

use miette::Diagnostic;
use thiserror::Error;

use super::{check_kinds::Draft, values};
use crate::{
    diagnostics::Diagnostics,
    span::Span,
    syntax::ast::{Entry, Value, Word},
};

/// The most of one task.
const LABELS: usize = 10_000;

/// `classify 2`, `classify yes, no`; `None` where a mistake was reported.
pub fn read_labels(entry: &Entry, sink: &mut Diagnostics) -> Option<Draft> {
    let written = match entry.values.as_slice() {
        [Value::Number(_)] => {
            let count = values::size(entry, LABELS, sink)?;
            if count.value < 2 {
                sink.push(FewClasses { span: count.span });
                return None;
            }
            return Some(Draft::Classes(count.value));
        }
        _ => {
            written(entry, "a number of classes or their labels", "`classify 2` or `classify yes, no`", sink)?
        }
    };
    let mut labels = distinct(written, sink);
    if written.len() < 2 {
        sink.push(FewClasses { span: entry.value_span() });
        labels = None;
    }
    Some(Draft::Labels(names(labels?)))
}

/// `tag 13`, `tag O, B-person, I-person`; `None` where a mistake was reported.
pub fn read_tags(entry: &Entry, sink: &mut Diagnostics) -> Option<Draft> {
    if let [Value::Number(_)] = entry.values.as_slice() {
        return Some(Draft::TagCount(values::size(entry, LABELS, sink)?.value));
    }
    let written =
        written(entry, "a number of tags, or the tags", "`tag 13` or `tag O, B-person, I-person`", sink)?;
    let tags = distinct(written, sink)?;
    let has = |name: &str| tags.iter().any(|tag| tag.text == name);
    let mut good = true;
    for tag in &tags {
        let problem = match tag.text.split_once('-') {
            _ if tag.text == "O" => continue,
            Some(("B", of)) if !of.is_empty() => continue,
            Some(("I", of)) if has(&format!("B-{of}")) => continue,
            Some(("I", of)) if !of.is_empty() => {
                format!("`B-{of}`, which begins such an entity, is not among them")
            }
            _ => "a tag is `O`, or `B-` or `I-` and the type of an entity".to_owned(),
        };
        sink.push(NoTag { tag: tag.text.clone(), problem, span: tag.span });
        good = false;
    }
    if !has("O") {
        sink.push(NoOutside { span: entry.value_span() });
        good = false;
    }
    good.then(|| Draft::Tags(names(tags)))
}

fn written<'a>(entry: &'a Entry, takes: &str, right: &str, sink: &mut Diagnostics) -> Option<&'a [Value]> {
    match entry.values.as_slice() {
        [Value::List(list)] => Some(&list.values),
        [only @ (Value::Word(_) | Value::Text(_))] => Some(std::slice::from_ref(only)),
        _ => values::report(entry, takes, right, sink),
    }
}

/// The labels, unless one is empty or a repetition.
fn distinct(written: &[Value], sink: &mut Diagnostics) -> Option<Vec<Word>> {
    let labels: Vec<Word> = written.iter().filter_map(label).collect();
    let mut good = true;
    let mut known: HashMap<&str, Span> = HashMap::new();
    for label in &labels {
        if label.text.trim().is_empty() {
            sink.push(EmptyLabel { span: label.span });
            good = false;
        } else if let Some(first) = known.get(label.text.as_str()) {
            sink.push(DuplicateLabel { label: label.text.clone(), first: *first, again: label.span });
            good = false;
        } else {
            known.insert(&label.text, label.span);
        }
    }
    good.then_some(labels)
}

/// A label is its letters, whether a word, a number or a text; the grammar puts nothing else into a list.
fn label(value: &Value) -> Option<Word> {
    let text = match value {
        Value::Word(word) => &word.text,
        Value::Text(text) => &text.text,
        Value::Number(number) => &number.text,
        Value::Range(_) | Value::List(_) => return None,
    };
    Some(Word { span: value.span(), text: text.clone() })
}

fn names(labels: Vec<Word>) -> Vec<String> {
    labels.into_iter().map(|label| label.text).collect()
}

#[derive(Debug, Error, Diagnostic)]
#[error("a task that classifies has at least two classes")]
#[diagnostic(code(cam::task::classes), help("the least is `classify 2`"))]
struct FewClasses {
    #[label("one class")]
    span: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("a label is empty")]
#[diagnostic(code(cam::task::empty_label), help("labels stand here as they do in the data"))]
struct EmptyLabel {
    #[label("empty")]
    span: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("the label `{label}` appears twice")]
#[diagnostic(code(cam::task::duplicate_label), help("each label is one output of the head"))]
struct DuplicateLabel {
    label: String,
    #[label("first here")]
    first: Span,
    #[label(primary, "and again here")]
    again: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("`{tag}` is no tag of IOB2: {problem}")]
#[diagnostic(code(cam::task::tag), help("for persons: `tag O, B-person, I-person`"))]
struct NoTag {
    tag: String,
    problem: String,
    #[label("no tag")]
    span: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("`O`, the tag of words that are no part of an entity, is not among the tags")]
#[diagnostic(code(cam::task::no_outside), help("it belongs to the others: `tag O, B-person, I-person`"))]
struct NoOutside {
    #[label("without `O`")]
    span: Span,
}

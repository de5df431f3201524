//! The kind of one task: `classify` with its labels, or `regress` with its range.

use std::collections::HashMap;

use miette::Diagnostic;
use thiserror::Error;

use super::{settings::Settings, values};
use crate::{
    diagnostics::Diagnostics,
    span::{Span, Spanned},
    syntax::ast::{self, Entry, Value, Word},
};

const LABELS: usize = 10_000;

/// A kind before its data set is asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Draft {
    /// `classify 3`
    Classes(usize),
    /// `classify entailment, not_entailment`
    Labels(Vec<String>),
    /// `None` where the range is a mistake.
    Regress { range: Option<(f64, f64)> },
    /// `classify`, with a mistake in the labels.
    Unclear,
}

/// `None` where the task has no kind; `excused` if it has one that is not supported.
pub fn check_kind(
    task: &ast::Task,
    settings: &Settings,
    excused: bool,
    sink: &mut Diagnostics,
) -> Option<Spanned<Draft>> {
    let (classify, regress) = (settings.plain("classify", sink), settings.plain("regress", sink));
    match (classify, regress) {
        (Some(classify), Some(regress)) => {
            sink.push(TwoKinds { classify: classify.span, regress: regress.span });
            None
        }
        (Some(entry), None) => {
            Some(Spanned::new(read_labels(entry, sink).unwrap_or(Draft::Unclear), entry.span))
        }
        (None, Some(entry)) => {
            Some(Spanned::new(Draft::Regress { range: read_range(entry, sink) }, entry.span))
        }
        (None, None) => {
            if !excused && settings.lacks("classify") && settings.lacks("regress") {
                sink.push(NoKind { name: task.name.text.clone(), span: task.name.span });
            }
            None
        }
    }
}

fn read_labels(entry: &Entry, sink: &mut Diagnostics) -> Option<Draft> {
    let written = match entry.values.as_slice() {
        [Value::Number(_)] => {
            let count = values::size(entry, LABELS, sink)?;
            return if count.value < 2 {
                sink.push(FewClasses { span: count.span });
                None
            } else {
                Some(Draft::Classes(count.value))
            };
        }
        [Value::List(list)] => list.values.as_slice(),
        [only @ (Value::Word(_) | Value::Text(_))] => std::slice::from_ref(only),
        _ => {
            return values::report(
                entry,
                "a number of classes or their labels",
                "`classify 2` or `classify yes, no`",
                sink,
            );
        }
    };
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
    if labels.len() < 2 {
        sink.push(FewClasses { span: entry.value_span() });
        good = false;
    }
    good.then(|| Draft::Labels(labels.into_iter().map(|label| label.text).collect()))
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

fn read_range(entry: &Entry, sink: &mut Diagnostics) -> Option<(f64, f64)> {
    let [Value::Range(range)] = entry.values.as_slice() else {
        return values::report(entry, "a range", "`regress 0.0 .. 5.0`", sink);
    };
    let low = values::decimal_of("regress", &range.low, sink);
    let high = values::decimal_of("regress", &range.high, sink);
    let (low, high) = (low?.value, high?.value);
    // The network computes in single precision.
    let (single_low, single_high) = (low as f32, high as f32);
    let width = single_high - single_low;
    if low >= high || !width.is_normal() || !(1.0 / width).is_finite() {
        let problem = if low >= high { "is empty" } else { "is none of 32-bit numbers" };
        let range_text = format!("{} .. {}", range.low.text, range.high.text);
        sink.push(Scores { range: range_text, problem, span: range.span });
        return None;
    }
    Some((low, high))
}

#[derive(Debug, Error, Diagnostic)]
#[error("task `{name}` does not say what it predicts")]
#[diagnostic(
    code(cam::task::no_kind),
    help("`classify 2`, `classify yes, no` for labels; `regress 0.0 .. 5.0` for a number")
)]
struct NoKind {
    name: String,
    #[label("neither `classify` nor `regress`")]
    span: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("a task is of one kind")]
#[diagnostic(code(cam::task::two_kinds), help("two tasks can share their data"))]
struct TwoKinds {
    #[label("this")]
    classify: Span,
    #[label("and this")]
    regress: Span,
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
#[error("the range {range} {problem}")]
#[diagnostic(
    code(cam::task::range),
    help("the lower end comes first, and single precision has to tell them apart: `regress 0.0 .. 5.0`")
)]
struct Scores {
    range: String,
    problem: &'static str,
    #[label("{problem}")]
    span: Span,
}

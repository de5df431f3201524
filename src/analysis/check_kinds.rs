//! The kind of one task: `classify` with its labels, `regress` with its range, `tag` with its tags, `span`, or `choose`.

use miette::Diagnostic;
use thiserror::Error;

use super::{
    check_labels::{read_labels, read_tags},
    settings::Settings,
    values,
};
use crate::{
    diagnostics::Diagnostics,
    span::{Span, Spanned},
    syntax::ast::{self, Entry, Value},
};

/// The words for kinds, one of which each task has.
pub const KINDS: [&str; 5] = ["classify", "regress", "tag", "span", "choose"];

/// The most texts to choose from.
const CHOICES: usize = 1_000;

/// A kind before its data set is asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Draft {
    /// `classify 3`
    Classes(usize),
    /// `classify entailment, not_entailment`
    Labels(Vec<String>),
    /// `None` where the range is a mistake.
    Regress { range: Option<(f64, f64)> },
    /// `tag 13`
    TagCount(usize),
    /// `tag O, B-person, I-person`
    Tags(Vec<String>),
    /// `span`, `span { stride 64 }`
    Span { stride: usize },
    /// `choose 2`
    Choose(usize),
    /// With a mistake in what follows.
    Unclear(Family),
}

/// What a kind predicts, whatever its labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    Classify,
    Regress,
    Tag,
    Span,
    Choose,
}

impl Draft {
    pub fn family(&self) -> Family {
        match self {
            Draft::Classes(_) | Draft::Labels(_) => Family::Classify,
            Draft::Regress { .. } => Family::Regress,
            Draft::TagCount(_) | Draft::Tags(_) => Family::Tag,
            Draft::Span { .. } => Family::Span,
            Draft::Choose(_) => Family::Choose,
            Draft::Unclear(family) => *family,
        }
    }
}

impl Family {
    /// "a task that .."
    pub fn verb(self) -> &'static str {
        match self {
            Family::Classify => "classifies",
            Family::Regress => "regresses",
            Family::Tag => "tags words",
            Family::Span => "marks answers",
            Family::Choose => "chooses",
        }
    }
}

/// `None` where the task has no kind. `sequence` is the model's, if it is known.
pub fn check_kind(
    task: &ast::Task,
    settings: &Settings,
    sequence: Option<usize>,
    sink: &mut Diagnostics,
) -> Option<Spanned<Draft>> {
    let mut entries: Vec<&Entry> = KINDS.iter().filter_map(|kind| settings.get(kind)).collect();
    entries.sort_by_key(|entry| entry.span);
    let entry = match entries.as_slice() {
        [entry] => *entry,
        [first, second, ..] => {
            sink.push(TwoKinds { first: first.span, second: second.span });
            return None;
        }
        [] => {
            if KINDS.iter().all(|kind| settings.lacks(kind)) {
                sink.push(NoKind { name: task.name.text.clone(), span: task.name.span });
            }
            return None;
        }
    };
    if entry.key.text != "span" {
        values::without_block(entry, sink);
    }
    let (draft, family) = match entry.key.text.as_str() {
        "classify" => (read_labels(entry, sink), Family::Classify),
        "regress" => (Some(Draft::Regress { range: read_range(entry, sink) }), Family::Regress),
        "tag" => (read_tags(entry, sink), Family::Tag),
        "span" => (read_stride(entry, sequence, sink), Family::Span),
        _ => (read_choices(entry, sink), Family::Choose),
    };
    Some(Spanned::new(draft.unwrap_or(Draft::Unclear(family)), entry.span))
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

/// A third of the sequence where the file is silent, as BERT for SQuAD has 128 of 384.
fn read_stride(entry: &Entry, sequence: Option<usize>, sink: &mut Diagnostics) -> Option<Draft> {
    let settings = Settings::of_options("`span`", entry.body.as_ref(), &["stride"], sink);
    if settings.get("stride").is_none() {
        // where the sequence is a mistake, nothing is made of this
        return Some(Draft::Span { stride: (sequence.unwrap_or(1) / 3).max(1) });
    }
    let stride = settings.size("stride", usize::MAX, sink)?;
    if let Some(sequence) = sequence
        && stride.value >= sequence
    {
        sink.push(LongStride { stride: stride.value, sequence, legal: sequence / 3, span: stride.span });
        return None;
    }
    Some(Draft::Span { stride: stride.value })
}

fn read_choices(entry: &Entry, sink: &mut Diagnostics) -> Option<Draft> {
    let choices = values::size(entry, CHOICES, sink)?;
    if choices.value < 2 {
        sink.push(FewChoices { span: choices.span });
        return None;
    }
    Some(Draft::Choose(choices.value))
}

#[derive(Debug, Error, Diagnostic)]
#[error("task `{name}` does not say what it predicts")]
#[diagnostic(
    code(cam::task::no_kind),
    help(
        "`classify 2`, `classify yes, no` for labels; `regress 0.0 .. 5.0` for a number; `tag O, B-x, I-x` for a label \
         a word; `span` for a part of a text; `choose 2` for one of several texts"
    )
)]
struct NoKind {
    name: String,
    #[label("no kind")]
    span: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("a task is of one kind")]
#[diagnostic(code(cam::task::two_kinds), help("two tasks can share their data"))]
struct TwoKinds {
    #[label("this")]
    first: Span,
    #[label("and this")]
    second: Span,
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

#[derive(Debug, Error, Diagnostic)]
#[error("windows {stride} tokens apart would leave out text between them: a sequence has {sequence}")]
#[diagnostic(
    code(cam::task::stride),
    help("windows should overlap, so that one of them holds the answer whole: `stride {legal}`")
)]
struct LongStride {
    stride: usize,
    sequence: usize,
    legal: usize,
    #[label("longer than a window")]
    span: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("a task that chooses has at least two choices")]
#[diagnostic(code(cam::task::choices), help("the least is `choose 2`"))]
struct FewChoices {
    #[label("nothing to choose")]
    span: Span,
}

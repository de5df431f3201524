//! The data of one task, and whether a known data set holds what the task predicts.

use miette::Diagnostic;
use thiserror::Error;

use super::{
    check_kinds::{Draft, Family},
    datasets::{self, Content, Dataset},
    values,
};
use crate::{
    diagnostics::{Diagnostics, alternatives, did_you_mean},
    ir::{Kind, Source},
    span::Span,
    syntax::ast::{Entry, Value},
};

const FORMATS: [&str; 2] = ["glue", "tsv"];

/// Where a task's examples come from, and what is known of them.
#[derive(Debug)]
pub struct Data {
    pub source: Source,
    pub known: Option<&'static Dataset>,
    span: Span,
}

/// `glue "CoLA"`, `glue "CoLA" in "some/folder"`, `tsv "folder"`.
pub fn read_data(entry: &Entry, sink: &mut Diagnostics) -> Option<Data> {
    const TAKES: &str = "a format and a text in quotes";
    const RIGHT: &str = "`data glue \"CoLA\"` or `data tsv \"folder\"`";
    let [Value::Word(format), rest @ ..] = entry.values.as_slice() else {
        return values::report(entry, TAKES, RIGHT, sink);
    };
    if !FORMATS.contains(&format.text.as_str()) {
        let help = did_you_mean(&format.text, &FORMATS);
        sink.push(UnknownFormat { format: format.text.clone(), help, span: format.span });
        return None;
    }
    let (name, folder) = match (format.text.as_str(), rest) {
        (_, [Value::Text(name)]) => (name, None),
        // Only the grammar's `in` puts a word between two texts.
        ("glue", [Value::Text(name), Value::Word(_), Value::Text(folder)]) => (name, Some(folder)),
        _ => return values::report(entry, TAKES, RIGHT, sink),
    };
    let name = values::filled("data", name, sink)?;
    if format.text == "tsv" {
        let source = Source::Tsv { folder: name.text.clone() };
        return Some(Data { source, known: None, span: entry.span });
    }
    let folder = match folder {
        Some(folder) => values::filled("data", folder, sink)?.text.clone(),
        None => name.text.clone(),
    };
    let Some(set) = datasets::glue(&name.text) else {
        let help = did_you_mean(&name.text, &datasets::glue_names());
        sink.push(UnknownSet { set: name.text.clone(), help, span: name.span });
        return None;
    };
    let source = Source::Glue { set: set.name.to_owned(), folder };
    Some(Data { source, known: Some(set), span: entry.span })
}

/// The task's kind, with the labels that its data set has where the file only counts them.
pub fn fit_kind(draft: &Draft, kind: Span, data: Option<&Data>, sink: &mut Diagnostics) -> Option<Kind> {
    if let (Draft::TagCount(_), Some(Data { known: None, span, .. })) = (draft, data) {
        sink.push(TagNames { kind, data: *span });
        return None;
    }
    let Some((set, data)) = data.and_then(|data| Some((data.known?, data.span))) else {
        return kind_alone(draft);
    };
    match (&set.content, draft) {
        (Content::Labels(labels), Draft::Classes(count)) if *count != labels.len() => {
            let legal = labels.len();
            sink.push(ClassCount { set: set.name, count: *count, legal, kind, data });
            None
        }
        (Content::Labels(labels), Draft::Classes(_)) => {
            Some(Kind::Classify { labels: labels.iter().map(ToString::to_string).collect() })
        }
        (Content::Labels(labels), Draft::Labels(named)) if !is_permutation(labels, named) => {
            let legal = alternatives(labels, "and");
            sink.push(OtherLabels { set: set.name, legal, kind, data });
            None
        }
        (
            Content::Labels(labels),
            Draft::Regress { .. } | Draft::TagCount(_) | Draft::Tags(_) | Draft::Span { .. } | Draft::Choose(_),
        ) => {
            let right = format!("`classify {}`", labels.len());
            sink.push(OtherKind { set: set.name, holds: "labels", right, kind, data });
            None
        }
        (Content::Scores { low, high }, Draft::Regress { range: Some((from, to)) }) => {
            if (from, to) != (low, high) {
                sink.push(OtherScores { set: set.name, low: *low, high: *high, kind, data });
            }
            kind_alone(draft)
        }
        (Content::Scores { low, high }, draft) if draft.family() != Family::Regress => {
            let right = format!("`regress {low:.1} .. {high:.1}`");
            sink.push(OtherKind { set: set.name, holds: "scores", right, kind, data });
            None
        }
        _ => kind_alone(draft),
    }
}

/// The kind as the file alone tells it: `classify 3` has the labels 0, 1 and 2.
fn kind_alone(draft: &Draft) -> Option<Kind> {
    match draft {
        Draft::Classes(count) => {
            Some(Kind::Classify { labels: (0..*count).map(|label| label.to_string()).collect() })
        }
        Draft::Labels(labels) => Some(Kind::Classify { labels: labels.clone() }),
        Draft::Regress { range } => range.map(|(low, high)| Kind::Regress { low, high }),
        // what the tags of a folder are, only the file can say
        Draft::TagCount(_) | Draft::Unclear(_) => None,
        Draft::Tags(labels) => Some(Kind::Tag { labels: labels.clone() }),
        Draft::Span { stride } => Some(Kind::Span { stride: *stride }),
        Draft::Choose(choices) => Some(Kind::Choose { choices: *choices }),
    }
}

/// The draft's labels are distinct, so equal length and containment suffice.
fn is_permutation(labels: &[&str], named: &[String]) -> bool {
    labels.len() == named.len() && named.iter().all(|label| labels.contains(&label.as_str()))
}

#[derive(Debug, Error, Diagnostic)]
#[error("no data format is called `{format}`")]
#[diagnostic(code(cam::data::unknown_format), help("{help}"))]
struct UnknownFormat {
    format: String,
    help: String,
    #[label("unknown format")]
    span: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("GLUE has no set `{set}`")]
#[diagnostic(code(cam::data::unknown_set), help("{help}"))]
struct UnknownSet {
    set: String,
    help: String,
    #[label("unknown set")]
    span: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("{set} has {legal} labels, not {count}")]
#[diagnostic(code(cam::data::classes), help("nearest legal: `classify {legal}`"))]
struct ClassCount {
    set: &'static str,
    count: usize,
    legal: usize,
    #[label(primary, "{count} classes")]
    kind: Span,
    #[label("{legal} labels")]
    data: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("the tags are counted, and nothing names them")]
#[diagnostic(code(cam::task::tag_names), help("the tags in the order of the logits: `tag O, B-person, I-person`"))]
struct TagNames {
    #[label(primary, "which tags?")]
    kind: Span,
    #[label("has tags of its own")]
    data: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("{set} has other labels")]
#[diagnostic(code(cam::data::labels), help("its labels, in any order: {legal}"))]
struct OtherLabels {
    set: &'static str,
    legal: String,
    #[label(primary, "these labels")]
    kind: Span,
    #[label("do not come from here")]
    data: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("{set} holds {holds}")]
#[diagnostic(code(cam::data::kind), help("for this set: {right}"))]
struct OtherKind {
    set: &'static str,
    holds: &'static str,
    right: String,
    #[label(primary, "predicts something else")]
    kind: Span,
    #[label("holds {holds}")]
    data: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("the scores of {set} lie between {low:.1} and {high:.1}")]
#[diagnostic(
    code(cam::data::scores),
    severity(Warning),
    help("for this set: `regress {low:.1} .. {high:.1}`")
)]
struct OtherScores {
    set: &'static str,
    low: f64,
    high: f64,
    #[label(primary, "another range")]
    kind: Span,
    #[label("these scores")]
    data: Span,
}

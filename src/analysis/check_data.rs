//! Whether the data of one task holds what the task predicts.

use miette::Diagnostic;
use thiserror::Error;

use super::{
    check_kinds::{Draft, Family},
    datasets::{Content, Dataset},
};
use crate::{
    diagnostics::{Diagnostics, alternatives},
    ir::{Columns, Kind, Source},
    span::Span,
};

/// Where a task's examples come from, and what is known of them.
#[derive(Debug)]
pub struct Data {
    pub source: Source,
    pub known: Option<&'static Dataset>,
    pub span: Span,
}

/// The task's kind, with the labels that its data set has where the file only counts them.
pub fn fit_kind(draft: &Draft, kind: Span, data: Option<&Data>, sink: &mut Diagnostics) -> Option<Kind> {
    let Some(Data { source, known, span }) = data else { return kind_alone(draft) };
    let (set, data) = (known.unwrap_or(&TABLE), *span);
    if let Some(Columns::Choices { choices, .. }) = source.format.columns() {
        return fit_choices(draft, choices.len(), kind, data, sink);
    }
    let (families, holds, mut right) = described(&set.content);
    if known.is_none() && draft.family() == Family::Choose {
        right += "; or its columns of choices: `csv \"folder\" { choices \"first\", \"second\" }`";
    }
    if !families.contains(&draft.family()) {
        sink.push(OtherKind { set: set.name, holds, right, kind, data });
        return None;
    }
    if known.is_none() {
        return kind_alone(draft);
    }
    match (&set.content, draft) {
        (Content::Labels(labels), Draft::Classes(count)) if *count != labels.len() => {
            let legal = labels.len();
            sink.push(Count {
                set: set.name,
                what: "labels",
                word: "classify",
                count: *count,
                legal,
                kind,
                data,
            });
            None
        }
        (Content::Labels(labels), Draft::Classes(_)) => Some(Kind::Classify { labels: owned(labels) }),
        (Content::Labels(labels), Draft::Labels(named)) if !is_permutation(labels, named) => {
            sink.push(OtherLabels {
                set: set.name,
                what: "labels",
                legal: alternatives(labels, "and"),
                kind,
                data,
            });
            None
        }
        (Content::Scores { low, high }, Draft::Regress { range: Some((from, to)) }) => {
            if (from, to) != (low, high) {
                sink.push(OtherScores { set: set.name, low: *low, high: *high, kind, data });
            }
            kind_alone(draft)
        }
        (Content::Tags([]), Draft::TagCount(_)) => {
            sink.push(TagNames { kind, data });
            None
        }
        (Content::Tags([]), _) => kind_alone(draft),
        (Content::Tags(tags), Draft::TagCount(count)) if *count != tags.len() => {
            let legal = tags.len();
            sink.push(Count { set: set.name, what: "tags", word: "tag", count: *count, legal, kind, data });
            None
        }
        (Content::Tags(tags), Draft::TagCount(_)) => Some(Kind::Tag { labels: owned(tags) }),
        (Content::Tags(tags), Draft::Tags(named)) if !is_permutation(tags, named) => {
            sink.push(OtherLabels {
                set: set.name,
                what: "tags",
                legal: alternatives(tags, "and"),
                kind,
                data,
            });
            None
        }
        (Content::Choices(legal), Draft::Choose(count)) if count != legal => {
            let (legal, count) = (*legal, *count);
            sink.push(Count { set: set.name, what: "choices", word: "choose", count, legal, kind, data });
            None
        }
        _ => kind_alone(draft),
    }
}

/// Of a table with `columns` of choices; one column, which only JSON lines may have, holds any number.
fn fit_choices(
    draft: &Draft,
    columns: usize,
    kind: Span,
    data: Span,
    sink: &mut Diagnostics,
) -> Option<Kind> {
    const SET: &str = "a table with choices";
    if draft.family() != Family::Choose {
        let right = format!("`choose {}`", columns.max(2));
        sink.push(OtherKind { set: SET, holds: "choices", right, kind, data });
        return None;
    }
    match draft {
        Draft::Choose(count) if columns > 1 && *count != columns => {
            let (count, what, word) = (*count, "choices", "choose");
            sink.push(Count { set: "the table", what, word, count, legal: columns, kind, data });
            None
        }
        _ => kind_alone(draft),
    }
}

/// A table of one's own, whose labels or scores are what the task says.
static TABLE: Dataset =
    Dataset { name: "a table", content: Content::Labels(&[]), metric: crate::ir::Metric::Accuracy };

/// The kinds that predict what a set holds, what that is, and how it is written.
fn described(content: &Content) -> (&'static [Family], &'static str, String) {
    match content {
        Content::Labels([]) => {
            let right = "`classify 2`, or `regress 0.0 .. 1.0`".to_owned();
            (&[Family::Classify, Family::Regress], "a label or a score a row", right)
        }
        Content::Labels(labels) => (&[Family::Classify], "labels", format!("`classify {}`", labels.len())),
        Content::Scores { low, high } => {
            (&[Family::Regress], "scores", format!("`regress {low:.1} .. {high:.1}`"))
        }
        Content::Tags([]) => (&[Family::Tag], "tags", "`tag O, B-person, I-person`".to_owned()),
        Content::Tags(tags) => (&[Family::Tag], "tags", format!("`tag {}`", tags.len())),
        Content::Answers => (&[Family::Span], "answers in contexts", "`span`".to_owned()),
        Content::Choices(count) => (&[Family::Choose], "choices", format!("`choose {count}`")),
    }
}

fn owned(labels: &[&str]) -> Vec<String> {
    labels.iter().map(ToString::to_string).collect()
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
#[error("{set} has {legal} {what}, not {count}")]
#[diagnostic(code(cam::data::classes), help("nearest legal: `{word} {legal}`"))]
struct Count {
    set: &'static str,
    what: &'static str,
    word: &'static str,
    count: usize,
    legal: usize,
    #[label(primary, "{count} {what}")]
    kind: Span,
    #[label("{legal} {what}")]
    data: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("the tags are counted, and nothing names them")]
#[diagnostic(
    code(cam::task::tag_names),
    help("the tags in the order of the logits: `tag O, B-person, I-person`")
)]
struct TagNames {
    #[label(primary, "which tags?")]
    kind: Span,
    #[label("has tags of its own")]
    data: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("{set} has other {what}")]
#[diagnostic(code(cam::data::labels), help("its {what}, in any order: {legal}"))]
struct OtherLabels {
    set: &'static str,
    what: &'static str,
    legal: String,
    #[label(primary, "these {what}")]
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

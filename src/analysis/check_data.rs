//! Whether the data of one task holds what the task predicts.

use miette::Diagnostic;
use thiserror::Error;

use super::{
    check_kinds::Draft,
    datasets::{Content, Dataset},
};
use crate::{
    diagnostics::{Diagnostics, alternatives},
    ir::{Kind, Source},
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
        (Content::Labels(labels), Draft::Regress { .. }) => {
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
        (Content::Scores { low, high }, Draft::Classes(_) | Draft::Labels(_) | Draft::Unclear) => {
            let right = format!("`regress {low:.1} .. {high:.1}`");
            sink.push(OtherKind { set: set.name, holds: "scores", right, kind, data });
            None
        }
        (Content::Tags(_) | Content::Answers | Content::Choices(_), _) => {
            let (holds, right) = match &set.content {
                Content::Tags(_) => ("tags", "`tag`".to_owned()),
                Content::Choices(count) => ("choices", format!("`choose {count}`")),
                _ => ("answers in contexts", "`span`".to_owned()),
            };
            sink.push(OtherKind { set: set.name, holds, right, kind, data });
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
        Draft::Unclear => None,
    }
}

/// The draft's labels are distinct, so equal length and containment suffice.
fn is_permutation(labels: &[&str], named: &[String]) -> bool {
    labels.len() == named.len() && named.iter().all(|label| labels.contains(&label.as_str()))
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

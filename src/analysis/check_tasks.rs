//! Tasks: each of one known kind, with data that fits it and a metric that fits both.

use miette::Diagnostic;
use thiserror::Error;

use super::{
    check_data::{self, Data},
    check_kinds::{Draft, Family, check_kind},
    read_sources,
    select_tasks::Selected,
    settings::Settings,
    values,
};
use crate::{
    diagnostics::{Diagnostics, alternatives, did_you_mean},
    ir::{Kind, Metric},
    span::{Span, Spanned},
    syntax::ast,
};

/// The kinds, and what else a task says.
const KEYS: [&str; 9] =
    ["classify", "regress", "tag", "span", "choose", "metric", "data", "weight", "uncertainty"];

/// One task as far as it is known; `None` where a mistake was reported.
#[derive(Debug)]
pub struct Checked<'a> {
    pub name: &'a ast::Word,
    pub kind: Option<Spanned<Kind>>,
    /// Does it predict a distribution over labels? Known even of a task whose labels are wrong.
    pub has_distribution: bool,
    pub metric: Option<Metric>,
    pub data: Option<Data>,
    pub weight: Option<f64>,
    pub uncertainty: Option<&'a ast::Entry>,
}

/// `sequence` is the model's, if it is known.
pub fn check_tasks<'a>(
    selected: &Selected<'a>,
    sequence: Option<usize>,
    sink: &mut Diagnostics,
) -> Vec<Checked<'a>> {
    let mut left = LABELS;
    selected.tasks.iter().map(|task| check_task(task, sequence, &mut left, sink)).collect()
}

/// The most labels of all tasks together: more than anybody has trained on together, and few enough to hold.
const LABELS: usize = 20_000;

/// `left`: how many labels the tasks from this one on may have.
fn check_task<'a>(
    task: &'a ast::Task,
    sequence: Option<usize>,
    left: &mut usize,
    sink: &mut Diagnostics,
) -> Checked<'a> {
    let owner = format!("task `{}`", task.name.text);
    let settings = Settings::read(&owner, &task.body.entries, &KEYS, sink);
    settings.require(&owner, task.name.span, &["data"], sink);

    let draft = check_kind(task, &settings, sequence, sink);
    let draft = draft.filter(|draft| check_labels(draft, left, sink));
    let data = settings.get("data").and_then(|entry| read_sources::read_source(entry, sink));
    let kind =
        draft.as_ref().and_then(|draft| check_data::fit_kind(&draft.value, draft.span, data.as_ref(), sink));
    let metric = check_metric(&settings, draft.as_ref(), kind.as_ref(), data.as_ref(), sink);
    Checked {
        name: &task.name,
        has_distribution: draft.as_ref().is_none_or(|draft| draft.value.family() != Family::Regress),
        kind: draft.and_then(|draft| kind.map(|kind| Spanned::new(kind, draft.span))),
        metric,
        data,
        weight: check_weight(&settings, sink),
        uncertainty: settings.plain("uncertainty", sink),
    }
}

/// Takes the labels from what is left, and reports where that is too little.
fn check_labels(draft: &Spanned<Draft>, left: &mut usize, sink: &mut Diagnostics) -> bool {
    let count = match &draft.value {
        Draft::Classes(count) | Draft::TagCount(count) => *count,
        Draft::Labels(labels) | Draft::Tags(labels) => labels.len(),
        Draft::Regress { .. } | Draft::Span { .. } | Draft::Choose(_) | Draft::Unclear(_) => 0,
    };
    if count > *left {
        sink.push(TooManyLabels { most: LABELS, span: draft.span });
        return false;
    }
    *left -= count;
    true
}

/// What the task's loss is multiplied by: 1 where the file is silent.
fn check_weight(settings: &Settings, sink: &mut Diagnostics) -> Option<f64> {
    if settings.get("weight").is_none() {
        return Some(1.0);
    }
    let weight = settings.decimal("weight", sink)?;
    // The network computes in single precision.
    let single = weight.value as f32;
    if weight.value < 0.0 || !single.is_finite() || (single == 0.0) != (weight.value == 0.0) {
        let problem = if weight.value < 0.0 { "is below 0" } else { "is none of 32-bit numbers" };
        sink.push(IllegalWeight { problem, span: weight.span });
        return None;
    }
    if weight.value == 0.0 {
        sink.push(NoWeight { span: weight.span, data: settings.get("data").map(|entry| entry.span) });
    }
    Some(weight.value)
}

/// Each metric, and the kinds that it measures.
const METRICS: [(&str, Metric, &[Family]); 12] = [
    ("accuracy", Metric::Accuracy, &[Family::Classify, Family::Choose]),
    ("f1", Metric::F1, &[Family::Classify]),
    ("accuracy_f1", Metric::AccuracyF1, &[Family::Classify]),
    ("macro_f1", Metric::MacroF1, &[Family::Classify]),
    ("accuracy_macro_f1", Metric::AccuracyMacroF1, &[Family::Classify]),
    ("matthews", Metric::Matthews, &[Family::Classify]),
    ("f1a_exact_match", Metric::F1aExactMatch, &[Family::Classify]),
    ("pearson", Metric::Pearson, &[Family::Regress]),
    ("spearman", Metric::Spearman, &[Family::Regress]),
    ("pearson_spearman", Metric::PearsonSpearman, &[Family::Regress]),
    ("entity_f1", Metric::EntityF1, &[Family::Tag]),
    ("exact_match_f1", Metric::ExactMatchF1, &[Family::Span]),
];

/// The metric that is written, the data set's usual one, or the kind's.
fn check_metric(
    settings: &Settings,
    draft: Option<&Spanned<Draft>>,
    kind: Option<&Kind>,
    data: Option<&Data>,
    sink: &mut Diagnostics,
) -> Option<Metric> {
    let Some(entry) = settings.plain("metric", sink) else {
        return default_metric(&draft?.value, data);
    };
    let word = values::word(entry, sink)?;
    let Some((_, metric, families)) = METRICS.iter().find(|(name, ..)| *name == word.text) else {
        let names = METRICS.map(|(name, ..)| name);
        let help = did_you_mean(&word.text, &names);
        sink.push(UnknownMetric { metric: word.text.clone(), help, span: word.span });
        return None;
    };
    let draft = draft?;
    let family = draft.value.family();
    if !families.contains(&family) {
        let fits = |(name, _, families): &(&'static str, Metric, &[Family])| {
            families.contains(&family).then_some(*name)
        };
        let fitting: Vec<&str> = METRICS.iter().filter_map(fits).collect();
        sink.push(MetricKind {
            metric: word.text.clone(),
            verb: family.verb(),
            fitting: alternatives(&fitting, "or"),
            span: word.span,
            kind: draft.span,
        });
        return None;
    }
    if let (Metric::F1 | Metric::AccuracyF1 | Metric::F1aExactMatch, Some(Kind::Classify { labels })) =
        (metric, kind)
        && labels.len() != 2
    {
        let metric = word.text.clone();
        sink.push(MetricLabels { metric, count: labels.len(), span: word.span, kind: draft.span });
        return None;
    }
    Some(*metric)
}

fn default_metric(draft: &Draft, data: Option<&Data>) -> Option<Metric> {
    let of_kind = match draft.family() {
        Family::Classify | Family::Choose => Metric::Accuracy,
        Family::Regress => Metric::PearsonSpearman,
        Family::Tag => Metric::EntityF1,
        Family::Span => Metric::ExactMatchF1,
    };
    Some(data?.known.map_or(of_kind, |set| set.metric))
}

#[derive(Debug, Error, Diagnostic)]
#[error("the tasks have more than {most} labels together")]
#[diagnostic(
    code(cam::task::too_many_labels),
    help("each label is a row of a head's weight; as many are better found by search than by a classifier")
)]
struct TooManyLabels {
    most: usize,
    #[label("one task too many")]
    span: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("the weight {problem}")]
#[diagnostic(
    code(cam::task::weight),
    help(
        "the task's loss is multiplied by it: below 0 the task would be unlearned; `weight 1` is the default"
    )
)]
struct IllegalWeight {
    problem: &'static str,
    #[label("{problem}")]
    span: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("the task has data but no weight, so nothing learns from it")]
#[diagnostic(
    code(cam::task::no_weight),
    severity(Warning),
    help("its examples still take places in the batch; without the task there is room for others")
)]
struct NoWeight {
    #[label(primary, "its loss counts for nothing")]
    span: Span,
    #[label("read, and sampled")]
    data: Option<Span>,
}

#[derive(Debug, Error, Diagnostic)]
#[error("no metric is called `{metric}`")]
#[diagnostic(code(cam::task::unknown_metric), help("{help}"))]
struct UnknownMetric {
    metric: String,
    help: String,
    #[label("unknown metric")]
    span: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("`{metric}` does not measure a task that {verb}")]
#[diagnostic(code(cam::task::metric_kind), help("fitting: {fitting}"))]
struct MetricKind {
    metric: String,
    verb: &'static str,
    fitting: String,
    #[label(primary, "this metric")]
    span: Span,
    #[label("this kind")]
    kind: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("`{metric}` measures two labels, and the task has {count}")]
#[diagnostic(code(cam::task::metric_labels), help("for more than two: `accuracy` or `matthews`"))]
struct MetricLabels {
    metric: String,
    count: usize,
    #[label(primary, "the F1 of the second of two labels")]
    span: Span,
    #[label("{count} labels")]
    kind: Span,
}

//! A head asked about data that it was not trained on: the zero-shot transfer of CA-MTL, section 4 (MNLI's head on
//! SciTail and SNLI).
//!
//! Labels are brought together by pairs `head=data`. Labels that are joined, over any number of pairs, are one class:
//! `entailment=entails,neutral=neutral,contradiction=neutral` makes two classes of three labels and two. A class is
//! as likely as its labels of the head are together, and the likeliest is the prediction.

use serde_json::{Map, Value, json};

use super::batches::Batches;
use super::decode::{argmax, softmax};
use super::evaluate::{self, UNWATCHED, outputs};
use super::metrics::{KindError, Outcomes, Scores};
use super::network::Network;
use super::plan::{Kind, Metric, Plan, Source, Task};
use super::predictor::Predictor;
use crate::data::source::{Columns, Format};
use crate::data::{Dataset, Examples, Goal, TokenizerError};

/// A pair of `--map`: a label of the head, and one of the data.
pub type Pair = (String, String);

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[non_exhaustive]
pub enum ZeroShotError {
    #[error(transparent)]
    #[diagnostic(transparent)]
    Metric(#[from] KindError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Tokenizer(#[from] TokenizerError),

    #[error("`{name}` is neither a task of the model nor a format of data")]
    #[diagnostic(
        code(zero_shot::data),
        help("the tasks are {tasks}; a format is one of {}, with its set or folder as in `glue:RTE` or `tsv:reviews`", FORMATS.join(", "))
    )]
    NoData { name: String, tasks: String },

    #[error("`{name}` names no set or folder")]
    #[diagnostic(
        code(zero_shot::set),
        help("as in `{name}:NAME`, or `{name}:NAME:FOLDER` where the folder has another name")
    )]
    NoSet { name: String },

    #[error("task `{task}` {what}, and `{name}` {other}")]
    #[diagnostic(code(zero_shot::kind), help("a head is asked about data of its own kind"))]
    Kind { task: &'static str, what: &'static str, name: String, other: &'static str },

    #[error("`{label}` in --map is no label of {of}")]
    #[diagnostic(code(zero_shot::label), help("its labels are {labels}; a pair is written head=data"))]
    Label { label: String, of: String, labels: String },

    #[error("the label `{label}` of {of} has no counterpart")]
    #[diagnostic(
        code(zero_shot::unmapped),
        help("--map {example} says what it is; equal labels need no pair")
    )]
    Unmapped { label: String, of: String, example: String },

    #[error("--map brings all labels together, so that nothing is left to predict")]
    #[diagnostic(code(zero_shot::one_class), help("at least two labels of the head have to stay apart"))]
    OneClass,

    #[error("--map has no use: task `{task}` has no labels that it could map")]
    #[diagnostic(code(zero_shot::map), help("leave --map out"))]
    NoLabels { task: &'static str },

    #[error("the data of `{name}` has no example with a label")]
    #[diagnostic(code(zero_shot::empty), help("--split names another part of it"))]
    Empty { name: String },
}

const FORMATS: [&str; 10] =
    ["glue", "superglue", "squad", "mrqa", "conll", "snli", "scitail", "csv", "tsv", "jsonl"];

/// A head and the data that it is asked about.
#[derive(Clone, Debug)]
pub struct Question {
    /// The head's index.
    head: usize,
    /// The head's task with the other data, whose labels or range these are.
    pub task: Task,
    /// The class of each label of the head, and of the data; empty for kinds without labels.
    classes: [Vec<u32>; 2],
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub examples: usize,
    pub scores: Scores,
    /// The accuracy of always giving the commonest class; of classes only.
    pub commonest: Option<f64>,
}

/// Brings a task's head together with data: `name` is a task of the model, or `FORMAT`, `FORMAT:SET` or
/// `FORMAT:SET:FOLDER`.
///
/// # Errors
/// [`ZeroShotError`]: data that are not known or of another kind, and labels that do not meet.
pub fn question(
    plan: &Plan,
    task: &'static Task,
    name: &str,
    map: &[Pair],
) -> Result<Question, ZeroShotError> {
    // the task is one of the plan's
    let head = plan.tasks.iter().position(|own| own.name == task.name).unwrap_or_default();
    let other = plan.task(name).map(|(_, other)| other);
    let source = match other {
        Some(other) => other.data,
        None => source(plan, name)?,
    };
    let labels = match (task.kind, other.map(|other| other.kind)) {
        (Kind::Classify { labels }, None) => Some((labels, None)),
        (Kind::Classify { labels }, Some(Kind::Classify { labels: theirs })) => Some((labels, Some(theirs))),
        (kind, Some(theirs)) if std::mem::discriminant(&kind) != std::mem::discriminant(&theirs) => {
            let (what, other) = (in_words(kind), in_words(theirs));
            return Err(ZeroShotError::Kind { task: task.name, what, name: name.to_owned(), other });
        }
        _ => None,
    };
    let Some((ours, theirs)) = labels else {
        if !map.is_empty() {
            return Err(ZeroShotError::NoLabels { task: task.name });
        }
        let kind = other.map_or(task.kind, |other| other.kind);
        return Ok(Question { head, task: Task { data: source, kind, ..*task }, classes: [vec![], vec![]] });
    };
    let Matched { labels, classes } = match_labels(task.name, ours, name, theirs, map)?;
    let own_metric = labels.len() == ours.len() && classes[0].len() == class_count(&classes);
    let metric = match task.metric {
        Metric::F1aExactMatch => Metric::Accuracy, // judges the answers to a question together, which other data have not
        metric if own_metric => metric,
        _ => Metric::Accuracy,
    };
    // once a process, for a plan that lives as long
    let labels: Vec<&'static str> = labels.into_iter().map(|label| &*label.leak()).collect();
    let kind = Kind::Classify { labels: labels.leak() };
    Ok(Question { head, task: Task { data: source, kind, metric, ..*task }, classes })
}

impl Question {
    /// Asks the head about all examples; those without a label are left out.
    pub fn ask<N: Network>(
        &self,
        model: &Predictor<N>,
        data: Dataset,
        name: &str,
    ) -> Result<Answer, ZeroShotError> {
        // the data stand at the head's place, so that its row of the task embedding conditions the network
        let none = Examples::of(Vec::new());
        let empty = |task: &Task| Dataset::encode(&none, model.tokenizer(), task.kind, blake3::hash(&[]));
        let mut sets = model.tasks()[..self.head].iter().map(empty).collect::<Result<Vec<_>, _>>()?;
        sets.push(data);
        let batches = Batches::new(sets);
        let outputs = outputs(model.network(), &batches, &batches.all(), UNWATCHED);
        let data = &batches.datasets()[self.head];
        let labelled = |i: &usize| data.goal(*i) != Goal::None;
        let examples = (0..data.len()).filter(labelled).count();
        if examples == 0 {
            return Err(ZeroShotError::Empty { name: name.to_owned() });
        }
        let [heads, labels] = &self.classes;
        if heads.is_empty() {
            let scores = evaluate::score(&self.task, data, &outputs)?;
            return Ok(Answer { examples, scores, commonest: None });
        }
        let count = class_count(&self.classes);
        let predict = |logits: &[f32]| {
            let mut likely = vec![0.0; count];
            softmax(logits).iter().zip(heads).for_each(|(p, &class)| likely[class as usize] += p);
            argmax(&likely) as u32
        };
        let pair = |(i, logits): (usize, &Vec<f32>)| match data.goal(i) {
            Goal::Class(label) => Some((labels[label as usize], predict(logits))),
            _ => None,
        };
        let pairs: Vec<(u32, u32)> = outputs.iter().enumerate().filter_map(pair).collect();
        let mut of_class = vec![0; count];
        pairs.iter().for_each(|(class, _)| of_class[*class as usize] += 1);
        let commonest = of_class.iter().max().map(|most| f64::from(*most) / pairs.len() as f64);
        let scores = self.task.metric.score(Outcomes::Classes(&pairs))?;
        Ok(Answer { examples, scores, commonest })
    }
}

impl Answer {
    pub fn to_json(&self, task: &str, name: &str, step: usize, split: &str) -> Value {
        let figures: Map<String, Value> =
            self.scores.figures.iter().map(|(figure, value)| ((*figure).to_owned(), json!(value))).collect();
        json!({
            "step": step, "split": split, "task": task, "as": name, "examples": self.examples,
            "figures": figures, "main": self.scores.main, "commonest": self.commonest,
        })
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let figures: Vec<String> =
            self.scores.figures.iter().map(|(figure, value)| format!("{figure} {value:.4}")).collect();
        write!(f, "{}, of {} examples", figures.join("  "), self.examples)?;
        match self.commonest {
            Some(commonest) => write!(f, "; always the commonest class: accuracy {commonest:.4}"),
            None => Ok(()),
        }
    }
}

/// `scitail`, `glue:RTE`, `tsv:folder`, `superglue:CB:cb`.
fn source(plan: &Plan, name: &str) -> Result<Source, ZeroShotError> {
    let mut parts = name.splitn(3, ':');
    let (format, set, folder) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
    if !FORMATS.contains(&format) {
        let tasks: Vec<&str> = plan.tasks.iter().map(|task| task.name).collect();
        return Err(ZeroShotError::NoData { name: name.to_owned(), tasks: tasks.join(", ") });
    }
    let leaked = |text: &str| -> &'static str { text.to_owned().leak() };
    let set = set.filter(|set| !set.is_empty());
    let named = || set.map(leaked).ok_or_else(|| ZeroShotError::NoSet { name: format.to_owned() });
    let format = match format {
        "glue" => Format::Glue(named()?),
        "superglue" => Format::SuperGlue(named()?),
        "mrqa" => Format::Mrqa(named()?),
        "squad" => Format::Squad,
        "conll" => Format::Conll,
        "snli" => Format::Snli,
        "scitail" => Format::SciTail,
        "csv" => Format::Csv(named().map(|_| Columns::Usual)?),
        "jsonl" => Format::JsonLines(named().map(|_| Columns::Usual)?),
        _ => Format::Tsv(named().map(|_| Columns::Usual)?),
    };
    // the folder has the set's name, or where there is no set the format's
    Ok(Source::new(format, leaked(folder.or(set).unwrap_or(name))))
}

/// The labels of the data, and the class of each label of the head and of the data.
struct Matched {
    labels: Vec<String>,
    classes: [Vec<u32>; 2],
}

/// `theirs`, where they are known; else the data has the labels that the pairs name, and those of the head that have
/// no pair.
fn match_labels(
    task: &str,
    ours: &[&str],
    name: &str,
    theirs: Option<&[&str]>,
    map: &[Pair],
) -> Result<Matched, ZeroShotError> {
    let (head, data) = (format!("task `{task}`"), format!("`{name}`"));
    let mut labels: Vec<String> = theirs.unwrap_or_default().iter().map(ToString::to_string).collect();
    let mut pairs: Vec<(usize, usize)> = Vec::new();
    let mut join = |label: &str, other: &str| -> Result<(), ZeroShotError> {
        let unknown = |label: &str, of: &str, labels: String| ZeroShotError::Label {
            label: label.to_owned(),
            of: of.to_owned(),
            labels,
        };
        let Some(a) = ours.iter().position(|own| *own == label) else {
            return Err(unknown(label, &head, ours.join(", ")));
        };
        let b = match (labels.iter().position(|own| own == other), theirs) {
            (Some(b), _) => b,
            (None, Some(theirs)) => return Err(unknown(other, &data, theirs.join(", "))),
            (None, None) => {
                labels.push(other.to_owned());
                labels.len() - 1
            }
        };
        pairs.push((a, b));
        Ok(())
    };
    for (label, other) in map {
        join(label, other)?;
    }
    for label in ours.iter().filter(|label| map.iter().all(|(mapped, _)| mapped != *label)) {
        if theirs.is_none_or(|theirs| theirs.contains(label)) {
            join(label, label)?;
        } else {
            let example = format!("{label}={}", theirs.and_then(|theirs| theirs.first()).unwrap_or(label));
            return Err(ZeroShotError::Unmapped { label: (*label).to_owned(), of: head, example });
        }
    }
    if let Some(b) = (0..labels.len()).find(|b| pairs.iter().all(|(_, other)| other != b)) {
        let example = format!("{}={}", ours[0], labels[b]);
        return Err(ZeroShotError::Unmapped { label: labels[b].clone(), of: data, example });
    }
    let classes = join_classes(ours.len(), labels.len(), &pairs);
    if class_count(&classes) < 2 {
        return Err(ZeroShotError::OneClass);
    }
    Ok(Matched { labels, classes })
}

/// Labels that are joined over pairs have one number; the numbers follow the head's labels.
fn join_classes(ours: usize, theirs: usize, pairs: &[(usize, usize)]) -> [Vec<u32>; 2] {
    // every label begins as a class of its own, and a pair gives both the lower number until nothing changes
    let mut classes = [(0..ours).collect::<Vec<_>>(), (ours..ours + theirs).collect()];
    let mut changed = true;
    while changed {
        changed = false;
        for &(a, b) in pairs {
            let lower = classes[0][a].min(classes[1][b]);
            changed |= classes[0][a] != lower || classes[1][b] != lower;
            (classes[0][a], classes[1][b]) = (lower, lower);
        }
    }
    let mut numbers: Vec<usize> = classes.iter().flatten().copied().collect();
    numbers.sort_unstable();
    numbers.dedup();
    // at most as many as there are labels, and these are below 2^32
    classes.map(|of| of.iter().map(|class| numbers.partition_point(|n| n < class) as u32).collect())
}

fn class_count(classes: &[Vec<u32>; 2]) -> usize {
    classes.iter().flatten().max().map_or(0, |last| *last as usize + 1)
}

fn in_words(kind: Kind) -> &'static str {
    match kind {
        Kind::Classify { .. } => "classifies",
        Kind::Regress { .. } => "regresses",
        Kind::Tag { .. } => "tags",
        Kind::Span { .. } => "finds spans",
        Kind::Choose { .. } => "chooses",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NLI: [&str; 3] = ["contradiction", "entailment", "neutral"];

    fn matched(theirs: Option<&[&str]>, map: &[(&str, &str)]) -> Result<Matched, String> {
        let map: Vec<Pair> = map.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        match_labels("mnli", &NLI, "other", theirs, &map).map_err(|error| error.to_string())
    }

    #[test]
    fn several_labels_of_the_head_are_one_of_the_data() {
        let scitail = [("entailment", "entails"), ("contradiction", "neutral")];
        let Matched { labels, classes } = matched(None, &scitail).unwrap();
        assert_eq!(labels, ["entails", "neutral"]);
        assert_eq!(classes, [vec![0, 1, 0], vec![1, 0]]);
        // the data's own labels, in another order, and one label of the head for two of the data
        let four = ["no", "maybe", "entailment", "unknown"];
        let map = [("contradiction", "no"), ("neutral", "maybe"), ("neutral", "unknown")];
        let Matched { classes, .. } = matched(Some(&four), &map).unwrap();
        assert_eq!(classes, [vec![0, 1, 2], vec![0, 2, 1, 2]]);
    }

    #[test]
    fn equal_labels_need_no_pair() {
        let Matched { labels, classes } =
            matched(Some(&["neutral", "entailment", "contradiction"]), &[]).unwrap();
        assert_eq!(labels, ["neutral", "entailment", "contradiction"]);
        assert_eq!(classes, [vec![0, 1, 2], vec![2, 1, 0]]);
    }

    #[test]
    fn labels_that_do_not_meet_are_named() {
        let error = |theirs, map: &[(&str, &str)]| matched(theirs, map).err().unwrap_or_default();
        let two: Option<&[&str]> = Some(&["yes", "no"]);
        assert_eq!(error(two, &[("entails", "yes")]), "`entails` in --map is no label of task `mnli`");
        assert_eq!(error(two, &[("entailment", "Yes")]), "`Yes` in --map is no label of `other`");
        assert_eq!(
            error(two, &[("entailment", "yes"), ("neutral", "no")]),
            "the label `contradiction` of task `mnli` has no counterpart"
        );
        let all = ["entailment", "neutral", "contradiction"].map(|label| (label, "yes"));
        assert_eq!(error(two, &all), "the label `no` of `other` has no counterpart");
        assert!(error(None, &all).starts_with("--map brings all labels together"));
    }
}

//! How well a network does on a split of every task.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Map, Value, json};

use super::batches::{At, Batches, CHUNK};
use super::decode::{self, Found, argmax};
use super::metrics::{KindError, Outcomes, Scores};
use super::network::{self, Network};
use super::plan::{Kind, Metric, Task};
use crate::data::{Dataset, Goal, Split};
use crate::kernels::Kernels;

/// The figures of all tasks.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// In the tasks' order.
    pub tasks: Vec<(&'static str, Scores)>,
    /// Mean of the tasks' main figures.
    pub mean: f64,
}

/// Who waits for an evaluation, told now and then how many of all items the network has been asked about.
pub type Watch<'a> = &'a (dyn Fn(usize, usize) + Sync);

/// Nobody is told.
pub const UNWATCHED: Watch<'static> = &|_, _| {};

/// The logits of every item, row by row, in their order; without tape and dropout, chunk by chunk.
pub fn outputs<N: Network>(network: &N, batches: &Batches, examples: &[At], watch: Watch) -> Vec<Vec<f32>> {
    let mut outputs = vec![Vec::new(); examples.len()];
    let done = AtomicUsize::new(0);
    let ask = |places: Vec<usize>| {
        let own: Vec<At> = places.iter().map(|&i| examples[i]).collect();
        let batch = batches.batch(&own);
        let logits = network.ask(network.constant(&batch), &batch);
        let before = done.fetch_add(places.len(), Ordering::Relaxed);
        watch(before + places.len(), examples.len());
        (places, logits)
    };
    // first all is asked for, then the answers are read: a GPU is not kept waiting
    for (places, logits) in N::Device::map(batches.chunks(examples, CHUNK), ask) {
        places.into_iter().zip(network::read(logits)).for_each(|(i, row)| outputs[i] = row);
    }
    outputs
}

/// Scores every task. Items without a goal are left out.
///
/// # Errors
/// [`KindError`] for a metric that does not fit its task; the compiler refuses such a model.
pub fn evaluate<N: Network>(
    network: &N,
    tasks: &'static [Task],
    batches: &Batches,
    watch: Watch,
) -> Result<Evaluation, KindError> {
    let outputs = outputs(network, batches, &batches.all(), watch);
    let mut rest = outputs.as_slice();
    let mut scored = Vec::with_capacity(tasks.len());
    for (task, set) in tasks.iter().zip(batches.datasets()) {
        let (own, others) = rest.split_at(set.len());
        scored.push((task.name, score(task, set, own)?));
        rest = others;
    }
    let mean = scored.iter().map(|(_, scores)| scores.main).sum::<f64>() / scored.len() as f64;
    Ok(Evaluation { tasks: scored, mean })
}

/// The figures of one task, from the logits of each item of its data.
pub fn score(task: &Task, set: &Dataset, outputs: &[Vec<f32>]) -> Result<Scores, KindError> {
    let items = || (0..set.len()).zip(outputs).filter(|(i, _)| set.goal(*i) != Goal::None);
    let class = |i: usize| match set.goal(i) {
        Goal::Class(class) => class,
        other => unreachable!("{other:?} of a task with classes"),
    };
    match task.kind {
        Kind::Classify { .. } if task.metric == Metric::F1aExactMatch => {
            // a row without a group is one of its own
            let alone = |i: usize| u32::MAX - i as u32;
            let answer = |(i, logits): (usize, &Vec<f32>)| {
                (set.group(i).unwrap_or_else(|| alone(i)), class(i), argmax(logits) as u32)
            };
            task.metric.score(Outcomes::Groups(&items().map(answer).collect::<Vec<_>>()))
        }
        Kind::Classify { .. } | Kind::Choose { .. } => {
            let pair = |(i, logits): (usize, &Vec<f32>)| (class(i), argmax(logits) as u32);
            task.metric.score(Outcomes::Classes(&items().map(pair).collect::<Vec<_>>()))
        }
        Kind::Regress { .. } => {
            let pair = |(i, logits): (usize, &Vec<f32>)| match set.goal(i) {
                Goal::Value(value) => (f64::from(value), f64::from(task.kind.of_unit(logits[0]))),
                other => unreachable!("{other:?} of a task with values"),
            };
            task.metric.score(Outcomes::Values(&items().map(pair).collect::<Vec<_>>()))
        }
        Kind::Tag { labels } => {
            let pair = |(i, logits): (usize, &Vec<f32>)| match set.goal(i) {
                Goal::Tags(tags) => (tags.to_vec(), decode::tags(labels, logits, tags.len())),
                other => unreachable!("{other:?} of a task with tags"),
            };
            let sentences: Vec<_> = items().map(pair).collect();
            task.metric.score(Outcomes::Tags { labels, sentences: &sentences })
        }
        Kind::Span { .. } => {
            let answers = best_spans(set, outputs).into_iter().enumerate();
            let question = |(example, best): (usize, Option<(usize, Found)>)| {
                let accepted: Vec<&str> = set.answers(example).collect();
                let text = best.map_or("", |(i, found)| set.span(i, found.start, found.end));
                (!accepted.is_empty()).then_some((accepted, text))
            };
            task.metric.score(Outcomes::Answers(&answers.filter_map(question).collect::<Vec<_>>()))
        }
    }
}

/// The best span of each example over all its windows, with its item; the first of equal ones.
pub fn best_spans(set: &Dataset, outputs: &[Vec<f32>]) -> Vec<Option<(usize, Found)>> {
    let mut best: Vec<Option<(usize, Found)>> = vec![None; set.examples()];
    for (i, logits) in outputs.iter().enumerate() {
        let place = &mut best[set.example(i)];
        if let Some(found) = decode::best_span(logits)
            && place.is_none_or(|(_, other)| found.score > other.score)
        {
            *place = Some((i, found));
        }
    }
    best
}

impl Evaluation {
    /// A line of `eval.jsonl`.
    pub fn to_json(&self, step: usize, split: Split) -> Value {
        let tasks: Map<String, Value> = self
            .tasks
            .iter()
            .map(|(name, Scores { figures, main })| {
                let mut fields: Map<String, Value> =
                    figures.iter().map(|(figure, value)| ((*figure).to_owned(), json!(value))).collect();
                fields.insert("main".to_owned(), json!(main));
                ((*name).to_owned(), Value::Object(fields))
            })
            .collect();
        json!({ "step": step, "split": split, "tasks": tasks, "mean": self.mean })
    }
}

/// A table, a line a task.
impl std::fmt::Display for Evaluation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let width = self.tasks.iter().map(|(name, _)| name.len()).max().unwrap_or(0).max(4);
        for (name, scores) in &self.tasks {
            let figures: Vec<String> =
                scores.figures.iter().map(|(figure, value)| format!("{figure} {value:.4}")).collect();
            writeln!(f, "{name:width$}  {}", figures.join("  "))?;
        }
        write!(f, "{:width$}  {:.4}", "mean", self.mean)
    }
}

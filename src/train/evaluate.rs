//! How well a network does on a split of every task.

use serde_json::{Map, Value, json};

use super::batches::{At, Batches, CHUNK};
use super::metrics::{KindError, Outcomes, Scores};
use super::network::Network;
use super::plan::{Kind, Task};
use crate::data::{Split, Target};

/// The figures of all tasks.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// In the tasks' order.
    pub tasks: Vec<(&'static str, Scores)>,
    /// Mean of the tasks' main figures.
    pub mean: f64,
}

/// The logits of every example, in their order; without tape and dropout, chunk by chunk.
pub fn outputs<N: Network>(network: &N, batches: &Batches, examples: &[At]) -> Vec<Vec<f32>> {
    let mut outputs = vec![Vec::new(); examples.len()];
    for places in batches.chunks(examples, CHUNK) {
        let own: Vec<At> = places.iter().map(|&i| examples[i]).collect();
        let batch = batches.batch(&own);
        let rows = network.score(network.constant(&batch), &batch, batch.segments.tasks());
        places.into_iter().zip(rows).for_each(|(i, row)| outputs[i] = row);
    }
    outputs
}

/// Scores every task. Examples without a target are left out.
///
/// # Errors
/// [`KindError`] for a metric that does not fit its task; the compiler refuses such a model.
pub fn evaluate<N: Network>(
    network: &N,
    tasks: &'static [Task],
    batches: &Batches,
) -> Result<Evaluation, KindError> {
    let examples = batches.all();
    let outputs = outputs(network, batches, &examples);
    let mut rows = examples.iter().zip(&outputs).peekable();
    let mut scored = Vec::with_capacity(tasks.len());
    for (index, task) in tasks.iter().enumerate() {
        let mut classes = Vec::new();
        let mut values = Vec::new();
        while let Some((at, logits)) = rows.next_if(|(at, _)| at.task == index) {
            match batches.target(*at) {
                Target::Class(class) => classes.push((class, argmax(logits) as u32)),
                Target::Value(value) => {
                    values.push((f64::from(value), f64::from(task.kind.of_unit(logits[0]))));
                }
                Target::None => {}
                Target::Tags(_) | Target::Answers(_) => unreachable!("kinds of text alone have a data set"),
            }
        }
        let outcomes = match task.kind {
            Kind::Classify { .. } => Outcomes::Classes(&classes),
            Kind::Regress { .. } => Outcomes::Values(&values),
            Kind::Tag { .. } | Kind::Span { .. } | Kind::Choose { .. } => {
                unreachable!("kinds of text alone have a data set")
            }
        };
        scored.push((task.name, task.metric.score(outcomes)?));
    }
    let mean = scored.iter().map(|(_, scores)| scores.main).sum::<f64>() / scored.len() as f64;
    Ok(Evaluation { tasks: scored, mean })
}

/// The place of the largest logit, the first of equal ones.
pub fn argmax(logits: &[f32]) -> usize {
    (0..logits.len()).fold(0, |best, i| if logits[i] > logits[best] { i } else { best })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_equal_logits_is_the_prediction() {
        assert_eq!([argmax(&[0.5]), argmax(&[0.0, 1.0, 1.0]), argmax(&[2.0, 2.0])], [0, 1, 0]);
    }
}

//! Texts to predictions: what a task's head says of texts that have no label.

use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};
use serde_json::json;

use super::batches::Batches;
use super::decode::{self, Found, argmax, softmax};
use super::evaluate::{UNWATCHED, best_spans, outputs};
use super::files::{self, FileError};
use super::network::Network;
use super::plan::{Kind, Plan, Task};
use crate::data::{Dataset, Example, Examples, Input, ReadError, Tokenizer, TokenizerError};

mod input;

pub use input::{Asked, example, read};

/// A prediction. In JSON `{"label": .., "probabilities": {..}}`, `{"value": ..}`, `{"tags": [..]}`,
/// `{"answer": .., "start": .., "probability": ..}` or `{"choice": .., "probabilities": [..]}`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Prediction {
    Class {
        label: &'static str,
        /// Of each label, in the task's order.
        #[serde(serialize_with = "as_map")]
        probabilities: Vec<(&'static str, f32)>,
    },
    /// As the head gives it, which may be outside the task's range.
    Value { value: f32 },
    /// Of each word.
    Tags { tags: Vec<&'static str> },
    Answer {
        answer: String,
        /// Where it begins, in characters of the context.
        start: usize,
        /// Of its first and its last token in the window that it was found in.
        probability: f32,
    },
    Choice {
        /// From 0.
        choice: usize,
        /// Of each choice.
        probabilities: Vec<f32>,
    },
}

fn as_map<S: Serializer>(probabilities: &[(&'static str, f32)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(probabilities.iter().copied())
}

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[non_exhaustive]
pub enum PredictError {
    #[error("the model has no task `{task}`")]
    #[diagnostic(code(predict::task), help("its tasks are {known}"))]
    Task { task: String, known: String },

    #[error(transparent)]
    #[diagnostic(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Tokenizer(#[from] TokenizerError),

    #[error("{}:{line}: the line is not an example: {cause}", .path.display())]
    #[diagnostic(code(predict::line), help("a line of a JSONL file is here {takes}"))]
    Line { path: PathBuf, line: u32, cause: String, takes: &'static str },

    #[error("task `{task}` has to be asked with a file of JSON lines")]
    #[diagnostic(code(predict::format), help("the file's name ends in `.jsonl`, and a line is {takes}"))]
    Format { task: String, takes: &'static str },

    #[error("task `{task}` is asked otherwise")]
    #[diagnostic(code(predict::parts), help("it takes {takes}"))]
    Parts { task: String, takes: &'static str },

    #[error("{problem}")]
    #[diagnostic(code(predict::empty), help("an answer needs something to choose from"))]
    Empty { problem: &'static str },

    #[error("example {line} is not what task `{task}` predicts from")]
    #[diagnostic(code(predict::input), help("an example is here {takes}"))]
    Input { task: String, line: u32, takes: &'static str },
}

/// The task of that name, with its index.
pub fn find_task(plan: &Plan, name: &str) -> Result<(usize, &'static Task), PredictError> {
    plan.task(name).ok_or_else(|| PredictError::Task {
        task: name.to_owned(),
        known: plan.tasks.iter().map(|task| format!("`{}`", task.name)).collect::<Vec<_>>().join(", "),
    })
}

/// Predictions of one task for all examples, in their order.
///
/// # Errors
/// An example that is not of the task's kind, and what the tokenizer refuses.
pub fn predict<N: Network>(
    network: &N,
    tokenizer: &Tokenizer,
    (index, task): (usize, &Task),
    examples: &Examples,
) -> Result<Vec<Prediction>, PredictError> {
    if let Some(other) = examples.rows.iter().find(|row| !row.input.fits(task.kind)) {
        return Err(PredictError::Input {
            task: task.name.to_owned(),
            line: other.line,
            takes: input::takes(task.kind),
        });
    }
    // the batches know tasks by their place: those before this one have no examples
    let nothing = Examples::of(Vec::new());
    let unnamed = blake3::hash(&[]); // of content that nobody asks for again
    let encode = |examples| Dataset::encode(examples, tokenizer, task.kind, unnamed);
    let mut datasets = (0..index).map(|_| encode(&nothing)).collect::<Result<Vec<_>, _>>()?;
    datasets.push(encode(examples)?);
    let batches = Batches::new(datasets);
    let outputs = outputs(network, &batches, &batches.all(), UNWATCHED);
    if let Kind::Span { .. } = task.kind {
        return Ok(answers(&batches.datasets()[index], &outputs, examples));
    }
    let predicted = |(row, logits): (&Example, &Vec<f32>)| prediction(task.kind, &row.input, logits);
    Ok(examples.rows.iter().zip(&outputs).map(predicted).collect())
}

/// Of kinds with an item an example.
fn prediction(kind: Kind, input: &Input, logits: &[f32]) -> Prediction {
    match (kind, input) {
        (Kind::Classify { labels }, _) => {
            let probabilities = labels.iter().copied().zip(softmax(logits)).collect();
            Prediction::Class { label: labels[argmax(logits)], probabilities }
        }
        (Kind::Regress { .. }, _) => Prediction::Value { value: kind.of_unit(logits[0]) },
        (Kind::Tag { labels }, Input::Words(words)) => {
            let tags = decode::tags(labels, logits, words.len());
            Prediction::Tags { tags: tags.into_iter().map(|tag| labels[tag as usize]).collect() }
        }
        (Kind::Choose { .. }, _) => {
            Prediction::Choice { choice: argmax(logits), probabilities: softmax(logits) }
        }
        (Kind::Tag { .. } | Kind::Span { .. }, _) => unreachable!("inputs are of the task's kind"),
    }
}

/// The best answer to each question, over all windows of its context.
fn answers(set: &Dataset, outputs: &[Vec<f32>], examples: &Examples) -> Vec<Prediction> {
    let best = best_spans(set, outputs).into_iter().zip(&examples.rows);
    let answer = |(best, row): (Option<(usize, Found)>, &Example)| {
        let Some((item, Found { start, end, .. })) = best else {
            return Prediction::Answer { answer: String::new(), start: 0, probability: 0.0 };
        };
        let [starts, ends] = decode::ends(&outputs[item]);
        let bytes = set.span_bytes(item, start, end);
        let before = match &row.input {
            Input::Context { context, .. } => context[..bytes.start].chars().count(),
            other => unreachable!("{other:?} has no context"),
        };
        Prediction::Answer {
            answer: set.span(item, start, end).to_owned(),
            start: before,
            probability: softmax(&starts)[start] * softmax(&ends)[end],
        }
    };
    best.map(answer).collect()
}

/// Predictions as JSON lines.
pub fn to_lines(predictions: &[Prediction]) -> String {
    predictions.iter().map(|prediction| format!("{}\n", json!(prediction))).collect()
}

/// Writes predictions as JSON lines, the whole file or none.
pub fn write(path: &Path, predictions: &[Prediction]) -> Result<(), PredictError> {
    Ok(files::write(path, to_lines(predictions).as_bytes())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn any() -> Input {
        Input::Text { a: String::new(), b: None }
    }

    #[test]
    fn a_class_comes_with_the_probability_of_each() {
        let kind = Kind::Classify { labels: &["no", "yes"] };
        let lines =
            to_lines(&[prediction(kind, &any(), &[0.0, 0.0]), prediction(kind, &any(), &[-1e30, 0.0])]);
        assert_eq!(
            lines,
            "{\"label\":\"no\",\"probabilities\":{\"no\":0.5,\"yes\":0.5}}\n\
             {\"label\":\"yes\",\"probabilities\":{\"no\":0.0,\"yes\":1.0}}\n"
        );
    }

    #[test]
    fn a_value_is_not_cut_to_its_range() {
        let kind = Kind::Regress { low: 0.0, high: 5.0, unit: true };
        assert_eq!(prediction(kind, &any(), &[1.1]), Prediction::Value { value: 5.5 });
    }
}

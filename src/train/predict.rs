//! Texts to predictions: what a task's head says of texts that have no label.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize, Serializer};
use serde_json::json;

use super::batches::Batches;
use super::evaluate::{argmax, outputs};
use super::files::{self, FileError};
use super::network::Network;
use super::plan::{Kind, Plan, Task};
use crate::data::read::{self, Expected};
use crate::data::{Dataset, Example, Examples, ReadError, Tokenizer, TokenizerError, Unreadable};

/// A prediction. In JSON `{"label": .., "probabilities": {..}}` or `{"value": ..}`.
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
    #[diagnostic(
        code(predict::line),
        help(
            "a line of a JSONL file is `{{\"text_a\": \"..\"}}` or `{{\"text_a\": \"..\", \"text_b\": \"..\"}}`"
        )
    )]
    Line { path: PathBuf, line: u32, cause: String },
}

#[derive(Deserialize)]
struct Row {
    text_a: String,
    text_b: Option<String>,
}

/// The task of that name, with its index.
pub fn find_task(plan: &Plan, name: &str) -> Result<(usize, &'static Task), PredictError> {
    plan.task(name).ok_or_else(|| PredictError::Task {
        task: name.to_owned(),
        known: plan.tasks.iter().map(|task| format!("`{}`", task.name)).collect::<Vec<_>>().join(", "),
    })
}

/// The texts of a file: JSONL if its name ends in `.jsonl` or `.json`, else tab-separated with the header `text_a` or
/// `text_a text_b`.
pub fn read(path: &Path, task: &Task) -> Result<Examples, PredictError> {
    let json = path.extension().is_some_and(|extension| extension == "jsonl" || extension == "json");
    if !json {
        let expected = Expected { kind: task.kind, labelled: false, unreadable: Unreadable::Fail };
        return Ok(read::tsv_file(path, expected)?);
    }
    let text = files::at(path, "read", std::fs::read_to_string(path))?;
    let rows = text
        .lines()
        .zip(1..)
        .filter(|(line, _)| !line.trim().is_empty())
        .map(|(text, line)| match serde_json::from_str(text) {
            Ok(Row { text_a, text_b }) => Ok(Example::text(text_a, text_b, line)),
            Err(cause) => Err(PredictError::Line { path: path.to_owned(), line, cause: cause.to_string() }),
        })
        .collect::<Result<_, _>>()?;
    Ok(Examples { rows, skipped: 0 })
}

/// Predictions of one task for all examples, in their order.
pub fn predict<N: Network>(
    network: &N,
    tokenizer: &Tokenizer,
    (index, task): (usize, &Task),
    examples: &Examples,
) -> Result<Vec<Prediction>, PredictError> {
    // the batches know tasks by their place: those before this one have no examples
    let nothing = Examples { rows: Vec::new(), skipped: 0 };
    let unnamed = blake3::hash(&[]); // of content that nobody asks for again
    let encode = |examples| Dataset::encode(examples, tokenizer, unnamed);
    let mut datasets = (0..index).map(|_| encode(&nothing)).collect::<Result<Vec<_>, _>>()?;
    datasets.push(encode(examples)?);
    let batches = Batches::new(datasets);
    let outputs = outputs(network, &batches, &batches.all());
    Ok(outputs.iter().map(|logits| prediction(task.kind, logits)).collect())
}

fn prediction(kind: Kind, logits: &[f32]) -> Prediction {
    match kind {
        Kind::Regress { .. } => Prediction::Value { value: kind.of_unit(logits[0]) },
        Kind::Classify { labels } => {
            let probabilities = labels.iter().copied().zip(softmax(logits)).collect();
            Prediction::Class { label: labels[argmax(logits)], probabilities }
        }
        Kind::Tag { .. } | Kind::Span { .. } | Kind::Choose { .. } => {
            unreachable!("kinds of text alone have a data set")
        }
    }
}

fn softmax(logits: &[f32]) -> Vec<f32> {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let weights: Vec<f32> = logits.iter().map(|logit| (logit - max).exp()).collect();
    let sum: f32 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / sum).collect()
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

    #[test]
    fn a_class_comes_with_the_probability_of_each() {
        let kind = Kind::Classify { labels: &["no", "yes"] };
        let lines = to_lines(&[prediction(kind, &[0.0, 0.0]), prediction(kind, &[-1e30, 0.0])]);
        assert_eq!(
            lines,
            "{\"label\":\"no\",\"probabilities\":{\"no\":0.5,\"yes\":0.5}}\n\
             {\"label\":\"yes\",\"probabilities\":{\"no\":0.0,\"yes\":1.0}}\n"
        );
    }

    #[test]
    fn a_value_is_not_cut_to_its_range() {
        let kind = Kind::Regress { low: 0.0, high: 5.0 };
        assert_eq!(prediction(kind, &[1.1]), Prediction::Value { value: 5.5 });
    }
}

//! Tasks: what is predicted, measured and read.

use serde::Serialize;

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Task {
    /// A Rust-safe identifier in snake case, unique in the program.
    pub name: String,
    pub kind: Kind,
    pub metric: Metric,
    pub data: Source,
    /// What the task's loss is multiplied by; 0 or above.
    pub weight: f64,
    pub uncertainty: Uncertainty,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// One label of several; the labels as they stand in the data, in the order of the logits. At least two.
    Classify { labels: Vec<String> },
    /// A number between `low` and `high`.
    Regress { low: f64, high: f64 },
    /// A label for each word, in IOB2: `O`, `B-person`, `I-person`. In the order of the logits.
    Tag { labels: Vec<String> },
    /// The part of a context that answers a question. A context that is too long is read in windows, each `stride`
    /// tokens after the one before.
    Span { stride: usize },
    /// One of several texts, at most `choices`.
    Choose { choices: usize },
}

impl Kind {
    /// Rows of the head's weight: the numbers that it gives for a row of its input.
    pub fn outputs(&self) -> usize {
        match self {
            Kind::Classify { labels } | Kind::Tag { labels } => labels.len(),
            Kind::Regress { .. } | Kind::Choose { .. } => 1,
            Kind::Span { .. } => 2, // start and end
        }
    }
}

/// The first figure of a metric of two (for example F1 of `accuracy_f1`) is not preferred: their mean decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    Accuracy,
    /// Binary F1 of the second label.
    F1,
    AccuracyF1,
    Matthews,
    Pearson,
    Spearman,
    PearsonSpearman,
    /// F1 of the entities that tags in IOB2 stand for, as the CoNLL evaluation counts them.
    EntityF1,
    /// Exact match and F1 of an answer's words, as SQuAD's evaluation counts them.
    ExactMatchF1,
    /// F1 of all answers, and the share of questions with every answer right, as MultiRC's evaluation counts them.
    F1aExactMatch,
}

/// Where the examples come from; a path is relative to the data folder.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A GLUE folder in the official layout. `set` is the canonical name ("CoLA"), `folder` where it lies.
    Glue { set: String, folder: String },
    /// A folder with `train.tsv` and `dev.tsv`: a header `label text_a [text_b]`, tabs between.
    Tsv { folder: String },
}

/// What MT-Uncertainty takes for H, the uncertainty about an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Uncertainty {
    /// Entropy of the task's own predictive distribution, over log C.
    Entropy,
    /// The scores of another task's candidates, the i-th for the i-th: that task's index. For tasks without a
    /// distribution.
    As(usize),
}

//! What a generated crate states about its model, as a constant: backbone, tasks, training.
//!
//! Everything here is `Copy` and `'static`, so that codegen prints one `const PLAN: Plan = Plan { .. }`. The numbers
//! were checked by the compiler; what the command line overrides is checked by [`Training::set`].

use serde::{Deserialize, Serialize};

pub use crate::data::{Columns, Format, Kind, Source, Split};
pub use crate::nn::pretrained::Family;

mod set;

pub use set::{SetError, WHOLE};

/// A model.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Plan {
    pub name: &'static str,
    /// Which variant of the model this is; `None` for the model itself.
    pub variant: Option<&'static str>,
    /// Of the program's meaning; checkpoints are bound to it.
    pub fingerprint: &'static str,
    pub backbone: Backbone,
    /// The most tokens of an example.
    pub sequence: usize,
    /// In the order of the heads and of the rows of the task embedding.
    pub tasks: &'static [Task],
    pub training: Training,
}

impl Plan {
    /// `camtl_base`, or `camtl_base.baseline` for a variant.
    pub fn full_name(&self) -> String {
        match self.variant {
            Some(variant) => format!("{}.{variant}", self.name),
            None => self.name.to_owned(),
        }
    }

    /// The task of that name, with its index.
    pub fn task(&self, name: &str) -> Option<(usize, &'static Task)> {
        self.tasks.iter().enumerate().find(|(_, task)| task.name == name)
    }
}

/// The shared encoder, without what is attached to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Backbone {
    pub family: Family,
    pub origin: Origin,
    pub layers: usize,
    pub hidden: usize,
    pub heads: usize,
    pub ffn: usize,
    /// Rows of the word embedding.
    pub vocab: usize,
    /// Rows of the position embedding.
    pub positions: usize,
    pub token_types: usize,
}

/// Where the backbone's first weights and its tokenizer come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A folder or a hub id, which holds the tokenizer too.
    Checkpoint(&'static str),
    /// Random weights; the tokenizer is a file or a folder.
    Scratch { tokenizer: &'static str },
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Task {
    pub name: &'static str,
    pub kind: Kind,
    pub metric: Metric,
    pub data: Source,
    /// What its loss is multiplied by.
    pub weight: f64,
    pub uncertainty: Uncertainty,
}

/// What a task is measured by. Of a metric with two figures, their mean decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    Accuracy,
    /// Binary F1 of the second label.
    F1,
    AccuracyF1,
    /// Mean over the labels of each one's F1.
    MacroF1,
    AccuracyMacroF1,
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

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Training {
    pub sampler: Sampler,
    pub batch: Batch,
    pub epochs: usize,
    /// Optimizer steps; overrides `epochs` where given.
    pub steps: Option<usize>,
    pub optimizer: AdamW,
    pub schedule: Schedule,
    /// Largest norm of the gradient of all parameters together; `None` for no clipping.
    pub clip: Option<f64>,
    /// Probability of dropping an activation in trained parts, in [0, 1).
    pub dropout: f64,
    /// Steps between evaluations; `None`: once an epoch and at the end.
    pub evaluate_every: Option<usize>,
    pub seed: u64,
    /// The most bytes of the constant layers' outputs that are kept on disk from epoch to epoch; `None`: nothing is.
    pub cache: Option<u64>,
    /// Whose objective, scores and optimizer; no setting, but the model's.
    pub fidelity: Fidelity,
}

/// Whose formulas are computed where the paper and the authors' code differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fidelity {
    #[default]
    Paper,
    Reference,
}

/// What a gradient step trains on, over all tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Batch {
    Examples(usize),
    /// As many examples as have so many tokens together; at least the plan's sequence, so that each fits.
    Tokens(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sampler {
    /// MT-Uncertainty: score candidates of every task, train on those of highest U = H / (Hhat * H').
    MtUncertainty {
        /// Candidates drawn a task and scoring (b in the paper, where it equals the batch).
        candidates: usize,
        /// Steps that one scoring serves: the first trains on the best candidates, the next on the next best. 1 is
        /// what the paper does.
        rescore: usize,
    },
    /// A task with probability proportional to its number of examples.
    Proportional,
    /// Every task with the same probability.
    Uniform,
    /// A task of n examples with probability proportional to min(n, cap)^(1/T): T5 (Raffel et al., 2020, section 3.5.2)
    /// and, as exponent 1/T, mT5 (Xue et al., 2021).
    Temperature {
        /// T, from 1: 1 is proportional, and the larger it is, the more alike are the tasks.
        temperature: f64,
        /// The most that a task's size counts for; `None` for no bound.
        cap: Option<usize>,
    },
    /// All examples of the first task in random order, then all of the second, and so on; then again.
    Sequential,
}

impl Sampler {
    /// As the language calls it.
    pub fn name(self) -> &'static str {
        match self {
            Sampler::MtUncertainty { .. } => "mt_uncertainty",
            Sampler::Proportional => "proportional",
            Sampler::Uniform => "uniform",
            Sampler::Temperature { .. } => "temperature",
            Sampler::Sequential => "sequential",
        }
    }
}

/// Decoupled weight decay (Loshchilov and Hutter, 2019); none on biases and norms.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdamW {
    pub lr: f64,
    pub weight_decay: f64,
    pub beta1: f64,
    pub beta2: f64,
    pub epsilon: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// Linear warm-up from 0, then linear decay to 0 at the last step.
    Linear { warmup: Warmup },
    /// Linear warm-up from 0, then constant.
    Constant { warmup: Warmup },
}

impl Schedule {
    pub fn warmup(self) -> Warmup {
        match self {
            Schedule::Linear { warmup } | Schedule::Constant { warmup } => warmup,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Warmup {
    /// Of all steps, in [0, 1].
    Fraction(f64),
    Steps(usize),
}

impl Warmup {
    /// Steps of warm-up in a training of `total` steps; never more than these.
    pub fn steps(self, total: usize) -> usize {
        match self {
            // In [0, total] by the clamp, so that the conversion is exact but for the rounding meant.
            Warmup::Fraction(fraction) => (fraction.clamp(0.0, 1.0) * total as f64).round() as usize,
            Warmup::Steps(steps) => steps.min(total),
        }
    }
}

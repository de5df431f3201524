//! How a model is trained: every setting, defaults filled in.

use std::fmt;

use serde::Serialize;

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Training {
    pub sampler: Sampler,
    pub batch: Batch,
    pub epochs: usize,
    /// Optimizer steps; overrides `epochs` where given.
    pub steps: Option<usize>,
    pub optimizer: AdamW,
    pub schedule: Schedule,
    /// Largest norm of the gradient of all parameters together; `None` for no clipping (`clip off`).
    pub clip: Option<f64>,
    /// Probability of dropping an activation in trained parts, in [0, 1).
    pub dropout: f64,
    /// Steps between evaluations; `None`: once an epoch and at the end.
    pub evaluate_every: Option<usize>,
    pub seed: u64,
    /// The most bytes of the constant layers' outputs that are kept on disk from epoch to epoch; `None`: nothing is.
    pub cache: Option<u64>,
}

/// What a gradient step trains on, over all tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Batch {
    Examples(usize),
    /// As many examples as have so many tokens together; at least the program's sequence.
    Tokens(usize),
}

impl fmt::Display for Batch {
    /// As it is written behind `batch`: "32", "4096 tokens".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Examples(count) => write!(f, "{count}"),
            Self::Tokens(count) => write!(f, "{count} tokens"),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Sampler {
    /// MT-Uncertainty: score candidates of every task, train on those of highest U = H / (Hhat * H').
    MtUncertainty {
        /// Candidates drawn a task and scoring; default: the batch size (b in the paper).
        candidates: usize,
        /// Steps that one scoring serves: the first trains on the best candidates, the next on the next best. 1, the
        /// default, is what the paper does.
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
    /// The words of the language, in the order in which a help lists them.
    pub const NAMES: [&str; 5] = ["mt_uncertainty", "proportional", "uniform", "temperature", "sequential"];
}

/// Decoupled weight decay (Loshchilov and Hutter, 2019); none on biases and norms.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct AdamW {
    pub lr: f64,
    pub weight_decay: f64,
    pub beta1: f64,
    pub beta2: f64,
    pub epsilon: f64,
}

impl Default for AdamW {
    fn default() -> Self {
        Self { lr: 2e-5, weight_decay: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// Linear warm-up from 0, then linear decay to 0 at the last step.
    Linear { warmup: Warmup },
    /// Linear warm-up from 0, then constant.
    Constant { warmup: Warmup },
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Warmup {
    /// Of all steps, in [0, 1].
    Fraction(f64),
    Steps(usize),
}

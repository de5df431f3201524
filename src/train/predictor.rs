//! A trained model in memory: network, tokenizer and plan together, so that it is asked with texts.

use std::fmt;
use std::path::Path;

use super::checkpoint::{self, Which};
use super::network::Network;
use super::plan::{Plan, Task};
use super::predict::{self, PredictError, Prediction};
use super::run::Run;
use super::saved_model::{SavedModel, SavedModelError};
use super::weights;
use crate::data::{Example, Examples, Tokenizer};

/// A trained model that answers; loading is the only way to make one.
pub struct Predictor<N> {
    plan: &'static Plan,
    network: N,
    tokenizer: Tokenizer,
    step: usize,
}

impl<N: Network> Predictor<N> {
    /// Opens a saved model of `plan`; `build` makes its network, which is filled from the checkpoint.
    ///
    /// # Errors
    /// What is missing or unreadable, and a checkpoint of another program: every difference is named.
    pub fn load(
        plan: &'static Plan,
        build: impl FnOnce() -> N,
        saved: impl Into<SavedModel>,
    ) -> Result<Self, SavedModelError> {
        match saved.into() {
            SavedModel::Run { folder, which } => Self::of_run(plan, build, &Run::open(&folder, plan)?, which),
            SavedModel::Checkpoint { folder, tokenizer } => {
                let tokenizer = Tokenizer::open(&tokenizer, plan.backbone.vocab, plan.sequence)?;
                Self::filled(plan, build, &folder, tokenizer)
            }
        }
    }

    /// [`Predictor::load`] of a run that is open.
    pub fn of_run(
        plan: &'static Plan,
        build: impl FnOnce() -> N,
        run: &Run,
        which: Which,
    ) -> Result<Self, SavedModelError> {
        let folder = checkpoint::find(&run.checkpoints(), which)?;
        Self::filled(plan, build, &folder, run.tokenizer(plan)?)
    }

    /// The network of a run with the weights of another file, which is of the authors' code; it counts as step 0.
    pub fn of_weights(
        plan: &'static Plan,
        build: impl FnOnce() -> N,
        run: &Run,
        path: &Path,
    ) -> Result<Self, SavedModelError> {
        let mut network = build();
        weights::load(plan, &mut network.parameters(), path)?;
        Ok(Self { plan, network, tokenizer: run.tokenizer(plan)?, step: 0 })
    }

    fn filled(
        plan: &'static Plan,
        build: impl FnOnce() -> N,
        checkpoint: &Path,
        tokenizer: Tokenizer,
    ) -> Result<Self, SavedModelError> {
        let mut network = build();
        let step = checkpoint::load(checkpoint, plan, &mut network.parameters())?;
        Ok(Self { plan, network, tokenizer, step })
    }

    /// What a task's head says of each text, in their order.
    ///
    /// # Errors
    /// A task that the model does not have.
    pub fn predict(&self, task: &str, texts: &[impl AsRef<str>]) -> Result<Vec<Prediction>, PredictError> {
        self.predict_examples(task, &examples(texts.iter().map(|text| (text.as_ref(), None))))
    }

    /// [`Predictor::predict`] for a task on pairs of texts.
    pub fn predict_pairs(
        &self,
        task: &str,
        pairs: &[(impl AsRef<str>, impl AsRef<str>)],
    ) -> Result<Vec<Prediction>, PredictError> {
        self.predict_examples(task, &examples(pairs.iter().map(|(a, b)| (a.as_ref(), Some(b.as_ref())))))
    }

    /// [`Predictor::predict`] for what was read from a file; targets are not looked at.
    pub fn predict_examples(&self, task: &str, examples: &Examples) -> Result<Vec<Prediction>, PredictError> {
        let task = predict::find_task(self.plan, task)?;
        predict::predict(&self.network, &self.tokenizer, task, examples)
    }

    /// What can be asked, in the model's order.
    pub fn tasks(&self) -> &'static [Task] {
        self.plan.tasks
    }

    pub fn plan(&self) -> &'static Plan {
        self.plan
    }

    /// The step of the training that the checkpoint was made after.
    pub fn step(&self) -> usize {
        self.step
    }

    pub fn network(&self) -> &N {
        &self.network
    }

    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }
}

/// Without the parameters, of which there are too many to read.
impl<N> fmt::Debug for Predictor<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.plan.name;
        f.debug_struct("Predictor").field("model", &name).field("step", &self.step).finish_non_exhaustive()
    }
}

fn examples<'a>(texts: impl Iterator<Item = (&'a str, Option<&'a str>)>) -> Examples {
    let row = |((text_a, text_b), line): ((&str, Option<&str>), u32)| {
        Example::text(text_a, text_b.map(str::to_owned), line)
    };
    Examples::of(texts.zip(1..).map(row).collect())
}

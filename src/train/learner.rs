//! One training step: forward, objective, backward, update.

use dfdx::prelude::{Backward, PutTape};

use super::loss_scale::LossScale;
use super::losses;
use super::network::Network;
use super::optimizer::{Applied, Optimizer, Saved};
use super::plan::{Fidelity, Training};
use crate::data::Goal;
use crate::kernels::{Kernels as _, Pass};
use crate::nn::Batch;

/// A network with its optimizer.
pub struct Learner<N: Network> {
    pub network: N,
    optimizer: Optimizer<N::Device>,
    dropout: f32,
    seed: u64,
    fidelity: Fidelity,
    /// In mixed precision.
    loss_scale: Option<LossScale>,
}

/// What a step measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Stepped {
    /// The objective: weighted mean over the batch.
    pub loss: f64,
    /// Mean over a task's own examples in the batch, without its weight; `None` for a task that has none.
    pub task_losses: Vec<Option<f64>>,
    pub applied: Applied,
}

/// The loss or its gradient is no longer a number. The parameters are those from before the step.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error, miette::Diagnostic)]
#[error("training diverged: in step {step} the {what} is not finite")]
#[diagnostic(
    code(train::diverged),
    help(
        "a lower learning rate (--set lr=...), a longer warm-up or clipping (--set clip=1) keeps it finite"
    )
)]
pub struct Diverged {
    pub step: usize,
    pub what: &'static str,
}

impl<N: Network> Learner<N> {
    /// For a training of `total` steps.
    pub fn new(network: N, training: Training, total: usize) -> Self {
        let optimizer = Optimizer::new(training, total);
        let loss_scale = network.device().is_mixed().then(LossScale::new);
        Self {
            network,
            optimizer,
            dropout: training.dropout as f32,
            seed: training.seed,
            fidelity: training.fidelity,
            loss_scale,
        }
    }

    /// For a training of `total` steps that goes on where these were.
    pub fn resume(
        network: N,
        training: Training,
        total: usize,
        optimizer: Vec<Saved>,
        loss_scale: Option<LossScale>,
    ) -> Self {
        let new = Self::new(network, training, total);
        // on another device the factor may be new, or have no use
        let loss_scale = new.loss_scale.map(|start| loss_scale.unwrap_or(start));
        Self { optimizer: Optimizer::resume(training, total, optimizer), loss_scale, ..new }
    }

    pub fn optimizer(&self) -> &Optimizer<N::Device> {
        &self.optimizer
    }

    /// In mixed precision.
    pub fn loss_scale(&self) -> Option<LossScale> {
        self.loss_scale
    }

    /// Trains on one batch as step `step`, from 1. `goals` are in the batch's order; `weights` are the tasks'.
    ///
    /// In mixed precision a step whose gradient is beyond f16 is made again with a smaller factor on the loss.
    ///
    /// # Errors
    /// [`Diverged`], with nothing updated.
    pub fn step(
        &mut self,
        step: usize,
        weights: &[f64],
        batch: &Batch,
        constant: N::Constant,
        goals: &[Goal<'_>],
    ) -> Result<Stepped, Diverged> {
        loop {
            match self.attempt(step, weights, batch, constant.clone(), goals)? {
                Some(stepped) => return Ok(stepped),
                None if self.loss_scale.as_mut().is_some_and(LossScale::overflowed) => {}
                None => return Err(Diverged { step, what: "gradient" }),
            }
        }
    }

    /// `None`, and nothing updated, where the gradient is not finite.
    fn attempt(
        &mut self,
        step: usize,
        weights: &[f64],
        batch: &Batch,
        constant: N::Constant,
        goals: &[Goal<'_>],
    ) -> Result<Option<Stepped>, Diverged> {
        // an odd factor: another seed in every step
        let seed = self.seed.wrapping_add((step as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let forward = tracing::trace_span!(target: "camtl::profile", "forward").entered();
        let device = self.network.device();
        device.recycle();
        let mut pass = Pass::training(device, self.dropout, seed);
        let heads = self.network.logits(constant, batch, &batch.tasks(), &mut pass);
        let (total, task_losses) = losses::objective(heads, weights, goals, self.fidelity, &mut pass);
        let loss = f64::from(total.as_vec()[0]);
        drop(forward);
        if !loss.is_finite() {
            return Err(Diverged { step, what: "loss" });
        }
        let backward = tracing::trace_span!(target: "camtl::profile", "backward").entered();
        let factor = self.loss_scale.map_or(1.0, |scale| scale.factor());
        let total = match self.loss_scale {
            Some(_) => pass.record(&total, |total| total * factor as f32),
            None => total,
        };
        let mut gradients = total.put_tape(pass.tape).backward();
        drop(backward);
        let _span = tracing::trace_span!(target: "camtl::profile", "update").entered();
        let applied = self.optimizer.step(&mut self.network.parameters(), &mut gradients, (step, factor));
        if applied.is_some() {
            self.loss_scale.iter_mut().for_each(LossScale::held);
        }
        Ok(applied.map(|applied| Stepped { loss, task_losses, applied }))
    }
}

//! AdamW over all trained parameters, with the schedule of the learning rate and clipping by the global norm.

use dfdx::prelude::Gradients;

use super::plan::{AdamW, Fidelity, Schedule, Training};
use crate::kernels::{AdamWUpdate, Kernels, Later, Moments};
use crate::nn::Parameter;

mod reference;

/// The factor on the learning rate in step `step`, from 1, of `total`.
///
/// Warm-up rises to 1 at its last step. The linear decay starts at 1 behind it and would be 0 one step after the
/// last, so that no step is without effect.
pub fn factor(schedule: Schedule, step: usize, total: usize) -> f64 {
    let warmup = schedule.warmup().steps(total);
    if step <= warmup {
        return step as f64 / warmup as f64;
    }
    match schedule {
        Schedule::Constant { .. } => 1.0,
        Schedule::Linear { .. } => (total + 1).saturating_sub(step) as f64 / (total - warmup) as f64,
    }
}

/// What a step did, besides changing the parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Applied {
    pub lr: f64,
    /// Norm of the gradient of all trained parameters together, before clipping.
    pub grad_norm: f64,
}

/// The state of AdamW. A parameter without a gradient in a step, as the head of a task that is absent from the
/// batch, is left alone in that step: neither decay nor moments nor its own count of updates move. The authors' code
/// does so until its first gradient.
pub struct Optimizer<D: Kernels> {
    training: Training,
    total: usize,
    /// Of the trained parameters, in the network's order.
    states: Vec<State<D>>,
}

struct State<D: Kernels> {
    moments: D::Moments,
    updates: u64,
}

/// The state of one parameter, for a checkpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct Saved {
    pub updates: u64,
    pub first: Vec<f32>,
    pub second: Vec<f32>,
}

impl<D: Kernels> Optimizer<D> {
    /// For a training of `total` steps.
    pub fn new(training: Training, total: usize) -> Self {
        Self { training, total, states: Vec::new() }
    }

    /// One that goes on from what [`Optimizer::save`] gave.
    pub fn resume(training: Training, total: usize, saved: Vec<Saved>) -> Self {
        let state =
            |Saved { updates, first, second }| State { moments: D::Moments::load(first, second), updates };
        Self { states: saved.into_iter().map(state).collect(), ..Self::new(training, total) }
    }

    /// Updates every parameter that has a gradient; `None`, and no update, where the gradient is not finite. The
    /// gradients are those of the loss times `factor_on_loss`.
    pub fn step(
        &mut self,
        parameters: &mut [&mut dyn Parameter<D>],
        gradients: &mut Gradients<f32, D>,
        (step, factor_on_loss): (usize, f64),
    ) -> Option<Applied> {
        let Training { optimizer, clip, schedule, fidelity, .. } = self.training;
        let trained = || parameters.iter().filter(|parameter| parameter.meta().trained);
        let squares = Later::all(trained().map(|parameter| parameter.squared_norm(gradients)).collect());
        let grad_norm = squares.iter().sum::<f64>().sqrt() / factor_on_loss;
        if !grad_norm.is_finite() {
            return None;
        }
        self.states.resize_with(squares.len(), || State { moments: D::Moments::default(), updates: 0 });

        let lr = match fidelity {
            Fidelity::Paper => optimizer.lr * factor(schedule, step, self.total),
            Fidelity::Reference => optimizer.lr * reference::factor(schedule, step, self.total),
        };
        let scale = match (clip, fidelity) {
            (None, _) => 1.0,
            (Some(clip), Fidelity::Paper) => (clip / grad_norm).min(1.0),
            (Some(clip), Fidelity::Reference) => reference::scale(clip, grad_norm),
        } / factor_on_loss;
        let mut updates = D::Updates::default();
        let trained = parameters.iter_mut().filter(|parameter| parameter.meta().trained);
        for ((parameter, state), square) in trained.zip(&mut self.states).zip(squares) {
            // in the authors' code a head that had a gradient has one of zero in the steps without its task
            let is_moved = fidelity == Fidelity::Reference && state.updates > 0;
            if square == 0.0 && !is_moved {
                continue;
            }
            state.updates += 1;
            let decay = if parameter.meta().decay { optimizer.weight_decay } else { 0.0 };
            let optimizer = AdamW { weight_decay: decay, ..optimizer };
            let update = match fidelity {
                Fidelity::Paper => update(optimizer, lr, state.updates, scale),
                Fidelity::Reference => reference::update(optimizer, lr, state.updates, scale),
            };
            parameter.adamw(&mut state.moments, gradients, &update, &mut updates);
        }
        D::make(updates);
        Some(Applied { lr, grad_norm })
    }

    /// The state of each trained parameter, in the network's order; those without an update yet are empty.
    pub fn save(&self) -> impl Iterator<Item = Saved> {
        self.states.iter().map(|state| {
            let (first, second) = state.moments.save();
            Saved { updates: state.updates, first, second }
        })
    }
}

/// AdamW as its paper has it.
fn update(
    AdamW { weight_decay, beta1, beta2, epsilon, .. }: AdamW,
    lr: f64,
    step: u64,
    scale: f64,
) -> AdamWUpdate {
    AdamWUpdate { lr, weight_decay, beta1, beta2, epsilon, step, scale }
}

#[cfg(test)]
mod tests {
    use super::super::plan::Warmup;
    use super::*;

    #[test]
    fn warm_up_ends_at_one_and_the_decay_would_end_behind_the_last_step() {
        let linear = Schedule::Linear { warmup: Warmup::Steps(2) };
        let factors: Vec<f64> = (1..=6).map(|step| factor(linear, step, 6)).collect();
        assert_eq!(factors, [0.5, 1.0, 1.0, 0.75, 0.5, 0.25]);
        let constant = Schedule::Constant { warmup: Warmup::Steps(2) };
        assert_eq!([1, 2, 6].map(|step| factor(constant, step, 6)), [0.5, 1.0, 1.0]);
    }

    #[test]
    fn a_training_that_is_all_warm_up_has_no_decay() {
        let linear = Schedule::Linear { warmup: Warmup::Fraction(1.0) };
        assert_eq!([1, 4].map(|step| factor(linear, step, 4)), [0.25, 1.0]);
    }
}

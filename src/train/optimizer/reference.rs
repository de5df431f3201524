//! AdamW, its schedule and clipping as the authors' code has them: `AdamW` and `get_linear_schedule_with_warmup` of
//! transformers 2.11, `clip_grad_norm_` of PyTorch.

use crate::kernels::AdamWUpdate;
use crate::train::plan::{AdamW, Schedule};

/// The factor on the learning rate in step `step`, from 1, of `total`: the first step is at 0, warm-up reaches 1 one
/// step after its last.
pub fn factor(schedule: Schedule, step: usize, total: usize) -> f64 {
    let (done, warmup) = (step.saturating_sub(1), schedule.warmup().steps(total));
    if done < warmup {
        return done as f64 / warmup as f64;
    }
    match schedule {
        Schedule::Constant { .. } => 1.0,
        Schedule::Linear { .. } => {
            total.saturating_sub(done) as f64 / total.saturating_sub(warmup).max(1) as f64
        }
    }
}

/// The factor on the gradient, with PyTorch's 1e-6 below it.
pub fn scale(clip: f64, grad_norm: f64) -> f64 {
    (clip / (grad_norm + 1e-6)).min(1.0)
}

/// w' = w - lr c2 / c1 * m / (sqrt(v) + epsilon), w'' = w' - lr decay w', with c1 = 1 - beta1^t, c2 = sqrt(1 - beta2^t).
///
/// Written as the update of the paper, w'' = w (1 - lr decay) - a / c1 * m / (sqrt(v) / c2 + e), that is the one with
/// e = epsilon / c2, so that epsilon is outside of the correction, and a = lr (1 - lr decay), so that the decay comes
/// after the step and shrinks it too.
pub fn update(optimizer: AdamW, lr: f64, step: u64, scale: f64) -> AdamWUpdate {
    let AdamW { weight_decay, beta1, beta2, epsilon, .. } = optimizer;
    let exponent = step.min(i32::MAX as u64) as i32;
    let correction = (1.0 - beta2.powi(exponent)).sqrt();
    let kept = match 1.0 - lr * weight_decay {
        0.0 => 1e-30, // all decays; the quotient stays finite
        kept => kept,
    };
    AdamWUpdate {
        lr: lr * kept,
        weight_decay: weight_decay / kept,
        beta1,
        beta2,
        epsilon: epsilon / correction,
        step,
        scale,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::plan::Warmup;

    #[test]
    fn the_first_step_is_at_zero_and_the_decay_ends_behind_the_last() {
        let linear = Schedule::Linear { warmup: Warmup::Steps(2) };
        let factors: Vec<f64> = (1..=6).map(|step| factor(linear, step, 6)).collect();
        assert_eq!(factors, [0.0, 0.5, 1.0, 0.75, 0.5, 0.25]);
        let constant = Schedule::Constant { warmup: Warmup::Steps(0) };
        assert_eq!(factor(constant, 1, 6), 1.0);
        let all = Schedule::Linear { warmup: Warmup::Fraction(1.0) };
        assert_eq!([1, 4].map(|step| factor(all, step, 4)), [0.0, 0.75]);
    }

    #[test]
    fn the_update_is_theirs_in_other_words() {
        let optimizer = AdamW { lr: 0.0, weight_decay: 0.1, beta1: 0.9, beta2: 0.99, epsilon: 1e-2 };
        let (lr, m, v, w) = (0.3, 0.2, 0.04, 1.5);
        let (c1, c2) = (1.0 - 0.9f64.powi(3), (1.0 - 0.99f64.powi(3)).sqrt());
        let stepped = w - lr * c2 / c1 * m / (f64::sqrt(v) + 1e-2);
        let expected = stepped - lr * 0.1 * stepped;
        let u = update(optimizer, lr, 3, 1.0);
        let found = w * (1.0 - u.lr * u.weight_decay) - u.lr / c1 * m / (f64::sqrt(v) / c2 + u.epsilon);
        assert!((found - expected).abs() < 1e-12, "{found} is not {expected}");
    }
}

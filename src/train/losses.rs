//! The objective: the sum over the tasks of their losses.
//!
//! A task's loss is 1/batch times the sum over its examples in the batch, so that the objective is the mean over the
//! batch. Regression targets come scaled to 0 .. 1 (`Kind::to_unit`).

use dfdx::prelude::{Axis, HasShape, Rank0, SumTo, Tensor};

use crate::data::Target;
use crate::kernels::{Kernels, Training};
use crate::nn::Logits;

/// A loss on the tape.
pub type Loss<D> = Tensor<Rank0, f32, D>;

/// `scale` times the sum of the losses of one head's examples: cross-entropy where they are classes, squared error
/// where they are values.
///
/// # Panics
/// On targets that are missing or of two kinds: training data is read with its labels, under the task's kind.
pub fn loss<D: Kernels>(
    logits: &Logits<D>, // [examples, classes or 1]
    targets: &[Target],
    scale: f32,
    pass: &mut Training<D>,
) -> Loss<D> {
    let shape = *logits.shape();
    let (examples, classes) = shape;
    assert_eq!(examples, targets.len(), "a target an example");
    let device = pass.device.clone();
    if matches!(targets.first(), Some(Target::Value(_))) {
        let values = targets.iter().map(|target| match target {
            Target::Value(value) => *value,
            other => unreachable!("{other:?} among values"),
        });
        let values = device.tensor_from_vec(values.collect(), shape);
        pass.record(logits, |y| (y - values).square().sum::<Rank0, _>() * scale)
    } else {
        // - scale in the column of the target, 0 elsewhere
        let mut weights = vec![0.0; examples * classes];
        for (row, target) in targets.iter().enumerate() {
            match target {
                Target::Class(class) => weights[row * classes + *class as usize] = -scale,
                other => unreachable!("{other:?} among classes"),
            }
        }
        let weights = device.tensor_from_vec(weights, shape);
        pass.record(logits, |x| (x.log_softmax::<Axis<1>>() * weights).sum::<Rank0, _>())
    }
}

#[cfg(test)]
mod tests {
    use dfdx::prelude::{Backward, Cpu, PutTape, TensorFrom};

    use super::*;
    use crate::kernels::Pass;

    /// Loss and gradient of the logits.
    fn run(rows: &[f32], width: usize, targets: &[Target], scale: f32) -> (f32, Vec<f32>) {
        let device = Cpu::default();
        let logits = device.tensor((rows.to_vec(), (rows.len() / width, width)));
        let mut pass = Pass::training(device, 0.0, 0);
        let loss = loss(&logits, targets, scale, &mut pass);
        let value = loss.as_vec()[0];
        let gradients = loss.put_tape(pass.tape).backward();
        (value, gradients.get(&logits).as_vec())
    }

    #[test]
    fn cross_entropy_by_hand() {
        let (loss, gradient) =
            run(&[0.0, 0.0, 3f32.ln(), 0.0], 2, &[Target::Class(1), Target::Class(0)], 0.5);
        let expected = 0.5 * (2f32.ln() + (4f32 / 3.0).ln());
        assert!((loss - expected).abs() < 1e-6, "{loss} is not {expected}");
        for (found, expected) in gradient.iter().zip([0.25, -0.25, -0.125, 0.125]) {
            assert!((found - expected).abs() < 1e-6, "{gradient:?}");
        }
    }

    #[test]
    fn squared_error_by_hand() {
        let (loss, gradient) = run(&[1.0, 4.0], 1, &[Target::Value(3.0), Target::Value(4.5)], 0.5);
        assert!((loss - 0.5 * 4.25).abs() < 1e-6);
        assert_eq!(gradient, [-2.0, -0.5]);
    }
}

//! Gradients of the whole small network, a parameter tensor at a time, against central differences.
//!
//! A random direction v a tensor: (L(p + e v) - L(p - e v)) / 2e against <dL/dp, v>. In f32 the difference has
//! about 1e-3 of noise; a wrong or missing term is off by far more.

use camtl::kernels::{Kernels, Pass, Training};
use camtl::nn::prelude::*;
use dfdx::prelude::{
    Axis, Backward, Cpu, HasShape, PutTape, Rank0, ReshapeTo, Shape, SumTo, Tensor, TensorFrom, TensorFromVec,
};

use crate::support::{Model, batch, noise, random_model};

const STEP: f32 = 4e-3;
const TOLERANCE: f64 = 1e-2;

/// sum(probe * logits) over all tasks, each head on its own sequence.
fn loss<T: Tape<f32, Cpu>>(model: &Model, batch: &Batch, pass: &mut Pass<T, Cpu>) -> Tensor<Rank0, f32, Cpu> {
    let constant = model.encoder.constant(batch, &mut Pass::scoring(Cpu::default()));
    let pooled = model.encoder.encode(constant, batch, pass).pooled;
    let mut total = pass.device.tensor(0.0);
    for (sequence, &task) in batch.segments.tasks().iter().enumerate() {
        let row = Cpu::select(pass, &pooled, &[sequence]);
        let logits = model.heads.logits(task, row, pass);
        let count = logits.shape().num_elements();
        let probe = pass.device.tensor_from_vec(noise(77 + task as u64, count), (count,));
        let part = pass.record(&logits, |x| (x.reshape_like(&(count,)) * probe).sum::<Rank0, Axis<0>>());
        total = pass.record(&part, |part| part + total);
    }
    total
}

fn value(model: &Model, batch: &Batch) -> f64 {
    f64::from(loss(model, batch, &mut Pass::scoring(Cpu::default())).as_vec()[0])
}

#[test]
fn every_parameter_of_the_network() {
    let mut model = random_model(6);
    let batch = batch();
    let mut pass = Training::training(Cpu::default(), 0.0, 1);
    let total = loss(&model, &batch, &mut pass);
    let mut gradients = total.put_tape(pass.tape).backward();

    let count = model.parameters().len();
    let mut checked = 0;
    for i in 0..count {
        let (name, trained, values, gradient) = {
            let parameter = &model.parameters()[i];
            let meta = parameter.meta();
            (meta.name.clone(), meta.trained, parameter.read(), parameter.gradient(&mut gradients))
        };
        // a key's bias shifts all scores of a row alike: its gradient is zero but for rounding
        if !trained || name.ends_with("key.bias") {
            continue;
        }
        let direction = noise(i as u64 + 500, values.len());
        let norm = direction.iter().map(|v| v * v).sum::<f32>().sqrt();
        let mut shifted = |by: f32| {
            let moved: Vec<f32> = values.iter().zip(&direction).map(|(v, d)| v + by * d / norm).collect();
            model.parameters()[i].write(&moved);
            value(&model, &batch)
        };
        let numeric = (shifted(STEP) - shifted(-STEP)) / (2.0 * f64::from(STEP));
        model.parameters()[i].write(&values);
        let analytic: f64 =
            gradient.iter().zip(&direction).map(|(g, d)| f64::from(*g) * f64::from(*d / norm)).sum();
        let size: f64 = gradient.iter().map(|g| f64::from(g * g)).sum::<f64>().sqrt();
        let error = (numeric - analytic).abs() / size.max(1e-1);
        assert!(error < TOLERANCE, "`{name}`: numeric {numeric}, analytic {analytic}, error {error}");
        checked += 1;
    }
    assert!(checked > 50, "only {checked} parameters were checked");
}

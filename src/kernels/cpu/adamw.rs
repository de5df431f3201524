//! The optimizer's arithmetic: gradient norm and AdamW, a parameter at a time.

use dfdx::prelude::{Cpu, Gradients, HasErr, Shape, Tensor};
use rayon::prelude::*;

use super::buffers::values_mut;
use super::simd::vectorized;
use crate::kernels::{AdamWUpdate, Moments};

const CHUNK: usize = 1 << 14;

/// Moments in host memory; empty until the first update.
#[derive(Debug, Default)]
pub struct HostMoments {
    first: Vec<f32>,
    second: Vec<f32>,
}

impl Moments for HostMoments {
    fn save(&self) -> (Vec<f32>, Vec<f32>) {
        (self.first.clone(), self.second.clone())
    }

    fn load(first: Vec<f32>, second: Vec<f32>) -> Self {
        Self { first, second }
    }
}

pub fn squared_norm<S: Shape>(gradients: &mut Gradients<f32, Cpu>, value: &Tensor<S, f32, Cpu>) -> f64 {
    let gradient = gradient(gradients, value);
    // partial sums of fixed chunks, added in order
    let parts: Vec<f64> = gradient
        .par_chunks(CHUNK)
        .map(|chunk| {
            vectorized(
                #[inline(always)]
                || squares(chunk),
            )
        })
        .collect();
    parts.iter().sum()
}

/// Sum of squares, in lanes so that it vectorizes.
#[inline(always)]
fn squares(values: &[f32]) -> f64 {
    let mut lanes = [0.0f64; 16];
    let (chunks, rest) = values.as_chunks::<16>();
    for chunk in chunks {
        for (lane, &g) in lanes.iter_mut().zip(chunk) {
            *lane += f64::from(g) * f64::from(g);
        }
    }
    lanes.iter().sum::<f64>() + rest.iter().map(|&g| f64::from(g) * f64::from(g)).sum::<f64>()
}

pub fn adamw<S: Shape>(
    value: &mut Tensor<S, f32, Cpu>,
    moments: &mut HostMoments,
    gradients: &mut Gradients<f32, Cpu>,
    update: &AdamWUpdate,
) {
    let gradient = gradient(gradients, value);
    let values = values_mut(value);
    moments.first.resize(values.len(), 0.0);
    moments.second.resize(values.len(), 0.0);

    let exponent = update.step.min(i32::MAX as u64) as i32;
    let correction1 = 1.0 - update.beta1.powi(exponent);
    let correction2 = 1.0 - update.beta2.powi(exponent);
    let step_size = (update.lr / correction1) as f32;
    let root_correction = correction2.sqrt() as f32;
    let decay = (1.0 - update.lr * update.weight_decay) as f32;
    let (beta1, beta2) = (update.beta1 as f32, update.beta2 as f32);
    // 1 - beta in f64: in f32 it would be off by 5e-5 for beta = 0.999
    let (rest1, rest2) = ((1.0 - update.beta1) as f32, (1.0 - update.beta2) as f32);
    let (epsilon, scale) = (update.epsilon as f32, update.scale as f32);

    values
        .par_chunks_mut(CHUNK)
        .zip(gradient.par_chunks(CHUNK))
        .zip(moments.first.par_chunks_mut(CHUNK))
        .zip(moments.second.par_chunks_mut(CHUNK))
        .for_each(|(((values, gradient), first), second)| {
            vectorized(
                #[inline(always)]
                || {
                    for (((value, &g), m), v) in values.iter_mut().zip(gradient).zip(first).zip(second) {
                        let g = g * scale;
                        *m = beta1 * *m + rest1 * g;
                        *v = beta2 * *v + rest2 * g * g;
                        *value = *value * decay - step_size * *m / (v.sqrt() / root_correction + epsilon);
                    }
                },
            );
        });
}

fn gradient<'g, S: Shape>(
    gradients: &'g mut Gradients<f32, Cpu>,
    value: &Tensor<S, f32, Cpu>,
) -> &'g mut Vec<f32> {
    match gradients.get_or_alloc_mut(value) {
        Ok(gradient) => gradient,
        Err(error) => out_of_memory(error),
    }
}

/// The only way in which a CPU allocation fails.
fn out_of_memory(error: <Cpu as HasErr>::Err) -> ! {
    panic!("out of memory: {error}")
}

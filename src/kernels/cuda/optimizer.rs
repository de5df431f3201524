//! The norms of gradients, and AdamW: each one kernel for all parameters, a block a part of one.

use dfdx::prelude::{Cuda, CudaError, Gradients, HasShape as _, Shape, Tensor};

use super::address::{At, at, gradient_of, of};
use super::memory::Buffer;
use super::module::{gpu, launch};
use crate::kernels::{AdamWUpdate, Moments};

/// Numbers of a part.
const PART: usize = 1 << 16;

/// Moments in the GPU's memory.
#[derive(Debug, Default)]
pub enum DeviceMoments {
    #[default]
    Empty,
    /// From a checkpoint, before the first update.
    Loaded([Vec<f32>; 2]),
    Kept {
        first: Buffer<f32>,
        second: Buffer<f32>,
        count: usize,
    },
}

impl Moments for DeviceMoments {
    fn save(&self) -> (Vec<f32>, Vec<f32>) {
        let download = |values: &Buffer<f32>, count| match gpu().download(of(values), count) {
            Ok(values) => values,
            Err(error) => panic!("the optimizer's state cannot be read from the GPU: {error:?}"),
        };
        match self {
            Self::Empty => (Vec::new(), Vec::new()),
            Self::Loaded([first, second]) => (first.clone(), second.clone()),
            Self::Kept { first, second, count } => (download(first, *count), download(second, *count)),
        }
    }

    fn load(first: Vec<f32>, second: Vec<f32>) -> Self {
        if first.is_empty() { Self::Empty } else { Self::Loaded([first, second]) }
    }
}

/// A gradient whose norm is asked for; it lives until the answer.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    gradient: At,
    count: usize,
}

pub fn ask<S: Shape>(
    gradients: &mut Gradients<f32, Cuda>,
    value: &Tensor<S, f32, Cuda>,
) -> Result<Asked, CudaError> {
    Ok(Asked { gradient: gradient_of(gradients, value)?, count: value.shape().num_elements() })
}

/// The sums of squares of all of them, with one wait.
pub fn answer(asked: &[Asked]) -> Result<Vec<f64>, CudaError> {
    let gpu = gpu();
    let mut parts = Vec::new(); // address and count of each
    let mut counts = Vec::with_capacity(asked.len());
    for &Asked { gradient, count } in asked {
        let before = parts.len();
        parts.extend(cut(count).map(|(first, count)| [gradient.offset(first).0, count as u64]));
        counts.push(parts.len() - before);
    }
    if parts.is_empty() {
        return Ok(vec![0.0; asked.len()]);
    }
    let sums = gpu.memory::<f32>(parts.len())?;
    let grid = (parts.len(), 1);
    let parts = gpu.upload(parts.concat())?;
    launch!(gpu, "squares", grid, of(&sums), of(&parts))?;
    let sums = gpu.download(of(&sums), grid.0)?;
    let mut rest = sums.as_slice();
    let total = |count| {
        let (own, others) = rest.split_at(count);
        rest = others;
        own.iter().map(|&sum| f64::from(sum)).sum()
    };
    Ok(counts.into_iter().map(total).collect())
}

/// A part of a parameter and what AdamW needs for it; `Update` in kernels.cu.
type Part = [u64; 8];

/// Updates that are asked for, and made together.
#[derive(Debug, Default)]
pub struct Updates {
    parts: Vec<Part>,
}

impl Updates {
    /// One more parameter; its gradient lives until [`Updates::make`].
    pub fn add<S: Shape>(
        &mut self,
        value: &Tensor<S, f32, Cuda>,
        moments: &mut DeviceMoments,
        gradients: &mut Gradients<f32, Cuda>,
        update: &AdamWUpdate,
    ) -> Result<(), CudaError> {
        let (gpu, count) = (gpu(), value.shape().num_elements());
        let [first, second] = match std::mem::take(moments) {
            DeviceMoments::Kept { first, second, .. } => [first, second],
            DeviceMoments::Loaded([first, second]) => [gpu.upload(first)?, gpu.upload(second)?],
            DeviceMoments::Empty => [gpu.zeros(count)?, gpu.zeros(count)?],
        };
        let gradient = gradient_of(gradients, value)?;
        let addresses = [at(value), gradient, of(&first), of(&second)];
        *moments = DeviceMoments::Kept { first, second, count };

        let AdamWUpdate { lr, weight_decay, beta1, beta2, epsilon, step, scale } = *update;
        let exponent = step.min(i32::MAX as u64) as i32;
        let rate = lr / (1.0 - beta1.powi(exponent));
        let root = 1.0 / (1.0 - beta2.powi(exponent)).sqrt();
        let keep = 1.0 - lr * weight_decay;
        let [rate, root, keep, epsilon, scale, beta1, beta2] =
            [rate, root, keep, epsilon, scale, beta1, beta2].map(|value| (value as f32).to_bits());
        self.parts.extend(cut(count).map(|(first, count)| {
            let [value, gradient, m, v] = addresses.map(|address| address.offset(first).0);
            let count = count as u32;
            let [a, b, c, d] = [[count, rate], [root, keep], [epsilon, scale], [beta1, beta2]].map(pair);
            [value, gradient, m, v, a, b, c, d]
        }));
        Ok(())
    }

    pub fn make(self) -> Result<(), CudaError> {
        if self.parts.is_empty() {
            return Ok(());
        }
        let (gpu, grid) = (gpu(), (self.parts.len(), 1));
        let parts = gpu.upload(self.parts.concat())?;
        launch!(gpu, "adamw", grid, of(&parts))
    }
}

/// First number and size of each part of `count`.
fn cut(count: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..count).step_by(PART).map(move |first| (first, PART.min(count - first)))
}

/// Two numbers of 32 bits, the first at the lower address.
fn pair([low, high]: [u32; 2]) -> u64 {
    u64::from(low) | u64::from(high) << 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_part_has_what_is_left() {
        assert_eq!(cut(0).count(), 0);
        assert_eq!(cut(PART).collect::<Vec<_>>(), [(0, PART)]);
        assert_eq!(cut(2 * PART + 3).last(), Some((2 * PART, 3)));
    }
}

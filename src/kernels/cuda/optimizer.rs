//! The norm of a gradient, and AdamW, one kernel a parameter.

use cudarc::driver::CudaSlice;
use dfdx::prelude::{Cuda, CudaError, Gradients, HasShape as _, Rank0, Shape, Tensor};

use super::address::{at, fresh, gradient_of, of};
use super::module::{Gpu, THREADS, gpu, launch};
use crate::kernels::{AdamWUpdate, Moments};

/// Numbers of which one block makes the sum.
const SMALL: usize = 64 * THREADS;
/// Blocks that make a sum's parts.
const PARTS: usize = 512;

/// Moments in the GPU's memory.
#[derive(Debug, Default)]
pub enum DeviceMoments {
    #[default]
    Empty,
    /// From a checkpoint, before the first update.
    Loaded([Vec<f32>; 2]),
    Kept([CudaSlice<f32>; 2]),
}

impl Moments for DeviceMoments {
    fn save(&self) -> (Vec<f32>, Vec<f32>) {
        let download = |values| match gpu().download(values) {
            Ok(values) => values,
            Err(error) => panic!("the optimizer's state cannot be read from the GPU: {error:?}"),
        };
        match self {
            Self::Empty => (Vec::new(), Vec::new()),
            Self::Loaded([first, second]) => (first.clone(), second.clone()),
            Self::Kept([first, second]) => (download(first), download(second)),
        }
    }

    fn load(first: Vec<f32>, second: Vec<f32>) -> Self {
        if first.is_empty() { Self::Empty } else { Self::Loaded([first, second]) }
    }
}

/// Sum of the squares of the gradient of `value`, left on the GPU.
pub fn squared_norm<S: Shape>(
    gradients: &mut Gradients<f32, Cuda>,
    value: &Tensor<S, f32, Cuda>,
) -> Result<Tensor<Rank0, f32, Cuda>, CudaError> {
    let (gpu, count) = (gpu(), value.shape().num_elements());
    let gradient = gradient_of(gradients, value)?;
    let (sum, out) = fresh(value.device(), ())?;
    if count <= SMALL {
        launch!(gpu, "squares", (1, 1), out, gradient, count)?;
        return Ok(sum);
    }
    let parts = gpu.memory::<f32>(PARTS)?;
    launch!(gpu, "squares", (PARTS, 1), of(&parts), gradient, count)?;
    launch!(gpu, "total", (1, 1), out, of(&parts), PARTS)?;
    Ok(sum)
}

pub fn adamw<S: Shape>(
    value: &Tensor<S, f32, Cuda>,
    moments: &mut DeviceMoments,
    gradients: &mut Gradients<f32, Cuda>,
    update: &AdamWUpdate,
) -> Result<(), CudaError> {
    let (gpu, count) = (gpu(), value.shape().num_elements());
    *moments = DeviceMoments::Kept(match std::mem::take(moments) {
        DeviceMoments::Kept(kept) => kept,
        DeviceMoments::Loaded([first, second]) => [gpu.upload(first)?, gpu.upload(second)?],
        DeviceMoments::Empty => [gpu.zeros(count)?, gpu.zeros(count)?],
    });
    let DeviceMoments::Kept([first, second]) = moments else { unreachable!("it was just set") };
    let AdamWUpdate { lr, weight_decay, beta1, beta2, epsilon, step, scale } = *update;
    let exponent = step.min(i32::MAX as u64) as i32;
    launch!(
        gpu,
        "adamw",
        Gpu::stride(count),
        at(value),
        gradient_of(gradients, value)?,
        of(first),
        of(second),
        count,
        scale as f32,
        beta1 as f32,
        beta2 as f32,
        (lr / (1.0 - beta1.powi(exponent))) as f32,
        (1.0 / (1.0 - beta2.powi(exponent)).sqrt()) as f32,
        epsilon as f32,
        (1.0 - lr * weight_decay) as f32
    )
}

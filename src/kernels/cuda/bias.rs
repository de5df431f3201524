//! The task's bias M(z) of conditional attention, made of its blocks.

use dfdx::prelude::{Cuda, CudaError, HasShape as _, Tape, Tensor};

use super::address::{at, fresh, gradient_of, slot};
use super::module::{THREADS, gpu, launch};
use crate::kernels::{BlockShape, Matrix, Pass};

pub fn block_bias<T: Tape<f32, Cuda>>(
    pass: &mut Pass<T, Cuda>,
    values: &Tensor<(usize,), f32, Cuda>,
    gamma: &Matrix<Cuda>,
    beta: &Matrix<Cuda>,
    shape: BlockShape,
) -> Result<Matrix<Cuda>, CudaError> {
    let (gpu, tasks, entries) = (gpu(), gamma.shape().0, shape.entries());
    let BlockShape { block, blocks, .. } = shape;
    let rest = shape.size(blocks - 1);
    let (y, out) = fresh(&pass.device, (tasks, entries))?;
    let grid = (entries.div_ceil(THREADS), tasks);
    launch!(gpu, "block_bias", grid, out, at(values), at(gamma), at(beta), entries, block, blocks, rest)?;
    if T::OWNS_TAPE {
        let (ghost, values, gamma, beta) = (y.ghost(), values.clone(), gamma.clone(), beta.clone());
        pass.tape.add_backward_op(move |gradients| {
            let dy = slot(gradients.get_or_alloc_mut(&ghost)?);
            let dvalues = gradient_of(gradients, &values)?;
            let scale = at(&gamma);
            let grid = (entries.div_ceil(THREADS), usize::from(tasks > 0));
            launch!(gpu, "block_bias_values", grid, dvalues, dy, scale, tasks, entries, block, blocks, rest)?;
            let (dgamma, dbeta) = (gradient_of(gradients, &gamma)?, gradient_of(gradients, &beta)?);
            let grid = ((block * block).div_ceil(THREADS), tasks);
            let of_blocks = at(&values);
            launch!(
                gpu,
                "block_bias_generators",
                grid,
                dgamma,
                dbeta,
                dy,
                of_blocks,
                entries,
                block,
                blocks,
                rest
            )
        });
    }
    Ok(y)
}

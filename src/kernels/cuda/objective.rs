//! The objective's sums of weighted cross-entropies.

use dfdx::prelude::{Cuda, CudaError, HasShape as _, Rank0, Tape, Tensor};

use super::address::{at, fresh, gradient_of, of, slot};
use super::module::{THREADS, gpu, launch};
use crate::kernels::{Matrix, Pass};

pub fn log_likelihood<T: Tape<f32, Cuda>>(
    pass: &mut Pass<T, Cuda>,
    x: &Matrix<Cuda>,
    weights: Vec<f32>,
) -> Result<Tensor<Rank0, f32, Cuda>, CudaError> {
    let (gpu, (rows, width)) = (gpu(), *x.shape());
    let weights = gpu.upload(weights)?;
    let grid = (rows.div_ceil(THREADS / 32), 1);
    let (y, out) = fresh(&pass.device, ())?;
    let sums = gpu.memory::<f32>(rows)?;
    launch!(gpu, "log_likelihood", grid, of(&sums), at(x), of(&weights), rows, width)?;
    launch!(gpu, "total", (1, 1), out, of(&sums), rows)?;
    if T::OWNS_TAPE {
        let (ghost, x) = (y.ghost(), x.clone());
        pass.tape.add_backward_op(move |gradients| {
            let d = slot(gradients.get_or_alloc_mut(&ghost)?);
            let dx = gradient_of(gradients, &x)?;
            launch!(gpu, "log_likelihood_backward", grid, dx, d, at(&x), of(&weights), rows, width)
        });
    }
    Ok(y)
}

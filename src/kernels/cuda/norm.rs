//! The norm, alone and at the end of a layer's half.

use dfdx::prelude::{Cuda, CudaError, Gradients, HasShape as _, Tape};

use super::address::{At, at, fresh, gradient_of, of, slot};
use super::memory::Buffer;
use super::module::{Gpu, gpu, launch};
use super::products::Operand;
use super::tables::tiles;
use crate::kernels::pass::Mask;
use crate::kernels::{Pass, Residual, Segments, Tokens};

/// Key, threshold and scale of a mask, as kernels take them; a threshold of 0 drops nothing.
pub fn parts(mask: Option<Mask>) -> (u32, u32, f32) {
    mask.map_or((0, 0, 1.0), Mask::parts)
}

pub fn norm<const HIDDEN: usize, T: Tape<f32, Cuda>>(
    pass: &mut Pass<T, Cuda>,
    x: &Tokens<HIDDEN, Cuda>,
    (gamma, beta): (&Tokens<HIDDEN, Cuda>, &Tokens<HIDDEN, Cuda>),
    epsilon: f32,
    segments: &Segments,
    learn: bool,
) -> Result<Tokens<HIDDEN, Cuda>, CudaError> {
    let (gpu, rows) = (gpu(), x.shape().0);
    let (y, out) = fresh(&pass.device, *x.shape())?;
    let copy = gpu.memory(rows * HIDDEN)?;
    gpu.copy(of(&copy), at(x), rows * HIDDEN)?;
    let (gamma, beta, segments) = (gamma.clone(), beta.clone(), segments.clone());
    let ended = Ended { weights: Weights { gamma, beta, epsilon, segments, learn }, mask: None, rows };
    let kept = ended.forward(gpu, copy, None, None, out)?;
    if T::OWNS_TAPE {
        let (ghost, x) = (y.ghost(), x.clone());
        pass.tape.add_backward_op(move |gradients| {
            let dy = slot(gradients.get_or_alloc_mut(&ghost)?);
            let dx = gradient_of(gradients, &x)?;
            ended.backward(gpu, gradients, &kept, dy, Some(dx), (None, None))
        });
    }
    Ok(y)
}

/// What a norm multiplies with and adds.
pub struct Weights<const HIDDEN: usize> {
    gamma: Tokens<HIDDEN, Cuda>,
    beta: Tokens<HIDDEN, Cuda>,
    epsilon: f32,
    segments: Segments,
    learn: bool,
}

/// norm(dropout(product + bias) + residual), all but the product.
pub struct Ended<const HIDDEN: usize> {
    weights: Weights<HIDDEN>,
    mask: Option<Mask>,
    rows: usize,
}

/// What its backward half reads.
pub struct Kept {
    /// What was normalized, `[rows, HIDDEN]`.
    sum: Buffer<f32>,
    /// Its mean and 1 / sigma, `[rows, 2]`.
    statistics: Buffer<f32>,
}

impl<const HIDDEN: usize> Ended<HIDDEN> {
    /// The residual's tensor is returned beside it.
    pub fn new(residual: Residual<HIDDEN, Cuda>, mask: Option<Mask>) -> (Self, Tokens<HIDDEN, Cuda>) {
        let Residual { x, gamma, beta, epsilon, segments, learn } = residual;
        let rows = x.shape().0;
        (Self { weights: Weights { gamma, beta, epsilon, segments, learn }, mask, rows }, x)
    }

    fn tasks(&self) -> Result<Option<At>, CudaError> {
        let Weights { gamma, segments, .. } = &self.weights;
        if gamma.shape().0 == 1 { Ok(None) } else { Ok(Some(segments.tables()?.tasks_of_rows())) }
    }

    /// Writes y to `out`; `product` becomes what is kept.
    pub fn forward(
        &self,
        gpu: &Gpu,
        product: Buffer<f32>,
        bias: Option<At>,
        residual: Option<At>,
        out: At,
    ) -> Result<Kept, CudaError> {
        let Weights { gamma, beta, epsilon, .. } = &self.weights;
        let (key, threshold, scale) = parts(self.mask);
        let kept = Kept { sum: product, statistics: gpu.memory(2 * self.rows)? };
        launch!(
            gpu,
            "residual_norm",
            (self.rows, 1),
            of(&kept.sum),
            bias,
            residual,
            at(gamma),
            at(beta),
            self.tasks()?,
            of(&kept.statistics),
            out,
            *epsilon,
            HIDDEN,
            key,
            threshold,
            scale
        )?;
        Ok(kept)
    }

    /// Adds to the gradients of gamma and beta, and to `dresidual`; writes that of product + bias.
    pub fn backward(
        &self,
        gpu: &Gpu,
        gradients: &mut Gradients<f32, Cuda>,
        Kept { sum, statistics }: &Kept,
        dy: At,
        dresidual: Option<At>,
        (dproduct, half): (Option<At>, Option<At>),
    ) -> Result<(), CudaError> {
        let Weights { gamma, beta, segments, learn, .. } = &self.weights;
        let (key, threshold, scale) = parts(self.mask);
        launch!(
            gpu,
            "residual_norm_backward",
            (self.rows, 1),
            dy,
            of(sum),
            of(statistics),
            at(gamma),
            self.tasks()?,
            dresidual,
            dproduct,
            half,
            HIDDEN,
            key,
            threshold,
            scale
        )?;
        if !learn {
            return Ok(());
        }
        let sums = Sums { dy, x: of(sum), statistics: Some(of(statistics)), width: HIDDEN };
        add_sums(gpu, gradients, sums, (gamma, beta), segments)
    }

    /// The gradient of product + bias, ready for products: see [`Ended::backward`].
    pub fn product_gradient(
        &self,
        gpu: &Gpu,
        gradients: &mut Gradients<f32, Cuda>,
        kept: &Kept,
        dy: At,
        dresidual: At,
    ) -> Result<(Buffer<f32>, Operand), CudaError> {
        let dproduct = gpu.memory(self.rows * HIDDEN)?;
        let operand = Operand::room(gpu, of(&dproduct), self.rows * HIDDEN)?;
        let to = (Some(of(&dproduct)), operand.half());
        self.backward(gpu, gradients, kept, dy, Some(dresidual), to)?;
        Ok((dproduct, operand))
    }
}

/// What the gradients of gamma and beta are summed from: dy * (x - mean) / sigma, or dy * x, and dy.
pub struct Sums {
    pub dy: At,
    pub x: At,
    pub statistics: Option<At>,
    pub width: usize,
}

/// Adds the sums over the rows of each task, or over all rows, to the gradients of gamma and beta.
pub fn add_sums<const WIDTH: usize>(
    gpu: &Gpu,
    gradients: &mut Gradients<f32, Cuda>,
    Sums { dy, x, statistics, width }: Sums,
    (gamma, beta): (&Tokens<WIDTH, Cuda>, &Tokens<WIDTH, Cuda>),
    segments: &Segments,
) -> Result<(), CudaError> {
    let (tables, sequences) = (segments.tables()?, segments.sequences());
    let parts = gpu.memory::<f32>(2 * sequences * width)?;
    let (sums, products) = (of(&parts), of(&parts).offset(sequences * width));
    let grid = (width.div_ceil(32), sequences);
    launch!(gpu, "sum_parts", grid, sums, products, dy, x, statistics, tables.starts(), 0u32, 0u32, width)?;
    for (parameter, parts) in [(gamma, products), (beta, sums)] {
        let out = gradient_of(gradients, parameter)?;
        if parameter.shape().0 == 1 {
            let grid = (usize::from(sequences > 0), tiles(width));
            launch!(gpu, "add_rows", grid, out, parts, None, None, None, sequences, width)?;
        } else {
            let (starts, order) = (tables.task_starts(), tables.by_task());
            launch!(
                gpu,
                "add_rows",
                (tables.tasks, tiles(width)),
                out,
                parts,
                starts,
                order,
                None,
                0u32,
                width
            )?;
        }
    }
    Ok(())
}

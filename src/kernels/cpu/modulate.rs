//! Modulation by gamma(z) and beta(z): FiLM on activations, and on the blocks of the attention bias.

use dfdx::prelude::{Cpu, HasShape, Tape, Tensor, TensorFromVec};
use rayon::prelude::*;

use super::buffers::{map_rows, values};
use super::simd::vectorized;
use super::{span, take_gradient, tokens};
use crate::kernels::{BlockShape, Matrix, Pass, Segments, Tokens};

/// Rows a task of rayon.
const ROWS: usize = 64;

/// Where the gamma of a row begins: at 0 if all rows share one, else at the row's task.
#[inline(always)]
pub fn row_of<const HIDDEN: usize>(gamma: &[f32], segments: &Segments, row: usize) -> usize {
    if gamma.len() == HIDDEN { 0 } else { segments.row_tasks()[row] * HIDDEN }
}

/// Sums of gradients of gamma and beta over many rows, in a fixed number of parts.
pub struct Parts<const HIDDEN: usize> {
    gamma: Vec<f32>,
    beta: Vec<f32>,
}

impl<const HIDDEN: usize> Parts<HIDDEN> {
    /// `add(row, dgamma, dbeta)` adds one row's share; `len` is gamma's length.
    pub fn sum(rows: usize, len: usize, add: impl Fn(usize, &mut [f32], &mut [f32]) + Sync) -> Self {
        const PARTS: usize = 8;
        let share = rows.div_ceil(PARTS).max(1);
        let parts: Vec<Self> = (0..PARTS)
            .into_par_iter()
            .map(|part| {
                let mut sum = Self { gamma: vec![0.0; len], beta: vec![0.0; len] };
                vectorized(
                    #[inline(always)]
                    || {
                        for row in (part * share).min(rows)..((part + 1) * share).min(rows) {
                            add(row, &mut sum.gamma, &mut sum.beta);
                        }
                    },
                );
                sum
            })
            .collect();
        let mut total = Self { gamma: vec![0.0; len], beta: vec![0.0; len] };
        for part in &parts {
            part.add_gamma(&mut total.gamma);
            part.add_beta(&mut total.beta);
        }
        total
    }

    pub fn add_gamma(&self, to: &mut [f32]) {
        to.iter_mut().zip(&self.gamma).for_each(|(sum, &part)| *sum += part);
    }

    pub fn add_beta(&self, to: &mut [f32]) {
        to.iter_mut().zip(&self.beta).for_each(|(sum, &part)| *sum += part);
    }
}

pub fn film<const HIDDEN: usize, T: Tape<f32, Cpu>>(
    pass: &mut Pass<T, Cpu>,
    x: &Tokens<HIDDEN, Cpu>,
    gamma: &Tokens<HIDDEN, Cpu>,
    beta: &Tokens<HIDDEN, Cpu>,
    segments: &Segments,
) -> Tokens<HIDDEN, Cpu> {
    let _span = span!("film");
    let rows = x.shape().0;
    let (input, scale, shift) = (values(x), values(gamma), values(beta)); // gamma, beta: [tasks, HIDDEN]
    let modulate = |first: usize, block: &mut [f32]| {
        vectorized(
            #[inline(always)]
            || {
                for (i, row) in block.chunks_exact_mut(HIDDEN).enumerate() {
                    let at = row_of::<HIDDEN>(scale, segments, first + i);
                    for ((x, &g), &b) in row.iter_mut().zip(&scale[at..]).zip(&shift[at..]) {
                        *x = x.mul_add(g, b);
                    }
                }
            },
        );
    };
    let y = map_rows((rows, HIDDEN), ROWS, |row| &input[row * HIDDEN..][..HIDDEN], modulate);
    let y = tokens(&pass.device, y, rows);

    if T::OWNS_TAPE {
        let (ghost, x, gamma, beta) = (y.ghost(), x.clone(), gamma.clone(), beta.clone());
        let segments = segments.clone();
        pass.tape.add_backward_op(move |gradients| {
            let _span = span!("film", backward);
            let dy = take_gradient!(gradients, &ghost);
            let (input, scale) = (values(&x), values(&gamma));
            let parts = Parts::<HIDDEN>::sum(rows, scale.len(), |row, dgamma, dbeta| {
                let at = row_of::<HIDDEN>(scale, &segments, row);
                let (dy, x) = (&dy[row * HIDDEN..][..HIDDEN], &input[row * HIDDEN..][..HIDDEN]);
                let (dgamma, dbeta) = (&mut dgamma[at..][..HIDDEN], &mut dbeta[at..][..HIDDEN]);
                for (((dgamma, dbeta), &dy), &x) in dgamma.iter_mut().zip(dbeta).zip(dy).zip(x) {
                    *dgamma += dy * x;
                    *dbeta += dy;
                }
            });
            parts.add_gamma(gradients.get_or_alloc_mut(&gamma)?);
            parts.add_beta(gradients.get_or_alloc_mut(&beta)?);
            let dx = gradients.get_or_alloc_mut(&x)?;
            dx.par_chunks_mut(ROWS * HIDDEN).zip(dy.par_chunks(ROWS * HIDDEN)).enumerate().for_each(
                |(n, (dx, dy))| {
                    vectorized(
                        #[inline(always)]
                        || {
                            for (i, (dx, dy)) in
                                dx.chunks_exact_mut(HIDDEN).zip(dy.chunks_exact(HIDDEN)).enumerate()
                            {
                                let at = row_of::<HIDDEN>(scale, &segments, n * ROWS + i);
                                for ((dx, &dy), &g) in dx.iter_mut().zip(dy).zip(&scale[at..][..HIDDEN]) {
                                    *dx += dy * g;
                                }
                            }
                        },
                    );
                },
            );
            Ok(())
        });
    }
    y
}

pub fn block_bias<T: Tape<f32, Cpu>>(
    pass: &mut Pass<T, Cpu>,
    blocks: &Tensor<(usize,), f32, Cpu>,
    gamma: &Matrix<Cpu>,
    beta: &Matrix<Cpu>,
    shape: BlockShape,
) -> Matrix<Cpu> {
    let _span = span!("block_bias");
    let (tasks, width) = *gamma.shape();
    let shared = shape.shared(); // entry -> place in gamma and beta
    let entries = shared.len();
    let (a, scale, shift) = (values(blocks), values(gamma), values(beta));
    let made: Vec<f32> = (0..tasks)
        .flat_map(|task| {
            let (scale, shift) = (&scale[task * width..], &shift[task * width..]);
            a.iter().zip(&shared).map(move |(&a, &at)| a.mul_add(scale[at], shift[at]))
        })
        .collect();
    let y = pass.device.tensor_from_vec(made, (tasks, entries));

    if T::OWNS_TAPE {
        let (ghost, blocks, gamma, beta) = (y.ghost(), blocks.clone(), gamma.clone(), beta.clone());
        pass.tape.add_backward_op(move |gradients| {
            let _span = span!("block_bias", backward);
            let dy = take_gradient!(gradients, &ghost); // [tasks, entries]
            let (a, scale) = (values(&blocks), values(&gamma));
            let da = gradients.get_or_alloc_mut(&blocks)?;
            for (task, dy) in dy.chunks_exact(entries).enumerate() {
                for ((da, &dy), &at) in da.iter_mut().zip(dy).zip(&shared) {
                    *da += dy * scale[task * width + at];
                }
            }
            let dgamma = gradients.get_or_alloc_mut(&gamma)?;
            for (task, dy) in dy.chunks_exact(entries).enumerate() {
                for ((&a, &dy), &at) in a.iter().zip(dy).zip(&shared) {
                    dgamma[task * width + at] += dy * a;
                }
            }
            let dbeta = gradients.get_or_alloc_mut(&beta)?;
            for (task, dy) in dy.chunks_exact(entries).enumerate() {
                for (&dy, &at) in dy.iter().zip(&shared) {
                    dbeta[task * width + at] += dy;
                }
            }
            Ok(())
        });
    }
    y
}

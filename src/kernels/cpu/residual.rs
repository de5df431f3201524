//! What ends both halves of a layer: norm(dropout(x + b) + residual), a block of rows at a time.

use std::mem::MaybeUninit;

use dfdx::prelude::Cpu;
use rayon::prelude::*;

use super::buffers::{Fresh, values};
use super::math::{input_gradient, standardize};
use super::modulate::row_of;
use super::simd::vectorized;
use crate::kernels::pass::Mask;
use crate::kernels::{Residual, Segments};

/// The end of a layer's half, over rows of HIDDEN. Without `norm` it is dropout(x + b).
#[derive(Clone, Copy)]
pub struct End<'a> {
    pub bias: &'a [f32], // [HIDDEN], or nothing
    pub mask: Option<Mask>,
    pub norm: Option<Norm<'a>>,
}

/// A norm, and the residual connection before it, if there is one.
#[derive(Clone, Copy)]
pub struct Norm<'a> {
    pub residual: Option<&'a [f32]>, // [rows, HIDDEN]
    pub gamma: &'a [f32],            // [1 or tasks, HIDDEN]
    pub beta: &'a [f32],
    pub epsilon: f32,
    pub segments: &'a Segments,
}

/// What a half of a layer makes.
pub struct Made {
    pub y: Vec<f32>, // [rows, HIDDEN]
    pub kept: Kept,
}

/// What backward needs of it; all empty without a tape.
#[derive(Default)]
pub struct Kept {
    /// (a - mean) / deviation, `[rows, HIDDEN]`; empty without a norm.
    pub normalized: Vec<f32>,
    /// 1 / deviation, `[rows]`; empty without a norm.
    pub inverse_deviation: Vec<f32>,
    /// `[rows, inner]`
    pub inner: Vec<f32>,
}

/// A block of rows under way, nothing written yet.
pub struct Block<'a> {
    pub first: usize,
    pub rows: usize,
    pub y: &'a mut [MaybeUninit<f32>],
    /// `normalized` and `inverse_deviation` of [`Kept`]; empty where they are not kept.
    pub norm: (&'a mut [MaybeUninit<f32>], &'a mut [f32]),
    /// Empty where it is not kept.
    pub inner: &'a mut [MaybeUninit<f32>],
}

/// Makes `rows` rows of HIDDEN in blocks of `step`, on all cores. `keep`: whether (a norm, an inner width) is kept.
///
/// # Safety
/// `work` writes all of a block's slices.
pub unsafe fn in_blocks<const HIDDEN: usize>(
    (rows, step): (usize, usize),
    (keep_norm, inner): (bool, usize),
    work: impl Fn(Block) + Send + Sync,
) -> Made {
    let kept_rows = if keep_norm { rows } else { 0 };
    let (mut y, mut normalized) = (Fresh::new(rows * HIDDEN), Fresh::new(kept_rows * HIDDEN));
    let (mut inverse_deviation, mut inner_values) = (vec![0.0; kept_rows], Fresh::new(rows * inner));
    let mut norms = normalized.blocks(step * HIDDEN).zip(inverse_deviation.chunks_mut(step));
    let mut inners = inner_values.blocks(step * inner);
    let blocks: Vec<Block> = y
        .blocks(step * HIDDEN)
        .enumerate()
        .map(|(n, y)| Block {
            first: n * step,
            rows: y.len() / HIDDEN,
            y,
            norm: norms.next().unwrap_or_default(),
            inner: inners.next().unwrap_or_default(),
        })
        .collect();
    blocks.into_par_iter().for_each(work);
    // SAFETY: the blocks are all of the buffers, and the caller vouches that each was written.
    unsafe {
        let (y, normalized, inner) = (y.finish(), normalized.finish(), inner_values.finish());
        Made { y, kept: Kept { normalized, inverse_deviation, inner } }
    }
}

impl<'a, const HIDDEN: usize> From<&'a Residual<HIDDEN, Cpu>> for Norm<'a> {
    fn from(residual: &'a Residual<HIDDEN, Cpu>) -> Self {
        Self {
            residual: Some(values(&residual.x)),
            gamma: values(&residual.gamma),
            beta: values(&residual.beta),
            epsilon: residual.epsilon,
            segments: &residual.segments,
        }
    }
}

/// Sums over rows, of a block or of all.
#[derive(Default)]
pub struct Sums {
    pub bias: Vec<f32>,  // [HIDDEN]
    pub gamma: Vec<f32>, // [1 or tasks, HIDDEN]
    pub beta: Vec<f32>,
}

impl Sums {
    /// The sum of parts, in their order.
    pub fn total(parts: impl IntoIterator<Item = Self>) -> Self {
        let add = |sum: &mut [f32], part: &[f32]| sum.iter_mut().zip(part).for_each(|(s, &p)| *s += p);
        parts
            .into_iter()
            .reduce(|mut total, part| {
                add(&mut total.bias, &part.bias);
                add(&mut total.gamma, &part.gamma);
                add(&mut total.beta, &part.beta);
                total
            })
            .unwrap_or_default()
    }
}

impl End<'_> {
    /// Ends rows `first ..`: `y` holds x and becomes the result. `norm` as in [`Block`].
    pub fn forward<const HIDDEN: usize>(
        &self,
        first: usize,
        y: &mut [f32],
        (normalized, inverse_deviations): (&mut [MaybeUninit<f32>], &mut [f32]),
    ) {
        vectorized(
            #[inline(always)]
            || {
                for (i, y) in y.chunks_exact_mut(HIDDEN).enumerate() {
                    let row = first + i;
                    y.iter_mut().zip(self.bias).for_each(|(y, &b)| *y += b);
                    if let Some(mask) = self.mask {
                        mask.apply(row * HIDDEN, y);
                    }
                    let Some(norm) = &self.norm else { continue };
                    if let Some(residual) = norm.residual {
                        let residual = &residual[row * HIDDEN..][..HIDDEN];
                        y.iter_mut().zip(residual).for_each(|(y, &r)| *y += r);
                    }
                    let inverse_deviation = standardize(y, norm.epsilon);
                    if let Some(kept) = inverse_deviations.get_mut(i) {
                        *kept = inverse_deviation;
                        normalized[i * HIDDEN..][..HIDDEN].write_copy_of_slice(y);
                    }
                    let at = row_of::<HIDDEN>(norm.gamma, norm.segments, row);
                    let (gamma, beta) = (&norm.gamma[at..][..HIDDEN], &norm.beta[at..][..HIDDEN]);
                    for ((y, &g), &b) in y.iter_mut().zip(gamma).zip(beta) {
                        *y = y.mul_add(g, b);
                    }
                }
            },
        );
    }

    /// Goes back through rows `first ..`: `dy`, the gradient of the result, becomes that of x. Adds the gradient of what
    /// the norm was made of, which is also the residual's, to `dresidual`, and returns the rows' part of the gradients of bias, gamma and beta.
    pub fn backward<const HIDDEN: usize>(
        &self,
        first: usize,
        dy: &mut [f32],
        Kept { normalized, inverse_deviation, .. }: &Kept, // of all rows
        dresidual: &mut [f32],                             // of these rows; empty without a norm
    ) -> Sums {
        let width = self.norm.map_or(0, |norm| norm.gamma.len());
        let mut sums = Sums { bias: vec![0.0; HIDDEN], gamma: vec![0.0; width], beta: vec![0.0; width] };
        vectorized(
            #[inline(always)]
            || {
                for (i, dy) in dy.chunks_exact_mut(HIDDEN).enumerate() {
                    let row = first + i;
                    if let Some(norm) = &self.norm {
                        let at = row_of::<HIDDEN>(norm.gamma, norm.segments, row);
                        let normalized = &normalized[row * HIDDEN..][..HIDDEN];
                        let (dgamma, dbeta) =
                            (&mut sums.gamma[at..][..HIDDEN], &mut sums.beta[at..][..HIDDEN]);
                        for (((dgamma, dbeta), &dy), &n) in
                            dgamma.iter_mut().zip(dbeta).zip(&*dy).zip(normalized)
                        {
                            *dgamma += dy * n;
                            *dbeta += dy;
                        }
                        input_gradient(dy, &norm.gamma[at..][..HIDDEN], normalized, inverse_deviation[row]);
                        dresidual[i * HIDDEN..][..HIDDEN].iter_mut().zip(&*dy).for_each(|(r, &d)| *r += d);
                    }
                    if let Some(mask) = self.mask {
                        mask.apply(row * HIDDEN, dy);
                    }
                    sums.bias.iter_mut().zip(&*dy).for_each(|(sum, &d)| *sum += d);
                }
            },
        );
        sums
    }
}

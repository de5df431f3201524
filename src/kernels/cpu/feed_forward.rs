//! Two linear layers with GELU in between, and what ends the half of a layer that they are.
//!
//! gelu(x W1^T + b1) goes straight into the second product, a block of rows at a time; kept for backward is only what
//! enters GELU.

use std::mem::MaybeUninit;
use std::ops::Range;

use dfdx::prelude::{Cpu, HasShape, Tape};
use rayon::prelude::*;

use super::buffers::{Fresh, add, assume_init, values, with_scratch};
use super::math::normal;
use super::matmul::{Operand, Right, Rows, Target, block_rows, weight_gradient};
use super::residual::{End, Sums, in_blocks};
use super::simd::vectorized;
use super::{aside, span, take_gradient, tokens};
use crate::kernels::{Dense, Pass, Residual, Tokens};

pub fn feed_forward<const HIDDEN: usize, const INNER: usize, T: Tape<f32, Cpu>>(
    pass: &mut Pass<T, Cpu>,
    x: &Tokens<HIDDEN, Cpu>,
    (up, down): (Dense<HIDDEN, INNER, Cpu>, Dense<INNER, HIDDEN, Cpu>),
    dropout: bool,
    residual: Option<Residual<HIDDEN, Cpu>>,
) -> Tokens<HIDDEN, Cpu> {
    let _span = span!("feed_forward");
    let rows = x.shape().0;
    let mask = if dropout { pass.next_mask() } else { None };
    let (input, shift) = (values(x), values(&up.bias));
    let first = aside::transposed(rows, &up.weight, T::OWNS_TAPE && up.learn);
    let second = aside::transposed(rows, &down.weight, T::OWNS_TAPE && down.learn);
    let step = block_rows(rows);
    let end = End { bias: values(&down.bias), mask, norm: residual.as_ref().map(Into::into) };
    let keep = if T::OWNS_TAPE { (residual.is_some(), INNER) } else { (false, 0) };
    // SAFETY: the second product fills y, the end writes what is kept of the norm, `activate` what enters GELU.
    let made = unsafe {
        in_blocks::<HIDDEN>((rows, step), keep, |block| {
            let left = Operand::rows(&input[block.first * HIDDEN..], HIDDEN);
            let kept = block.inner;
            // a chunk of the inner columns at a time, which stays in the cache between the two products
            first.part(0..HIDDEN, chunk(0, INNER)).with_left(block.rows, left, |left| {
                with_scratch(block.rows * Right::CHUNK.min(INNER), |inner| {
                    for columns in chunks(INNER) {
                        let (width, next) = (columns.len(), chunk(columns.end % INNER, INNER));
                        let inner = &mut inner[..block.rows * width];
                        let up = first.part(0..HIDDEN, columns.clone());
                        let down = second.part(columns.clone(), 0..HIDDEN);
                        up.times(left, Target::over(inner, width), Some(&down));
                        activate::<INNER>(inner, &shift[columns.clone()], columns.start, kept);
                        let target = Target::first(&mut *block.y, HIDDEN, columns.start == 0);
                        let next = first.part(0..HIDDEN, next);
                        down.product(block.rows, Operand::rows(inner, width), target, Some(&next));
                    }
                });
            });
            let y = assume_init(block.y);
            end.forward::<HIDDEN>(block.first, y, block.norm);
        })
    };
    let y = tokens(&pass.device, made.y, rows);

    if T::OWNS_TAPE {
        let (ghost, x, mut kept) = (y.ghost(), x.clone(), made.kept);
        pass.tape.add_backward_op(move |gradients| {
            let _span = span!("feed_forward", backward);
            let mut dy = take_gradient!(gradients, &ghost);
            let end = End { bias: values(&down.bias), mask, norm: residual.as_ref().map(Into::into) };
            let second = Right::new(rows, (HIDDEN, INNER), Operand::rows(values(&down.weight.value), INNER));
            let first = Right::new(rows, (INNER, HIDDEN), Operand::rows(values(&up.weight.value), HIDDEN));
            // Two gradients at a time: the residual's is taken out of the store. Where residual and x are one tensor,
            // x's is then an empty buffer.
            let mut dresidual = match &residual {
                Some(residual) => take_gradient!(gradients, &residual.x),
                None => Vec::new(),
            };
            let dx: &mut Vec<f32> = gradients.get_or_alloc_mut(&x)?;
            let one = dx.is_empty() && rows > 0;

            let mut inner = std::mem::take(&mut kept.inner); // becomes gelu of itself
            let mut dinner = Fresh::new(rows * INNER);
            let mut dx_blocks = dx.chunks_mut(step * HIDDEN);
            let mut dresidual_blocks = dresidual.chunks_mut(step * HIDDEN);
            let blocks: Vec<_> = dy
                .chunks_mut(step * HIDDEN)
                .zip(inner.chunks_mut(step * INNER))
                .zip(dinner.blocks(step * INNER))
                .map(|block| (block, dx_blocks.next(), dresidual_blocks.next().unwrap_or_default()))
                .collect();
            let back = |(n, (((dy, inner), dinner), dx, dresidual)): (usize, (_, Option<&mut [f32]>, _))| {
                let (dy, inner): (&mut [f32], &mut [f32]) = (dy, inner);
                let dinner: &mut [MaybeUninit<f32>] = dinner;
                let dresidual: &mut [f32] = dresidual;
                let count = dy.len() / HIDDEN;
                let sums = end.backward::<HIDDEN>(n * step, dy, &kept, dresidual);
                let dx = dx.unwrap_or(dresidual);
                let mut dbias = vec![0.0; INNER];
                second.part(0..HIDDEN, chunk(0, INNER)).with_left(count, Operand::rows(dy, HIDDEN), |dy| {
                    with_scratch(count * Right::CHUNK.min(INNER), |hot| {
                        for columns in chunks(INNER) {
                            let (width, next) = (columns.len(), chunk(columns.end % INNER, INNER));
                            let hot = &mut hot[..count * width];
                            let up = first.part(columns.clone(), 0..HIDDEN);
                            let down = second.part(0..HIDDEN, columns.clone());
                            down.times(dy, Target::over(hot, width), Some(&up));
                            deactivate::<INNER>(columns.clone(), inner, hot, dinner, &mut dbias[columns]);
                            let next = second.part(0..HIDDEN, next);
                            up.product(
                                count,
                                Operand::rows(hot, width),
                                Target::onto(dx, HIDDEN),
                                Some(&next),
                            );
                        }
                    });
                });
                (sums, Sums { bias: dbias, ..Sums::default() })
            };
            let parts: Vec<(Sums, Sums)> = blocks.into_par_iter().enumerate().map(back).collect();
            // SAFETY: `deactivate` has written every column of every block.
            let dinner = unsafe { dinner.finish() };
            let (sums, inner_sums): (Vec<Sums>, Vec<Sums>) = parts.into_iter().unzip();
            let (sums, inner_sums) = (Sums::total(sums), Sums::total(inner_sums));

            if let Some(residual) = &residual {
                debug_assert!(one || dresidual.len() == rows * HIDDEN);
                **gradients.get_or_alloc_mut(&residual.x)? = dresidual;
                if residual.learn {
                    add(gradients.get_or_alloc_mut(&residual.gamma)?, &sums.gamma);
                    add(gradients.get_or_alloc_mut(&residual.beta)?, &sums.beta);
                }
            }
            if down.learn {
                let (dy, inner) = (Rows::new(&dy, HIDDEN), Rows::new(&inner, INNER));
                weight_gradient(
                    rows,
                    [(gradients.get_or_alloc_mut(&down.weight.aside.gradient)?, dy)],
                    inner,
                );
                add(gradients.get_or_alloc_mut(&down.bias)?, &sums.bias);
            }
            if up.learn {
                let (dinner, x) = (Rows::new(&dinner, INNER), Rows::new(values(&x), HIDDEN));
                weight_gradient(rows, [(gradients.get_or_alloc_mut(&up.weight.aside.gradient)?, dinner)], x);
                add(gradients.get_or_alloc_mut(&up.bias)?, &inner_sums.bias);
            }
            Ok(())
        });
    }
    y
}

/// The inner columns in chunks.
fn chunks(inner: usize) -> impl Iterator<Item = Range<usize>> {
    (0..inner).step_by(Right::CHUNK).map(move |start| chunk(start, inner))
}

/// The chunk that begins at `start`.
fn chunk(start: usize, inner: usize) -> Range<usize> {
    start..inner.min(start + Right::CHUNK)
}

/// x <- gelu(x + bias) for rows x of some columns, from `first` on; what enters GELU goes to `kept`, rows of INNER, if
/// that has room.
fn activate<const INNER: usize>(x: &mut [f32], bias: &[f32], first: usize, kept: &mut [MaybeUninit<f32>]) {
    vectorized(
        #[inline(always)]
        || {
            let mut kept = kept.chunks_exact_mut(INNER);
            for x in x.chunks_exact_mut(bias.len()) {
                x.iter_mut().zip(bias).for_each(|(x, &b)| *x += b);
                if let Some(kept) = kept.next() {
                    kept[first..][..bias.len()].write_copy_of_slice(x);
                }
                x.iter_mut().for_each(|x| *x *= normal(*x).0);
            }
        },
    );
}

/// In some columns of rows of INNER: x <- gelu(x), and dy, rows of these columns alone, <- the gradient of x, from that
/// of gelu(x). Writes dy to its columns of `made` too, and adds its rows to `sum`.
fn deactivate<const INNER: usize>(
    columns: Range<usize>,
    x: &mut [f32],
    dy: &mut [f32],
    made: &mut [MaybeUninit<f32>],
    sum: &mut [f32],
) {
    vectorized(
        #[inline(always)]
        || {
            let rows = x.chunks_exact_mut(INNER).zip(made.chunks_exact_mut(INNER));
            for ((x, made), dy) in rows.zip(dy.chunks_exact_mut(columns.len())) {
                let (x, made) = (&mut x[columns.clone()], &mut made[columns.clone()]);
                for ((x, dy), sum) in x.iter_mut().zip(&mut *dy).zip(sum.iter_mut()) {
                    let (cumulative, density) = normal(*x);
                    *dy *= x.mul_add(density, cumulative); // d(x Phi)/dx = Phi + x phi
                    *sum += *dy;
                    *x *= cumulative;
                }
                made.write_copy_of_slice(dy);
            }
        },
    );
}

//! Layer normalization of an activation alone: that of the embeddings.

use dfdx::prelude::{Cpu, HasShape, Tape};
use rayon::prelude::*;

use super::buffers::{Fresh, add, values};
use super::math::{input_gradient, standardize};
use super::modulate::{Parts, row_of};
use super::simd::vectorized;
use super::{span, take_gradient, tokens};
use crate::kernels::{Pass, Segments, Tokens};

/// Rows a task of rayon.
const ROWS: usize = 64;

pub fn norm<const HIDDEN: usize, T: Tape<f32, Cpu>>(
    pass: &mut Pass<T, Cpu>,
    x: &Tokens<HIDDEN, Cpu>,
    (gamma, beta): (&Tokens<HIDDEN, Cpu>, &Tokens<HIDDEN, Cpu>),
    epsilon: f32,
    segments: &Segments,
    learn: bool,
) -> Tokens<HIDDEN, Cpu> {
    let _span = span!("norm");
    let rows = x.shape().0;
    let (input, scale, shift) = (values(x), values(gamma), values(beta)); // gamma, beta: [1 or tasks, HIDDEN]
    let mut normalized = Fresh::new(if T::OWNS_TAPE { rows * HIDDEN } else { 0 });
    let mut inverse_deviation = vec![0.0f32; rows];
    let mut y = Fresh::new(rows * HIDDEN);
    let kept = normalized.blocks(ROWS * HIDDEN).chain(std::iter::repeat_with(|| &mut [][..]));
    let blocks: Vec<_> =
        y.blocks(ROWS * HIDDEN).zip(kept).zip(inverse_deviation.chunks_mut(ROWS)).enumerate().collect();
    blocks.into_par_iter().for_each(|(n, ((y, kept), inverse_deviation))| {
        vectorized(
            #[inline(always)]
            || {
                for (i, y) in y.chunks_exact_mut(HIDDEN).enumerate() {
                    let row = n * ROWS + i;
                    let y = y.write_copy_of_slice(&input[row * HIDDEN..][..HIDDEN]);
                    inverse_deviation[i] = standardize(y, epsilon);
                    if T::OWNS_TAPE {
                        kept[i * HIDDEN..][..HIDDEN].write_copy_of_slice(y);
                    }
                    let at = row_of::<HIDDEN>(scale, segments, row);
                    for ((y, &g), &b) in y.iter_mut().zip(&scale[at..]).zip(&shift[at..]) {
                        *y = y.mul_add(g, b);
                    }
                }
            },
        );
    });
    // SAFETY: the loop above has written every row of both.
    let (y, normalized) = unsafe { (y.finish(), normalized.finish()) };
    let y = tokens(&pass.device, y, rows);

    if T::OWNS_TAPE {
        let (ghost, x, segments) = (y.ghost(), x.clone(), segments.clone());
        let (gamma, beta) = (gamma.clone(), beta.clone());
        pass.tape.add_backward_op(move |gradients| {
            let _span = span!("norm", backward);
            let mut dy = take_gradient!(gradients, &ghost);
            let scale = values(&gamma);
            if learn {
                // dgamma = sum of dy * normalized, dbeta = sum of dy, over the rows of a task
                let parts = Parts::<HIDDEN>::sum(rows, scale.len(), |row, dgamma, dbeta| {
                    let at = row_of::<HIDDEN>(scale, &segments, row);
                    let (dy, n) = (&dy[row * HIDDEN..][..HIDDEN], &normalized[row * HIDDEN..][..HIDDEN]);
                    let (dgamma, dbeta) = (&mut dgamma[at..][..HIDDEN], &mut dbeta[at..][..HIDDEN]);
                    for (((dgamma, dbeta), &dy), &n) in dgamma.iter_mut().zip(dbeta).zip(dy).zip(n) {
                        *dgamma += dy * n;
                        *dbeta += dy;
                    }
                });
                parts.add_gamma(gradients.get_or_alloc_mut(&gamma)?);
                parts.add_beta(gradients.get_or_alloc_mut(&beta)?);
            }
            dy.par_chunks_mut(ROWS * HIDDEN).enumerate().for_each(|(n, block)| {
                vectorized(
                    #[inline(always)]
                    || {
                        for (i, row) in block.chunks_exact_mut(HIDDEN).enumerate() {
                            let at = n * ROWS + i;
                            let scale = &scale[row_of::<HIDDEN>(scale, &segments, at)..][..HIDDEN];
                            let normalized = &normalized[at * HIDDEN..][..HIDDEN];
                            input_gradient(row, scale, normalized, inverse_deviation[at]);
                        }
                    },
                );
            });
            add(gradients.get_or_alloc_mut(&x)?, &dy);
            Ok(())
        });
    }
    y
}

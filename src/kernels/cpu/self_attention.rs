//! Query, key and value of the tokens, and multi-head attention among those of a sequence.
//!
//! The sequences run in parallel. Kept for backward are query, key and value; the softmax is made again.

use std::mem::MaybeUninit;

use dfdx::prelude::{Cpu, HasShape, Tape};
use rayon::prelude::*;

use super::buffers::{Fresh, add, assume_init, values};
use super::heads::{Bias, Heads, Inputs};
use super::matmul::{Operand, Right, Rows, Target, block_rows, weight_gradient};
use super::residual::Sums;
use super::simd::vectorized;
use super::{aside, linear, span, take_gradient, tokens};
use crate::kernels::{BlockShape, Dense, Matrix, Pass, Segments, Tokens};

pub fn self_attention<const HIDDEN: usize, T: Tape<f32, Cpu>>(
    pass: &mut Pass<T, Cpu>,
    x: &Tokens<HIDDEN, Cpu>,
    dense: [Dense<HIDDEN, HIDDEN, Cpu>; 3],
    heads: usize,
    bias: Option<(Matrix<Cpu>, BlockShape)>,
    segments: &Segments,
) -> Tokens<HIDDEN, Cpu> {
    let _span = span!("self_attention");
    let rows = x.shape().0;
    let heads = Heads { hidden: HIDDEN, heads, mask: pass.next_mask() };
    let projected = project(x, &dense, T::OWNS_TAPE);
    let transposed = transposed(&bias);
    let inputs = Inputs { projected: &projected, bias: bias_of(&transposed), segments };

    let mut context = Fresh::new(rows * HIDDEN);
    by_sequence(&mut context, segments, HIDDEN)
        .into_par_iter()
        .enumerate()
        .for_each(|(sequence, context)| heads.forward(&inputs, sequence, context));
    // SAFETY: every sequence has written its rows, and the sequences are all rows.
    let y = tokens(&pass.device, unsafe { context.finish() }, rows);

    if T::OWNS_TAPE {
        let (ghost, x, segments) = (y.ghost(), x.clone(), segments.clone());
        pass.tape.add_backward_op(move |gradients| {
            let _span = span!("self_attention", backward);
            let dy = take_gradient!(gradients, &ghost);
            let inputs = Inputs { projected: &projected, bias: bias_of(&transposed), segments: &segments };
            let mut dprojected = Fresh::new(rows * 3 * HIDDEN);
            let parts: Vec<Vec<f32>> = by_sequence(&mut dprojected, &segments, 3 * HIDDEN)
                .into_par_iter()
                .enumerate()
                .map(|(sequence, d)| {
                    let range = segments.range(sequence);
                    heads.backward(&inputs, sequence, &dy[range.start * HIDDEN..range.end * HIDDEN], d)
                })
                .collect();
            // SAFETY: every sequence has written its rows, and the sequences are all rows.
            let dprojected = unsafe { dprojected.finish() };
            if let Some((bias, blocks)) = &bias {
                let dbias = gradients.get_or_alloc_mut(bias)?; // [tasks, entries]
                for (sequence, part) in parts.iter().enumerate() {
                    let of_task =
                        &mut dbias[segments.task(sequence) * blocks.entries()..][..blocks.entries()];
                    add(of_task, &blocks.transposed(part));
                }
            }

            // dx = dq Wq + dk Wk + dv Wv
            let rights = dense.each_ref().map(|dense| {
                Right::new(rows, (HIDDEN, HIDDEN), Operand::rows(values(&dense.weight.value), HIDDEN))
            });
            let step = block_rows(rows);
            let rights = rights.each_ref().map(Right::whole);
            let dx: &mut Vec<f32> = gradients.get_or_alloc_mut(&x)?;
            let sums: Vec<Sums> = dx
                .par_chunks_mut(step * HIDDEN)
                .zip(dprojected.par_chunks(step * 3 * HIDDEN))
                .map(|(dx, d)| {
                    for (i, right) in rights.iter().enumerate() {
                        let left = Operand::rows(&d[i * HIDDEN..], 3 * HIDDEN);
                        let next = Some(&rights[(i + 1) % 3]);
                        right.product(dx.len() / HIDDEN, left, Target::onto(dx, HIDDEN), next);
                    }
                    Sums { bias: linear::sum_rows(d, 3 * HIDDEN), ..Sums::default() }
                })
                .collect();
            let dbias = Sums::total(sums).bias;
            for (i, dense) in dense.iter().enumerate().filter(|(_, dense)| dense.learn) {
                add(gradients.get_or_alloc_mut(&dense.bias)?, &dbias[i * HIDDEN..][..HIDDEN]);
            }
            if dense.iter().any(|dense| dense.learn) {
                let part =
                    |i: usize| Rows { values: &dprojected[i * HIDDEN..], width: HIDDEN, stride: 3 * HIDDEN };
                let [mut q, mut k, mut v] = [Vec::new(), Vec::new(), Vec::new()];
                for (dense, taken) in dense.iter().zip([&mut q, &mut k, &mut v]) {
                    *taken = take_gradient!(gradients, &dense.weight.aside.gradient);
                }
                let targets = [(&mut q, part(0)), (&mut k, part(1)), (&mut v, part(2))];
                weight_gradient(rows, targets, Rows::new(values(&x), HIDDEN));
                for (dense, made) in dense.iter().zip([q, k, v]) {
                    **gradients.get_or_alloc_mut(&dense.weight.aside.gradient)? = made;
                }
            }
            Ok(())
        });
    }
    y
}

/// The entries of the transposed blocks.
fn transposed(bias: &Option<(Matrix<Cpu>, BlockShape)>) -> Option<(Vec<f32>, BlockShape)> {
    bias.as_ref().map(|(bias, blocks)| (blocks.transposed(values(bias)), *blocks))
}

fn bias_of(transposed: &Option<(Vec<f32>, BlockShape)>) -> Option<Bias<'_>> {
    transposed.as_ref().map(|(values, blocks)| Bias { values, blocks: *blocks })
}

/// Query, key and value of each token side by side, `[rows, 3 HIDDEN]`.
fn project<const HIDDEN: usize>(
    x: &Tokens<HIDDEN, Cpu>,
    dense: &[Dense<HIDDEN, HIDDEN, Cpu>; 3],
    taped: bool,
) -> Vec<f32> {
    let (rows, input) = (x.shape().0, values(x));
    let shifts = dense.each_ref().map(|dense| values(&dense.bias));
    let rights = dense.each_ref().map(|dense| aside::transposed(rows, &dense.weight, taped && dense.learn));
    let step = block_rows(rows);
    let mut projected = Fresh::new(rows * 3 * HIDDEN);
    let blocks: Vec<_> = projected.blocks(step * 3 * HIDDEN).collect();
    blocks.into_par_iter().enumerate().for_each(|(n, block)| {
        let count = block.len() / (3 * HIDDEN);
        let rights = rights.each_ref().map(Right::whole);
        rights[0].with_left(count, Operand::rows(&input[n * step * HIDDEN..], HIDDEN), |left| {
            for (i, right) in rights.iter().enumerate() {
                right.times(
                    left,
                    Target::new(&mut block[i * HIDDEN..], 3 * HIDDEN),
                    Some(&rights[(i + 1) % 3]),
                );
            }
        });
        // SAFETY: the three products have written all columns.
        let block = unsafe { assume_init(block) };
        vectorized(
            #[inline(always)]
            || {
                for row in block.chunks_exact_mut(3 * HIDDEN) {
                    for (part, shift) in row.chunks_exact_mut(HIDDEN).zip(shifts) {
                        part.iter_mut().zip(shift).for_each(|(x, &b)| *x += b);
                    }
                }
            },
        );
    });
    // SAFETY: the blocks are the whole buffer, and each was written.
    unsafe { projected.finish() }
}

/// One slice a sequence.
fn by_sequence<'a>(
    buffer: &'a mut Fresh,
    segments: &Segments,
    width: usize,
) -> Vec<&'a mut [MaybeUninit<f32>]> {
    let mut rest = buffer.whole();
    (0..segments.sequences())
        .map(|sequence| {
            let (head, tail) = std::mem::take(&mut rest).split_at_mut(segments.range(sequence).len() * width);
            rest = tail;
            head
        })
        .collect()
}

//! Query, key and value of the tokens, and multi-head attention among those of a sequence.
//!
//! The sequences run in parallel. Kept for backward are query, key and value; the softmax is made again.
//!
//! Where not all tokens ask, as in a last layer of which only what heads read is made, queries are made of those that do.

use std::mem::MaybeUninit;
use std::ops::Range;

use dfdx::prelude::{Cpu, HasShape, Tape};
use rayon::prelude::*;

use super::buffers::{Fresh, add, assume_init, values};
use super::embedding::{gather, scatter};
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
    asking: &Segments,
) -> Tokens<HIDDEN, Cpu> {
    let _span = span!("self_attention");
    let asked = asking.rows();
    let heads = Heads { hidden: HIDDEN, heads, mask: pass.next_mask() };
    let some = segments.first_rows(asking);
    let projected = project(x, some.as_deref(), &dense, T::OWNS_TAPE);
    let transposed = transposed(&bias);
    let inputs = projected.inputs(&transposed, (segments, asking));

    let mut context = Fresh::new(asked * HIDDEN);
    by_sequence(&mut context, asking, HIDDEN)
        .into_par_iter()
        .enumerate()
        .for_each(|(sequence, context)| heads.forward(&inputs, sequence, context));
    // SAFETY: every sequence has written its rows, and the sequences are all rows.
    let y = tokens(&pass.device, unsafe { context.finish() }, asked);

    if T::OWNS_TAPE {
        let (ghost, x, segments, asking) = (y.ghost(), x.clone(), segments.clone(), asking.clone());
        pass.tape.add_backward_op(move |gradients| {
            let _span = span!("self_attention", backward);
            let dy = take_gradient!(gradients, &ghost);
            let inputs = projected.inputs(&transposed, (&segments, &asking));
            let (rows, asked) = (segments.rows(), asking.rows());
            let (mut dqueries, mut dpairs) = (Fresh::new(asked * HIDDEN), Fresh::new(rows * 2 * HIDDEN));
            let parts: Vec<Vec<f32>> = by_sequence(&mut dqueries, &asking, HIDDEN)
                .into_par_iter()
                .zip(by_sequence(&mut dpairs, &segments, 2 * HIDDEN))
                .enumerate()
                .map(|(sequence, gradients)| {
                    let range = asking.range(sequence);
                    let dy = &dy[range.start * HIDDEN..range.end * HIDDEN];
                    heads.backward(&inputs, sequence, dy, gradients)
                })
                .collect();
            // SAFETY: every sequence has written its rows, and the sequences are all rows.
            let (dqueries, dpairs) = unsafe { (dqueries.finish(), dpairs.finish()) };
            if let Some((bias, blocks)) = &bias {
                let dbias = gradients.get_or_alloc_mut(bias)?; // [tasks, entries]
                for (sequence, part) in parts.iter().enumerate() {
                    let of_task =
                        &mut dbias[segments.task(sequence) * blocks.entries()..][..blocks.entries()];
                    add(of_task, &blocks.transposed(part));
                }
            }

            // dx = dq Wq + dk Wk + dv Wv
            let dx: &mut Vec<f32> = gradients.get_or_alloc_mut(&x)?;
            let dbias = match &some {
                None => input_gradient(dx, &dense, Some(&dqueries), Some(&dpairs)),
                Some(some) => {
                    let mut of_some = vec![0.0; asked * HIDDEN];
                    let dbias = input_gradient(&mut of_some, &dense, Some(&dqueries), None);
                    scatter::<HIDDEN>(dx, &of_some, some);
                    let of_pairs = input_gradient(dx, &dense, None, Some(&dpairs));
                    [dbias, of_pairs].concat()
                }
            };
            for (i, dense) in dense.iter().enumerate().filter(|(_, dense)| dense.learn) {
                add(gradients.get_or_alloc_mut(&dense.bias)?, &dbias[i * HIDDEN..][..HIDDEN]);
            }
            if dense.iter().any(|dense| dense.learn) {
                let mut taken = [Vec::new(), Vec::new(), Vec::new()];
                for (dense, taken) in dense.iter().zip(&mut taken) {
                    *taken = take_gradient!(gradients, &dense.weight.aside.gradient);
                }
                let [q, k, v] = &mut taken;
                let all = Rows::new(values(&x), HIDDEN);
                let dq = Rows::new(&dqueries, HIDDEN);
                let [dk, dv] = [0, HIDDEN].map(|first| Rows {
                    values: &dpairs[first..],
                    width: HIDDEN,
                    stride: 2 * HIDDEN,
                });
                match &some {
                    None => weight_gradient(rows, [(q, dq), (k, dk), (v, dv)], all),
                    Some(some) => {
                        let some = gather::<HIDDEN>(values(&x), some);
                        weight_gradient(asked, [(q, dq)], Rows::new(&some, HIDDEN));
                        weight_gradient(rows, [(k, dk), (v, dv)], all);
                    }
                }
                for (dense, made) in dense.iter().zip(taken) {
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

/// What attention reads of the tokens.
struct Projected {
    /// Of those that ask, `[asking, HIDDEN]`.
    queries: Vec<f32>,
    /// Key and value of each side by side, `[rows, 2 HIDDEN]`.
    pairs: Vec<f32>,
}

impl Projected {
    fn inputs<'a>(
        &'a self,
        bias: &'a Option<(Vec<f32>, BlockShape)>,
        (segments, asking): (&'a Segments, &'a Segments),
    ) -> Inputs<'a> {
        let bias = bias.as_ref().map(|(values, blocks)| Bias { values, blocks: *blocks });
        Inputs { queries: &self.queries, pairs: &self.pairs, bias, segments, asking }
    }
}

/// Query, key and value; queries of `some` rows, or of all.
fn project<const HIDDEN: usize>(
    x: &Tokens<HIDDEN, Cpu>,
    some: Option<&[usize]>,
    dense: &[Dense<HIDDEN, HIDDEN, Cpu>; 3],
    taped: bool,
) -> Projected {
    let (rows, input) = (x.shape().0, values(x));
    let asked = some.map_or(rows, <[usize]>::len);
    let (mut queries, mut pairs) = (Fresh::new(asked * HIDDEN), Fresh::new(rows * 2 * HIDDEN));
    match some {
        None => products(input, (Some(queries.whole()), Some(pairs.whole())), dense, taped),
        Some(some) => {
            products(&gather::<HIDDEN>(input, some), (Some(queries.whole()), None), dense, taped);
            products(input, (None, Some(pairs.whole())), dense, taped);
        }
    }
    // SAFETY: the products have written both.
    unsafe { Projected { queries: queries.finish(), pairs: pairs.finish() } }
}

/// Where products are written to, if they are wanted.
type Room<'a> = Option<&'a mut [MaybeUninit<f32>]>;

/// Writes the queries of all rows of `input`, their keys and values, or both.
fn products<const HIDDEN: usize>(
    input: &[f32],
    (queries, pairs): (Room, Room),
    dense: &[Dense<HIDDEN, HIDDEN, Cpu>; 3],
    taped: bool,
) {
    let rows = input.len() / HIDDEN;
    let wanted = wanted(queries.is_some(), pairs.is_some());
    let right = |i: usize| aside::transposed(rows, &dense[i].weight, taped && dense[i].learn);
    let rights: Vec<Right> = wanted.clone().map(right).collect();
    let shifts: Vec<&[f32]> = wanted.clone().map(|i| values(&dense[i].bias)).collect();
    let step = block_rows(rows);
    let mut queries = queries.into_iter().flat_map(|queries| queries.chunks_mut(step * HIDDEN));
    let mut pairs = pairs.into_iter().flat_map(|pairs| pairs.chunks_mut(step * 2 * HIDDEN));
    let blocks: Vec<_> =
        input.chunks(step * HIDDEN).map(|input| (input, [queries.next(), pairs.next()])).collect();
    blocks.into_par_iter().for_each(|(input, [mut queries, mut pairs])| {
        let count = input.len() / HIDDEN;
        let rights: Vec<_> = rights.iter().map(Right::whole).collect();
        rights[0].with_left(count, Operand::rows(input, HIDDEN), |left| {
            for (n, i) in wanted.clone().enumerate() {
                let target = match (i, &mut queries, &mut pairs) {
                    (0, Some(queries), _) => Target::new(queries, HIDDEN),
                    (_, _, Some(pairs)) => Target::new(&mut pairs[(i - 1) * HIDDEN..], 2 * HIDDEN),
                    _ => unreachable!("what is wanted has its room"),
                };
                rights[n].times(left, target, Some(&rights[(n + 1) % rights.len()]));
            }
        });
        let (of_queries, of_pairs) = shifts.split_at(usize::from(queries.is_some()));
        for (block, shifts) in [(queries, of_queries), (pairs, of_pairs)] {
            let Some(block) = block else { continue };
            // SAFETY: the products have written all columns.
            let block = unsafe { assume_init(block) };
            vectorized(
                #[inline(always)]
                || {
                    for row in block.chunks_exact_mut(shifts.len() * HIDDEN) {
                        for (part, &shift) in row.chunks_exact_mut(HIDDEN).zip(shifts) {
                            part.iter_mut().zip(shift).for_each(|(x, &b)| *x += b);
                        }
                    }
                },
            );
        }
    });
}

/// Which of query, key and value are meant.
fn wanted(queries: bool, pairs: bool) -> Range<usize> {
    usize::from(!queries)..if pairs { 3 } else { 1 }
}

/// dx += dq Wq + dk Wk + dv Wv, of those that are given. Returns the sums of their rows, one behind the other.
fn input_gradient<const HIDDEN: usize>(
    dx: &mut [f32],
    dense: &[Dense<HIDDEN, HIDDEN, Cpu>; 3],
    dqueries: Option<&[f32]>,
    dpairs: Option<&[f32]>,
) -> Vec<f32> {
    let rows = dx.len() / HIDDEN;
    let wanted = wanted(dqueries.is_some(), dpairs.is_some());
    let right =
        |i: usize| Right::new(rows, (HIDDEN, HIDDEN), Operand::rows(values(&dense[i].weight.value), HIDDEN));
    let rights: Vec<Right> = wanted.clone().map(right).collect();
    let rights: Vec<_> = rights.iter().map(Right::whole).collect();
    let step = block_rows(rows);
    let sums: Vec<Sums> = dx
        .par_chunks_mut(step * HIDDEN)
        .enumerate()
        .map(|(block, dx)| {
            let count = dx.len() / HIDDEN;
            let dqueries = dqueries.map(|d| &d[block * step * HIDDEN..][..count * HIDDEN]);
            let dpairs = dpairs.map(|d| &d[block * step * 2 * HIDDEN..][..count * 2 * HIDDEN]);
            for (n, i) in wanted.clone().enumerate() {
                let left = match (i, dqueries, dpairs) {
                    (0, Some(d), _) => Operand::rows(d, HIDDEN),
                    (_, _, Some(d)) => Operand::rows(&d[(i - 1) * HIDDEN..], 2 * HIDDEN),
                    _ => unreachable!("what is wanted is given"),
                };
                rights[n].product(
                    count,
                    left,
                    Target::onto(dx, HIDDEN),
                    Some(&rights[(n + 1) % rights.len()]),
                );
            }
            let of = |d: Option<&[f32]>, width: usize| d.map_or(Vec::new(), |d| linear::sum_rows(d, width));
            Sums { bias: [of(dqueries, HIDDEN), of(dpairs, 2 * HIDDEN)].concat(), ..Sums::default() }
        })
        .collect();
    Sums::total(sums).bias
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

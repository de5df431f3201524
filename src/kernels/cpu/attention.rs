//! Multi-head self-attention over flat sequences, with the block-diagonal task bias.
//!
//! A sequence at a time, a head at a time; the sequences run in parallel. There is no padding and no mask: a
//! sequence sees its own rows only.

use dfdx::prelude::{Cpu, HasShape, Tape};
use gemm::Parallelism;
use rayon::prelude::*;

use super::buffers::{add, values};
use super::math::{dot, exp, largest, sum};
use super::matmul::{Operand, Target, matmul};
use super::{take_gradient, tokens};
use crate::kernels::pass::Mask;
use crate::kernels::{BlockShape, Matrix, Pass, Segments, Tokens};

pub fn attention<const HIDDEN: usize, T: Tape<f32, Cpu>>(
    pass: &mut Pass<T, Cpu>,
    [query, key, value]: [&Tokens<HIDDEN, Cpu>; 3],
    heads: usize,
    bias: Option<(&Matrix<Cpu>, BlockShape)>,
    segments: &Segments,
) -> Tokens<HIDDEN, Cpu> {
    let rows = query.shape().0;
    let shape = Heads { hidden: HIDDEN, heads };
    let task_bias = bias.map(|(bias, blocks)| TaskBias { values: values(bias), blocks });
    let mask = pass.next_mask();
    let inputs = [query, key, value].map(values);

    let mut context = vec![0.0; rows * HIDDEN];
    let probabilities: Vec<Vec<f32>> = by_sequence(&mut context, segments, HIDDEN)
        .into_par_iter()
        .enumerate()
        .map(|(sequence, output)| {
            let range = segments.range(sequence);
            let [q, k, v] = [0, 1, 2].map(|i: usize| &inputs[i][range.start * HIDDEN..range.end * HIDDEN]);
            let bias = task_bias.as_ref().map(|bias| bias.of(segments.task(sequence)));
            let mask = mask.map(|mask| (mask, sequence));
            forward(shape, [q, k, v], bias, mask, range.len(), output, T::OWNS_TAPE)
        })
        .collect();
    let y = tokens(&pass.device, context, rows);

    if T::OWNS_TAPE {
        let (ghost, segments) = (y.ghost(), segments.clone());
        let (query, key, value) = (query.clone(), key.clone(), value.clone());
        let bias: Option<(Matrix<Cpu>, BlockShape)> = bias.map(|(bias, blocks)| (bias.clone(), blocks));
        pass.tape.add_backward_op(move |gradients| {
            let dy = take_gradient!(gradients, &ghost);
            let inputs = [&query, &key, &value].map(values);
            let mut grads: [Vec<f32>; 3] = [&query, &key, &value].map(|_| vec![0.0; rows * HIDDEN]);
            let [dq, dk, dv] = &mut grads;
            let outputs: Vec<_> = by_sequence(dq, &segments, HIDDEN)
                .into_iter()
                .zip(by_sequence(dk, &segments, HIDDEN))
                .zip(by_sequence(dv, &segments, HIDDEN))
                .collect();
            let bias_gradients: Vec<Vec<f32>> = outputs
                .into_par_iter()
                .enumerate()
                .map(|(sequence, ((dq, dk), dv))| {
                    let range = segments.range(sequence);
                    let slice = range.start * HIDDEN..range.end * HIDDEN;
                    let inputs = [0, 1, 2].map(|i: usize| &inputs[i][slice.clone()]);
                    let mask = mask.map(|mask| (mask, sequence));
                    let blocks = bias.as_ref().map(|(_, blocks)| *blocks);
                    let saved = &probabilities[sequence];
                    backward(shape, inputs, saved, &dy[slice], mask, range.len(), [dq, dk, dv], blocks)
                })
                .collect();
            if let Some((bias, blocks)) = &bias {
                let entries = blocks.entries();
                let dbias = gradients.get_or_alloc_mut(bias)?; // [tasks, entries]
                for (sequence, part) in bias_gradients.iter().enumerate() {
                    let dbias = &mut dbias[segments.task(sequence) * entries..][..entries];
                    dbias.iter_mut().zip(part).for_each(|(sum, &g)| *sum += g);
                }
            }
            for (tensor, part) in [&query, &key, &value].into_iter().zip(&grads) {
                add(gradients.get_or_alloc_mut(tensor)?, part);
            }
            Ok(())
        });
    }
    y
}

#[derive(Clone, Copy)]
struct Heads {
    hidden: usize,
    heads: usize,
}

impl Heads {
    fn width(self) -> usize {
        self.hidden / self.heads
    }

    /// 1 / sqrt(d_head)
    fn scale(self) -> f32 {
        1.0 / (self.width() as f32).sqrt()
    }
}

struct TaskBias<'a> {
    values: &'a [f32],
    blocks: BlockShape,
}

impl<'a> TaskBias<'a> {
    fn of(&self, task: usize) -> (&'a [f32], BlockShape) {
        let entries = self.blocks.entries();
        (&self.values[task * entries..][..entries], self.blocks)
    }
}

/// One mutable slice a sequence.
fn by_sequence<'a>(mut values: &'a mut [f32], segments: &Segments, width: usize) -> Vec<&'a mut [f32]> {
    (0..segments.sequences())
        .map(|sequence| {
            let (head, tail) =
                std::mem::take(&mut values).split_at_mut(segments.range(sequence).len() * width);
            values = tail;
            head
        })
        .collect()
}

/// Factor of dropout on element `row * len + column` of a head's softmax.
#[inline(always)]
fn factor(mask: Option<(Mask, usize)>, head: usize, element: usize) -> f32 {
    mask.map_or(1.0, |(mask, sequence)| mask.attention_factor(sequence, head, element))
}

/// Writes the output of one sequence. Returns its softmax before dropout: `[heads, len, len]` with `keep`, else the
/// last head's.
fn forward(
    shape: Heads,
    [q, k, v]: [&[f32]; 3],
    bias: Option<(&[f32], BlockShape)>,
    mask: Option<(Mask, usize)>,
    len: usize,
    output: &mut [f32],
    keep: bool,
) -> Vec<f32> {
    let (hidden, width) = (shape.hidden, shape.width());
    let square = len * len;
    let mut softmax = vec![0.0; if keep { shape.heads * square } else { square }];
    let mut dropped = vec![0.0; if mask.is_some() { square } else { 0 }];
    for head in 0..shape.heads {
        let scores = &mut softmax[if keep { head * square } else { 0 }..][..square];
        let at = head * width;
        matmul(
            (len, width, len),
            Target { values: scores, stride: len, accumulate: false },
            Operand::rows(&q[at..], hidden),
            Operand::transposed(&k[at..], hidden),
            shape.scale(),
            Parallelism::None,
        );
        if let Some((bias, blocks)) = bias {
            for (row, column, entry, n) in blocks.rows(len) {
                let scores = &mut scores[row * len + column..][..n];
                scores.iter_mut().zip(&bias[entry..]).for_each(|(s, &m)| *s += m);
            }
        }
        scores.chunks_exact_mut(len).for_each(normalize);
        let weights = match mask {
            None => &*scores,
            Some(_) => {
                for (i, (weight, &p)) in dropped.iter_mut().zip(&*scores).enumerate() {
                    *weight = p * factor(mask, head, i);
                }
                &dropped
            }
        };
        matmul(
            (len, len, width),
            Target { values: &mut output[at..], stride: hidden, accumulate: false },
            Operand::rows(weights, len),
            Operand::rows(&v[at..], hidden),
            1.0,
            Parallelism::None,
        );
    }
    softmax
}

/// Softmax of one row, in place.
fn normalize(row: &mut [f32]) {
    let largest = largest(row);
    row.iter_mut().for_each(|s| *s = exp(*s - largest));
    let inverse = 1.0 / sum(row, |s| s);
    row.iter_mut().for_each(|s| *s *= inverse);
}

/// Writes the gradients of q, k, v of one sequence, and returns that of its task's bias entries.
#[expect(clippy::too_many_arguments, reason = "one equation's operands, saved values and results")]
fn backward(
    shape: Heads,
    [q, k, v]: [&[f32]; 3],
    softmax: &[f32],
    dy: &[f32],
    mask: Option<(Mask, usize)>,
    len: usize,
    [dq, dk, dv]: [&mut [f32]; 3],
    blocks: Option<BlockShape>,
) -> Vec<f32> {
    let (hidden, width) = (shape.hidden, shape.width());
    let mut dbias = vec![0.0; blocks.map_or(0, BlockShape::entries)];
    let mut weights = vec![0.0; len * len];
    let mut dscores = vec![0.0; len * len];
    for (head, softmax) in softmax.chunks_exact(len * len).enumerate() {
        let at = head * width;
        for (i, (weight, &p)) in weights.iter_mut().zip(softmax).enumerate() {
            *weight = p * factor(mask, head, i);
        }
        // dV = weights^T dY
        matmul(
            (len, len, width),
            Target { values: &mut dv[at..], stride: hidden, accumulate: false },
            Operand::transposed(&weights, len),
            Operand::rows(&dy[at..], hidden),
            1.0,
            Parallelism::None,
        );
        // dweights = dY V^T
        matmul(
            (len, width, len),
            Target { values: &mut dscores, stride: len, accumulate: false },
            Operand::rows(&dy[at..], hidden),
            Operand::transposed(&v[at..], hidden),
            1.0,
            Parallelism::None,
        );
        // through dropout and softmax: dS = P (dP - sum_j dP_j P_j)
        for (row, (ds, p)) in dscores.chunks_exact_mut(len).zip(softmax.chunks_exact(len)).enumerate() {
            for (j, d) in ds.iter_mut().enumerate() {
                *d *= factor(mask, head, row * len + j);
            }
            let mean = dot(ds, p);
            ds.iter_mut().zip(p).for_each(|(d, &p)| *d = p * (*d - mean));
        }
        if let Some(blocks) = blocks {
            for (row, column, entry, n) in blocks.rows(len) {
                let ds = &dscores[row * len + column..][..n];
                dbias[entry..][..n].iter_mut().zip(ds).for_each(|(sum, &d)| *sum += d);
            }
        }
        // dQ = dS K / sqrt(d_head), dK = dS^T Q / sqrt(d_head)
        matmul(
            (len, len, width),
            Target { values: &mut dq[at..], stride: hidden, accumulate: false },
            Operand::rows(&dscores, len),
            Operand::rows(&k[at..], hidden),
            shape.scale(),
            Parallelism::None,
        );
        matmul(
            (len, len, width),
            Target { values: &mut dk[at..], stride: hidden, accumulate: false },
            Operand::transposed(&dscores, len),
            Operand::rows(&q[at..], hidden),
            shape.scale(),
            Parallelism::None,
        );
    }
    dbias
}

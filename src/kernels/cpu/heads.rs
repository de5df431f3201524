//! softmax(M(z) + Q K^T / sqrt(d_head)) V of one sequence, a head at a time, and its gradients.
//!
//! There is no padding and no mask: a sequence sees its own rows only. Rows of scores lie `stride` apart, a whole
//! number of blocks of the product, and what is done element by element is done to a whole number of vectors
//! ([`wide`]): what lies behind a row's end has the weight 0, or next to it.

use std::mem::MaybeUninit;

use super::buffers::with_scratch;
use super::math::{dot, softmax};
use super::matmul::{Operand, Small, Target};
use super::simd::vectorized;
use crate::kernels::pass::Mask;
use crate::kernels::{BlockShape, Segments};

/// The heads of a layer.
#[derive(Clone, Copy)]
pub struct Heads {
    pub hidden: usize,
    pub heads: usize,
    /// Dropout on the softmax.
    pub mask: Option<Mask>,
}

/// M(z) of the tasks, `[tasks, entries]`.
#[derive(Clone, Copy)]
pub struct Bias<'a> {
    pub values: &'a [f32],
    pub blocks: BlockShape,
}

/// What attention reads.
pub struct Inputs<'a> {
    /// Query, key and value of each token, `[rows, 3 hidden]`.
    pub projected: &'a [f32],
    pub bias: Option<Bias<'a>>,
    pub segments: &'a Segments,
}

/// One sequence's share of [`Inputs`].
struct Sequence<'a> {
    number: usize,
    len: usize,
    projected: &'a [f32], // [len, 3 hidden]
    bias: Option<(&'a [f32], BlockShape)>,
}

impl<'a> Inputs<'a> {
    fn of(&self, sequence: usize, hidden: usize) -> Sequence<'a> {
        let range = self.segments.range(sequence);
        let bias = self.bias.map(|Bias { values, blocks }| {
            (&values[self.segments.task(sequence) * blocks.entries()..][..blocks.entries()], blocks)
        });
        let projected = &self.projected[range.start * 3 * hidden..range.end * 3 * hidden];
        Sequence { number: sequence, len: range.len(), projected, bias }
    }
}

impl Heads {
    fn width(self) -> usize {
        self.hidden / self.heads
    }

    /// Query, key or value (0, 1, 2) of a head, rows `3 hidden` apart.
    fn part<'a>(self, sequence: &Sequence<'a>, which: usize, head: usize) -> &'a [f32] {
        &sequence.projected[which * self.hidden + head * self.width()..]
    }

    /// Writes what the tokens of one sequence attend to, `[len, hidden]`: all of `output`.
    pub fn forward(self, inputs: &Inputs, sequence: usize, output: &mut [MaybeUninit<f32>]) {
        let sequence = inputs.of(sequence, self.hidden);
        let (len, width, stride) = (sequence.len, self.width(), sequence.len.next_multiple_of(32));
        let product = Small::new();
        with_scratch(len * stride, |scores| {
            for head in 0..self.heads {
                self.softmax(&sequence, head, scores, stride);
                if let Some(mask) = self.mask {
                    drop_out(mask, &sequence, head, scores, stride);
                }
                product.product(
                    (len, len, width),
                    Target::new(&mut output[head * width..], self.hidden),
                    Operand::rows(scores, stride),
                    Operand::rows(self.part(&sequence, 2, head), 3 * self.hidden),
                );
            }
        });
    }

    /// softmax(M(z) + Q K^T / sqrt(d_head)), `[len, len]`.
    fn softmax(self, sequence: &Sequence, head: usize, scores: &mut [f32], stride: usize) {
        let len = sequence.len;
        Small::new().product(
            (len, self.width(), len),
            Target::over(scores, stride),
            Operand::rows(self.part(sequence, 0, head), 3 * self.hidden),
            Operand::transposed(self.part(sequence, 1, head), 3 * self.hidden),
        );
        let scale = self.scale();
        vectorized(
            #[inline(always)]
            || {
                if let Some((bias, blocks)) = sequence.bias {
                    // the scale follows; here it is taken out of the bias
                    let inverse = 1.0 / scale;
                    for (row, column, entry, n) in blocks.rows(len) {
                        let scores = &mut scores[row * stride + column..][..n];
                        scores.iter_mut().zip(&bias[entry..]).for_each(|(s, &m)| *s = m.mul_add(inverse, *s));
                    }
                }
                for row in scores.chunks_exact_mut(stride) {
                    row[len..wide(len)].fill(f32::MIN);
                    softmax(&mut row[..wide(len)], scale);
                }
            },
        );
    }

    /// 1 / sqrt(d_head)
    fn scale(self) -> f32 {
        1.0 / (self.width() as f32).sqrt()
    }

    /// Writes the gradient of one sequence's query, key and value, `[len, 3 hidden]` (all of `gradient`), and returns that of its task's
    /// bias entries. `dy` is the gradient of what `forward` wrote.
    pub fn backward(
        self,
        inputs: &Inputs,
        sequence: usize,
        dy: &[f32],
        gradient: &mut [MaybeUninit<f32>],
    ) -> Vec<f32> {
        let sequence = inputs.of(sequence, self.hidden);
        let (len, stride) = (sequence.len, sequence.len.next_multiple_of(32));
        let mut dbias = vec![0.0; sequence.bias.map_or(0, |(_, blocks)| blocks.entries())];
        with_scratch(3 * len * stride, |scratch| {
            let (softmax, scratch) = scratch.split_at_mut(len * stride);
            let (dropped, dscores) = scratch.split_at_mut(len * stride);
            for head in 0..self.heads {
                self.softmax(&sequence, head, softmax, stride);
                self.head_gradient(&sequence, head, (softmax, dropped, dscores), dy, gradient, &mut dbias);
            }
        });
        let inverse = 1.0 / self.scale(); // the bias is added to scaled scores
        dbias.iter_mut().for_each(|d| *d *= inverse);
        dbias
    }

    /// The gradients of one head: its columns of `gradient`; adds to `dbias` those of the scaled bias.
    fn head_gradient(
        self,
        sequence: &Sequence,
        head: usize,
        (softmax, dropped, dscores): (&[f32], &mut [f32], &mut [f32]), // [len, stride]
        dy: &[f32],
        gradient: &mut [MaybeUninit<f32>],
        dbias: &mut [f32],
    ) {
        let (len, width, hidden) = (sequence.len, self.width(), self.hidden);
        let stride = len.next_multiple_of(32);
        let product = Small::new();
        let [q, k, v] = [0, 1, 2].map(|which| self.part(sequence, which, head));
        let dy = &dy[head * width..];
        let weights: &[f32] = match self.mask {
            None => softmax,
            Some(mask) => {
                dropped.copy_from_slice(softmax);
                drop_out(mask, sequence, head, dropped, stride);
                dropped
            }
        };
        // dV = weights^T dY
        product.product(
            (len, len, width),
            Target::new(&mut gradient[2 * hidden + head * width..], 3 * hidden),
            Operand::transposed(weights, stride),
            Operand::rows(dy, hidden),
        );
        // dweights = dY V^T
        product.product(
            (len, width, len),
            Target::over(dscores, stride),
            Operand::rows(dy, hidden),
            Operand::transposed(v, 3 * hidden),
        );
        // through dropout and softmax: dS = P (dP - sum_j dP_j P_j), and through the scale of the scores
        let (scale, kept) = (self.scale(), self.mask.map(Mask::scale));
        vectorized(
            #[inline(always)]
            || {
                for (row, ds) in dscores.chunks_exact_mut(stride).enumerate() {
                    let p = &softmax[row * stride..][..wide(len)];
                    ds[len..wide(len)].fill(0.0);
                    let ds = &mut ds[..wide(len)];
                    if let Some(kept) = kept {
                        // what was dropped has the weight 0; where P itself is 0, so is dS
                        let weights = &weights[row * stride..][..wide(len)];
                        ds.iter_mut()
                            .zip(weights)
                            .for_each(|(d, &w)| *d *= if w == 0.0 { 0.0 } else { kept });
                    }
                    let mean = dot(ds, p);
                    ds.iter_mut().zip(p).for_each(|(d, &p)| *d = p * (*d - mean) * scale);
                }
                if let Some((_, blocks)) = sequence.bias {
                    for (row, column, entry, n) in blocks.rows(len) {
                        let ds = &dscores[row * stride + column..][..n];
                        dbias[entry..][..n].iter_mut().zip(ds).for_each(|(sum, &d)| *sum += d);
                    }
                }
            },
        );
        // dQ = dS K / sqrt(d_head), dK = dS^T Q / sqrt(d_head)
        product.product(
            (len, len, width),
            Target::new(&mut gradient[head * width..], 3 * hidden),
            Operand::rows(dscores, stride),
            Operand::rows(k, 3 * hidden),
        );
        product.product(
            (len, len, width),
            Target::new(&mut gradient[hidden + head * width..], 3 * hidden),
            Operand::transposed(dscores, stride),
            Operand::rows(q, 3 * hidden),
        );
    }
}

/// As many elements as are in whole vectors.
#[inline(always)]
fn wide(len: usize) -> usize {
    len.next_multiple_of(16)
}

/// Multiplies the rows of one head's softmax, or of its gradient, by their dropout factors.
fn drop_out(mask: Mask, sequence: &Sequence, head: usize, rows: &mut [f32], stride: usize) {
    let len = sequence.len;
    vectorized(
        #[inline(always)]
        || {
            for (i, row) in rows.chunks_exact_mut(stride).enumerate() {
                for (j, weight) in row[..wide(len)].iter_mut().enumerate() {
                    *weight *= mask.attention_factor(sequence.number, head, i * len + j);
                }
            }
        },
    );
}

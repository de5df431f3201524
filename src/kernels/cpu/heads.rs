//! softmax(M(z) + Q K^T / sqrt(d_head)) V of one sequence, a head at a time, and its gradients.
//!
//! There is no padding and no mask: a sequence sees its own rows only. Scores are kept transposed, a row a key and a
//! column a query, so that a softmax goes down a column, and vectors hold as many queries. Rows lie `stride` apart, a
//! whole number of blocks of the product; what is done element by element is done to a whole number of vectors
//! ([`wide`]), and nobody reads what that makes of the columns without a query.

use std::mem::MaybeUninit;

use super::buffers::with_scratch;
use super::math::{LANES, lanes, lanes_mut, softmax_of_columns};
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

/// M(z) of the tasks, `[tasks, entries]`, each block transposed ([`BlockShape::transposed`]).
#[derive(Clone, Copy)]
pub struct Bias<'a> {
    pub values: &'a [f32],
    pub blocks: BlockShape,
}

/// What attention reads.
pub struct Inputs<'a> {
    /// The query of each token that asks, `[asking, hidden]`: of a sequence's first ones.
    pub queries: &'a [f32],
    /// Key and value of each token, `[rows, 2 hidden]`.
    pub pairs: &'a [f32],
    pub bias: Option<Bias<'a>>,
    pub segments: &'a Segments,
    pub asking: &'a Segments,
}

/// One sequence's share of [`Inputs`].
struct Sequence<'a> {
    number: usize,
    /// Tokens, and those that ask.
    len: usize,
    asking: usize,
    queries: &'a [f32], // [asking, hidden]
    pairs: &'a [f32],   // [len, 2 hidden]
    bias: Option<(&'a [f32], BlockShape)>,
}

impl<'a> Inputs<'a> {
    fn of(&self, sequence: usize, hidden: usize) -> Sequence<'a> {
        let (range, asking) = (self.segments.range(sequence), self.asking.range(sequence));
        let bias = self.bias.map(|Bias { values, blocks }| {
            (&values[self.segments.task(sequence) * blocks.entries()..][..blocks.entries()], blocks)
        });
        let queries = &self.queries[asking.start * hidden..asking.end * hidden];
        let pairs = &self.pairs[range.start * 2 * hidden..range.end * 2 * hidden];
        Sequence { number: sequence, len: range.len(), asking: asking.len(), queries, pairs, bias }
    }
}

impl Sequence<'_> {
    /// From one row of scores to the next.
    fn stride(&self) -> usize {
        self.asking.next_multiple_of(32)
    }

    /// Runs of bias entries for the scores' rows: (row, first column, first entry, how many).
    fn bias_rows(&self, blocks: BlockShape) -> impl Iterator<Item = (usize, usize, usize, usize)> {
        let asking = self.asking;
        let runs = blocks.rows(self.len).filter(move |&(_, column, _, _)| column < asking);
        runs.map(move |(row, column, entry, n)| (row, column, entry, n.min(asking - column)))
    }
}

impl Heads {
    fn width(self) -> usize {
        self.hidden / self.heads
    }

    /// Of a head its queries, rows `hidden` apart, and its keys and values, rows `2 hidden` apart.
    fn parts<'a>(self, sequence: &Sequence<'a>, head: usize) -> [Operand<'a>; 3] {
        let (first, hidden) = (head * self.width(), self.hidden);
        [
            Operand::rows(&sequence.queries[first..], hidden),
            Operand::rows(&sequence.pairs[first..], 2 * hidden),
            Operand::rows(&sequence.pairs[hidden + first..], 2 * hidden),
        ]
    }

    /// Writes what the asking tokens of one sequence attend to, `[asking, hidden]`: all of `output`.
    pub fn forward(self, inputs: &Inputs, sequence: usize, output: &mut [MaybeUninit<f32>]) {
        let sequence = inputs.of(sequence, self.hidden);
        if sequence.asking == 0 {
            return;
        }
        let (len, width, stride) = (sequence.len, self.width(), sequence.stride());
        let product = Small::new();
        with_scratch(len * stride, |scores| {
            for head in 0..self.heads {
                self.softmax(&sequence, head, scores);
                if let Some(mask) = self.mask {
                    drop_out(mask, &sequence, head, scores);
                }
                let [_, _, values] = self.parts(&sequence, head);
                let target = Target::new(&mut output[head * width..], self.hidden);
                product.product(
                    (sequence.asking, len, width),
                    target,
                    Operand::transposed(scores, stride),
                    values,
                );
            }
        });
    }

    /// softmax(M(z) + Q K^T / sqrt(d_head)), transposed: `[keys, queries]`.
    fn softmax(self, sequence: &Sequence, head: usize, scores: &mut [f32]) {
        let (asking, stride) = (sequence.asking, sequence.stride());
        let [queries, keys, _] = self.parts(sequence, head);
        let size = (sequence.len, self.width(), asking);
        Small::new().product(size, Target::over(scores, stride), keys, queries.turned());
        let scale = self.scale();
        vectorized(
            #[inline(always)]
            || {
                if let Some((bias, blocks)) = sequence.bias {
                    // the scale follows; here it is taken out of the bias
                    let inverse = 1.0 / scale;
                    for (row, column, entry, n) in sequence.bias_rows(blocks) {
                        let scores = &mut scores[row * stride + column..][..n];
                        scores.iter_mut().zip(&bias[entry..]).for_each(|(s, &m)| *s = m.mul_add(inverse, *s));
                    }
                }
                softmax_of_columns(scores, stride, wide(asking), scale);
            },
        );
    }

    /// 1 / sqrt(d_head)
    fn scale(self) -> f32 {
        1.0 / (self.width() as f32).sqrt()
    }

    /// Writes the gradients of one sequence's queries, `[asking, hidden]`, and of its keys and values, `[len, 2 hidden]`
    /// (all of both), and returns that of its task's bias entries, transposed as they are. `dy` is the gradient of what
    /// `forward` wrote.
    pub fn backward(
        self,
        inputs: &Inputs,
        sequence: usize,
        dy: &[f32],
        (dqueries, dpairs): (&mut [MaybeUninit<f32>], &mut [MaybeUninit<f32>]),
    ) -> Vec<f32> {
        let sequence = inputs.of(sequence, self.hidden);
        let (len, stride) = (sequence.len, sequence.stride());
        let mut dbias = vec![0.0; sequence.bias.map_or(0, |(_, blocks)| blocks.entries())];
        if sequence.asking == 0 {
            dpairs.fill(MaybeUninit::new(0.0));
            return dbias;
        }
        with_scratch(3 * len * stride, |scratch| {
            let (softmax, scratch) = scratch.split_at_mut(len * stride);
            let (dropped, dscores) = scratch.split_at_mut(len * stride);
            for head in 0..self.heads {
                self.softmax(&sequence, head, softmax);
                let scratch = (&*softmax, &mut *dropped, &mut *dscores);
                self.head_gradient(&sequence, head, scratch, dy, (dqueries, dpairs), &mut dbias);
            }
        });
        let inverse = 1.0 / self.scale(); // the bias is added to scaled scores
        dbias.iter_mut().for_each(|d| *d *= inverse);
        dbias
    }

    /// The gradients of one head: its columns of `dqueries` and `dpairs`; adds to `dbias` those of the scaled bias.
    fn head_gradient(
        self,
        sequence: &Sequence,
        head: usize,
        (softmax, dropped, dscores): (&[f32], &mut [f32], &mut [f32]), // [len, stride], transposed
        dy: &[f32],
        (dqueries, dpairs): (&mut [MaybeUninit<f32>], &mut [MaybeUninit<f32>]),
        dbias: &mut [f32],
    ) {
        let (len, width, hidden) = (sequence.len, self.width(), self.hidden);
        let (asking, stride, first) = (sequence.asking, sequence.stride(), head * self.width());
        let product = Small::new();
        let [queries, keys, values] = self.parts(sequence, head);
        let dy = Operand::rows(&dy[first..], hidden);
        let weights: &[f32] = match self.mask {
            None => softmax,
            Some(mask) => {
                dropped.copy_from_slice(softmax);
                drop_out(mask, sequence, head, dropped);
                dropped
            }
        };
        // dV = weights^T dY
        let dvalues = Target::new(&mut dpairs[hidden + first..], 2 * hidden);
        product.product((len, asking, width), dvalues, Operand::rows(weights, stride), dy);
        // dweights = dY V^T, transposed
        product.product((len, width, asking), Target::over(dscores, stride), values, dy.turned());
        // through dropout and softmax: dS = P (dP - sum_j dP_j P_j), and through the scale of the scores
        let (scale, kept) = (self.scale(), self.mask.map(Mask::scale));
        vectorized(
            #[inline(always)]
            || {
                if let Some(kept) = kept {
                    // what was dropped has the weight 0; where P itself is 0, so is dS
                    for (ds, weights) in dscores.chunks_exact_mut(stride).zip(weights.chunks_exact(stride)) {
                        ds[..wide(asking)].iter_mut().zip(weights).for_each(|(d, &w)| {
                            *d *= if w == 0.0 { 0.0 } else { kept };
                        });
                    }
                }
                softmax_gradient(dscores, softmax, (stride, wide(asking)), scale);
                if let Some((_, blocks)) = sequence.bias {
                    for (row, column, entry, n) in sequence.bias_rows(blocks) {
                        let ds = &dscores[row * stride + column..][..n];
                        dbias[entry..][..n].iter_mut().zip(ds).for_each(|(sum, &d)| *sum += d);
                    }
                }
            },
        );
        // dQ = dS K / sqrt(d_head), dK = dS^T Q / sqrt(d_head)
        let (dscores, dqueries) =
            (Operand::rows(dscores, stride), Target::new(&mut dqueries[first..], hidden));
        product.product((asking, len, width), dqueries, dscores.turned(), keys);
        let dkeys = Target::new(&mut dpairs[first..], 2 * hidden);
        product.product((len, asking, width), dkeys, dscores, queries);
    }
}

/// dP <- P (dP - sum over the column of dP P) scale.
#[inline(always)]
fn softmax_gradient(dp: &mut [f32], p: &[f32], (stride, width): (usize, usize), scale: f32) {
    for first in (0..width).step_by(LANES) {
        let mut sums = [0.0f32; LANES];
        for (dp, p) in dp.chunks_exact(stride).zip(p.chunks_exact(stride)) {
            for ((sum, &dp), &p) in sums.iter_mut().zip(lanes(dp, first)).zip(lanes(p, first)) {
                *sum = dp.mul_add(p, *sum);
            }
        }
        for (dp, p) in dp.chunks_exact_mut(stride).zip(p.chunks_exact(stride)) {
            for ((dp, &p), &sum) in lanes_mut(dp, first).iter_mut().zip(lanes(p, first)).zip(&sums) {
                *dp = p * (*dp - sum) * scale;
            }
        }
    }
}

/// As many elements as are in whole vectors.
#[inline(always)]
fn wide(len: usize) -> usize {
    len.next_multiple_of(LANES)
}

/// Multiplies one head's softmax, transposed, by its dropout factors.
fn drop_out(mask: Mask, sequence: &Sequence, head: usize, softmax: &mut [f32]) {
    let (len, asking, stride) = (sequence.len, sequence.asking, sequence.stride());
    vectorized(
        #[inline(always)]
        || {
            for (key, row) in softmax.chunks_exact_mut(stride).enumerate() {
                for (query, weight) in row[..wide(asking)].iter_mut().enumerate() {
                    *weight *= mask.attention_factor(sequence.number, head, query * len + key);
                }
            }
        },
    );
}

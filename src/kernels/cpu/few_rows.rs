//! A linear layer on a few rows: the weight is read where it lies, once, by all cores.

use std::mem::MaybeUninit;

use rayon::prelude::*;

use super::buffers::map_rows;
use super::math::{LANES, fold};
use super::simd::vectorized;

/// Rows of the weight a task of rayon.
const ROWS: usize = 32;
/// Rows of x that a row of the weight is multiplied by at a time.
const TOGETHER: usize = 4;

/// y = x W^T + b, for x [rows, into], W [out, into] and b [out]: writes all of y, [rows, out].
pub fn forward(
    x: &[f32],
    weight: &[f32],
    bias: &[f32],
    (rows, into, out): (usize, usize, usize),
    y: &mut [MaybeUninit<f32>],
) {
    let parts: Vec<Vec<f32>> = weight
        .par_chunks(ROWS * into)
        .map(|weight| {
            let mut part = Vec::with_capacity(rows * weight.len() / into); // [of the weight's rows, rows]
            vectorized(
                #[inline(always)]
                || {
                    for weight in weight.chunks_exact(into) {
                        for x in x.chunks(TOGETHER * into) {
                            part.extend_from_slice(&dots(x, weight)[..x.len() / into]);
                        }
                    }
                },
            );
            part
        })
        .collect();
    for (row, y) in y.chunks_exact_mut(out).enumerate() {
        let products = parts.iter().flat_map(|part| part.chunks_exact(rows)).map(|part| part[row]);
        for ((y, product), &bias) in y.iter_mut().zip(products).zip(bias) {
            y.write(product + bias);
        }
    }
}

/// The products of one row of the weight with at most [`TOGETHER`] rows of x.
#[inline(always)]
fn dots(x: &[f32], weight: &[f32]) -> [f32; TOGETHER] {
    let into = weight.len();
    // a missing row's product is that of the last one, and is not used
    let last = x.len() / into - 1;
    let row = |i: usize| &x[i.min(last) * into..][..into];
    let rows = [row(0), row(1), row(2), row(3)];
    let (weights, rest) = weight.as_chunks::<LANES>();
    let [a, b, c, d] = rows.map(|row| row.as_chunks::<LANES>().0);
    // sums in variables of their own, which stay in registers
    let (mut sum_a, mut sum_b, mut sum_c, mut sum_d) =
        ([0.0f32; LANES], [0.0f32; LANES], [0.0f32; LANES], [0.0f32; LANES]);
    for ((((weight, a), b), c), d) in weights.iter().zip(a).zip(b).zip(c).zip(d) {
        for lane in 0..LANES {
            sum_a[lane] = a[lane].mul_add(weight[lane], sum_a[lane]);
            sum_b[lane] = b[lane].mul_add(weight[lane], sum_b[lane]);
            sum_c[lane] = c[lane].mul_add(weight[lane], sum_c[lane]);
            sum_d[lane] = d[lane].mul_add(weight[lane], sum_d[lane]);
        }
    }
    let end = weights.len() * LANES;
    let mut dots = [sum_a, sum_b, sum_c, sum_d].map(|sum| fold(sum, |a, b| a + b));
    for (dot, row) in dots.iter_mut().zip(rows) {
        *dot += row[end..].iter().zip(rest).map(|(x, w)| x * w).sum::<f32>();
    }
    dots
}

/// dweight += dy^T x, for dy [rows, out]; an empty dweight becomes as long as it has to be.
pub fn weight_gradient(dy: &[f32], x: &[f32], (_, into, out): (usize, usize, usize), dweight: &mut Vec<f32>) {
    let add = |first: usize, dweight: &mut [f32]| {
        vectorized(
            #[inline(always)]
            || {
                for (i, dweight) in dweight.chunks_exact_mut(into).enumerate() {
                    for (dy, x) in dy.chunks_exact(out).zip(x.chunks_exact(into)) {
                        add_scaled(dweight, dy[first + i], x);
                    }
                }
            },
        );
    };
    if dweight.is_empty() {
        let zeros = vec![0.0; into];
        *dweight = map_rows((out, into), ROWS, |_| &zeros, add);
    } else {
        dweight.par_chunks_mut(ROWS * into).enumerate().for_each(|(n, dweight)| add(n * ROWS, dweight));
    }
}

/// dx += dy W.
pub fn input_gradient(dy: &[f32], weight: &[f32], (rows, into, out): (usize, usize, usize), dx: &mut [f32]) {
    let parts: Vec<Vec<f32>> = weight
        .par_chunks(ROWS * into)
        .enumerate()
        .map(|(n, weight)| {
            let mut part = vec![0.0f32; rows * into];
            vectorized(
                #[inline(always)]
                || {
                    for (i, weight) in weight.chunks_exact(into).enumerate() {
                        for (part, dy) in part.chunks_exact_mut(into).zip(dy.chunks_exact(out)) {
                            add_scaled(part, dy[n * ROWS + i], weight);
                        }
                    }
                },
            );
            part
        })
        .collect();
    vectorized(
        #[inline(always)]
        || parts.iter().for_each(|part| add_scaled(dx, 1.0, part)),
    );
}

/// to += factor * from.
#[inline(always)]
fn add_scaled(to: &mut [f32], factor: f32, from: &[f32]) {
    to.iter_mut().zip(from).for_each(|(to, &from)| *to = from.mul_add(factor, *to));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::cpu::buffers::assume_init;

    #[test]
    fn products_by_hand_over_sizes_that_do_not_fill_a_lane_or_a_block() {
        for (rows, into, out) in [(1, 3, 2), (4, 16, 33), (5, 37, 70), (16, 64, 32)] {
            // small whole numbers, so that every sum is exact
            let whole = |count: usize, factor: usize| -> Vec<f32> {
                (0..count).map(|i| ((i * factor) % 7) as f32 - 3.0).collect()
            };
            let (x, w, b) = (whole(rows * into, 5), whole(out * into, 3), whole(out, 2));
            let dy = whole(rows * out, 4);
            let sizes = (rows, into, out);
            let mut y = vec![MaybeUninit::uninit(); rows * out];
            forward(&x, &w, &b, sizes, &mut y);
            // SAFETY: `forward` writes all of it.
            let y = unsafe { assume_init(&mut y) };
            let (mut dw, mut dx) = (vec![1.0; out * into], vec![2.0; rows * into]);
            weight_gradient(&dy, &x, sizes, &mut dw);
            input_gradient(&dy, &w, sizes, &mut dx);
            for r in 0..rows {
                for o in 0..out {
                    let dot: f32 = (0..into).map(|i| x[r * into + i] * w[o * into + i]).sum();
                    assert_eq!(y[r * out + o], dot + b[o], "y of {sizes:?}");
                }
                for i in 0..into {
                    let sum: f32 = (0..out).map(|o| dy[r * out + o] * w[o * into + i]).sum();
                    assert_eq!(dx[r * into + i], 2.0 + sum, "dx of {sizes:?}");
                }
            }
            for o in 0..out {
                for i in 0..into {
                    let sum: f32 = (0..rows).map(|r| dy[r * out + o] * x[r * into + i]).sum();
                    assert_eq!(dw[o * into + i], 1.0 + sum, "dW of {sizes:?}");
                }
            }
        }
    }
}

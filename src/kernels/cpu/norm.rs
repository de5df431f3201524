//! Residual connection and layer normalization, plain or conditioned on the task.

use dfdx::prelude::{Cpu, HasShape, Shape, Tape, Tensor};
use rayon::prelude::*;

use super::buffers::{add, map_rows, values};
use super::math::sum;
use super::modulate::{Parts, row_of};
use super::{take_gradient, tokens};
use crate::kernels::{Pass, Segments, Tokens};

/// Rows a task of rayon.
const ROWS: usize = 16;

pub fn norm<const HIDDEN: usize, S: Shape, T: Tape<f32, Cpu>>(
    pass: &mut Pass<T, Cpu>,
    x: &Tokens<HIDDEN, Cpu>,
    residual: Option<&Tokens<HIDDEN, Cpu>>,
    (gamma, beta): (&Tensor<S, f32, Cpu>, &Tensor<S, f32, Cpu>),
    epsilon: f32,
    segments: &Segments,
    learn: bool,
) -> Tokens<HIDDEN, Cpu> {
    let rows = x.shape().0;
    let (input, other) = (values(x), residual.map(values));
    let (scale, shift) = (values(gamma), values(beta)); // [1 or tasks, HIDDEN]
    let input_row = |row: usize| &input[row * HIDDEN..][..HIDDEN];
    let add_residual = |first: usize, block: &mut [f32]| {
        if let Some(other) = other {
            block.iter_mut().zip(&other[first * HIDDEN..]).for_each(|(x, &r)| *x += r);
        }
    };
    let modulate = |first: usize, block: &mut [f32]| {
        for (i, row) in block.chunks_exact_mut(HIDDEN).enumerate() {
            let at = row_of::<HIDDEN>(scale, segments, first + i);
            let (scale, shift) = (&scale[at..][..HIDDEN], &shift[at..][..HIDDEN]);
            for ((y, &g), &b) in row.iter_mut().zip(scale).zip(shift) {
                *y = y.mul_add(g, b);
            }
        }
    };
    if !T::OWNS_TAPE {
        let y = map_rows((rows, HIDDEN), ROWS, input_row, |first, block| {
            add_residual(first, block);
            block.chunks_exact_mut(HIDDEN).for_each(|row| _ = standardize(row, epsilon));
            modulate(first, block);
        });
        return tokens(&pass.device, y, rows);
    }

    let mut normalized = map_rows((rows, HIDDEN), ROWS, input_row, add_residual);
    let mut inverse_deviation = vec![0.0f32; rows];
    normalized.par_chunks_mut(HIDDEN).zip(&mut inverse_deviation).with_min_len(ROWS).for_each(
        |(row, inverse)| {
            *inverse = standardize(row, epsilon);
        },
    );
    let y = map_rows((rows, HIDDEN), ROWS, |row| &normalized[row * HIDDEN..][..HIDDEN], modulate);
    let y = tokens(&pass.device, y, rows);

    let (ghost, x, residual) = (y.ghost(), x.clone(), residual.cloned());
    let (gamma, beta, segments) = (gamma.clone(), beta.clone(), segments.clone());
    pass.tape.add_backward_op(move |gradients| {
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
            for (i, row) in block.chunks_exact_mut(HIDDEN).enumerate() {
                let at = n * ROWS + i;
                let scale = &scale[row_of::<HIDDEN>(scale, &segments, at)..][..HIDDEN];
                let normalized = &normalized[at * HIDDEN..][..HIDDEN];
                input_gradient(row, scale, normalized, inverse_deviation[at]);
            }
        });
        add(gradients.get_or_alloc_mut(&x)?, &dy);
        if let Some(residual) = &residual {
            add(gradients.get_or_alloc_mut(residual)?, &dy);
        }
        Ok(())
    });
    y
}

/// x <- (x - mean) / sqrt(var + epsilon); returns 1 / sqrt(var + epsilon).
fn standardize(row: &mut [f32], epsilon: f32) -> f32 {
    let n = row.len() as f32;
    let mean = sum(row, |x| x) / n;
    let variance = sum(row, |x| (x - mean) * (x - mean)) / n;
    let inverse = 1.0 / (variance + epsilon).sqrt();
    row.iter_mut().for_each(|x| *x = (*x - mean) * inverse);
    inverse
}

/// dy <- the gradient of the input: (d - mean(d) - n mean(d n)) / deviation, with d = dy gamma, n the normalized row.
fn input_gradient(dy: &mut [f32], gamma: &[f32], normalized: &[f32], inverse_deviation: f32) {
    let n = dy.len() as f32;
    let (mut sums, mut products) = ([0.0f32; 16], [0.0f32; 16]);
    for ((dy, gamma), normalized) in dy.chunks_mut(16).zip(gamma.chunks(16)).zip(normalized.chunks(16)) {
        for (lane, ((dy, &gamma), &normalized)) in dy.iter_mut().zip(gamma).zip(normalized).enumerate() {
            *dy *= gamma;
            sums[lane] += *dy;
            products[lane] += *dy * normalized;
        }
    }
    let mean = sums.iter().sum::<f32>() / n;
    let product = products.iter().sum::<f32>() / n;
    for (dy, &normalized) in dy.iter_mut().zip(normalized) {
        *dy = (*dy - mean - normalized * product) * inverse_deviation;
    }
}

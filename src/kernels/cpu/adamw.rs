//! The optimizer's arithmetic: gradient norm and AdamW, a parameter at a time.

use rayon::prelude::*;

use super::gradient::{Gradient, Rows};
use super::simd::vectorized;
use crate::kernels::{AdamWUpdate, Moments};

const CHUNK: usize = 1 << 14;

/// Moments in host memory; empty until the first update.
#[derive(Debug, Default)]
pub struct HostMoments {
    first: Vec<f32>,
    second: Vec<f32>,
}

impl Moments for HostMoments {
    fn save(&self) -> (Vec<f32>, Vec<f32>) {
        (self.first.clone(), self.second.clone())
    }

    fn load(first: Vec<f32>, second: Vec<f32>) -> Self {
        Self { first, second }
    }
}

/// Sum of the squares.
pub fn squared_norm(gradient: &Gradient) -> f64 {
    let values = match gradient {
        Gradient::Whole(values) => values,
        Gradient::Rows { rows, .. } => rows.values,
    };
    // partial sums of fixed chunks, added in order
    let parts: Vec<f64> = values
        .par_chunks(CHUNK)
        .map(|chunk| {
            vectorized(
                #[inline(always)]
                || squares(chunk),
            )
        })
        .collect();
    parts.iter().sum()
}

/// Sum of squares, in lanes so that it vectorizes.
#[inline(always)]
fn squares(values: &[f32]) -> f64 {
    let mut lanes = [0.0f64; 16];
    let (chunks, rest) = values.as_chunks::<16>();
    for chunk in chunks {
        for (lane, &g) in lanes.iter_mut().zip(chunk) {
            *lane += f64::from(g) * f64::from(g);
        }
    }
    lanes.iter().sum::<f64>() + rest.iter().map(|&g| f64::from(g) * f64::from(g)).sum::<f64>()
}

/// Updates `values`, all of a parameter.
pub fn adamw(values: &mut [f32], moments: &mut HostMoments, gradient: &Gradient, update: &AdamWUpdate) {
    moments.first.resize(values.len(), 0.0);
    moments.second.resize(values.len(), 0.0);
    let factors = Factors::new(update);
    // a whole number of rows, where there are rows
    let chunk = match gradient {
        Gradient::Whole(_) => CHUNK,
        Gradient::Rows { width, .. } => (CHUNK / width).max(1) * width,
    };
    values
        .par_chunks_mut(chunk)
        .zip(moments.first.par_chunks_mut(chunk))
        .zip(moments.second.par_chunks_mut(chunk))
        .enumerate()
        .for_each(|(n, ((values, first), second))| {
            vectorized(
                #[inline(always)]
                || match *gradient {
                    Gradient::Whole(gradient) => {
                        let gradient = &gradient[n * chunk..][..values.len()];
                        factors.update(values, gradient, first, second);
                    }
                    Gradient::Rows { width, rows, .. } => {
                        factors.update_rows(values, (rows, n * chunk / width, width), first, second);
                    }
                },
            );
        });
}

/// What an update multiplies with.
#[derive(Clone, Copy)]
struct Factors {
    step_size: f32,
    root_correction: f32,
    decay: f32,
    beta: [f32; 2],
    /// 1 - beta
    rest: [f32; 2],
    epsilon: f32,
    scale: f32,
}

impl Factors {
    fn new(update: &AdamWUpdate) -> Self {
        let exponent = update.step.min(i32::MAX as u64) as i32;
        let correction1 = 1.0 - update.beta1.powi(exponent);
        let correction2 = 1.0 - update.beta2.powi(exponent);
        Self {
            step_size: (update.lr / correction1) as f32,
            root_correction: correction2.sqrt() as f32,
            decay: (1.0 - update.lr * update.weight_decay) as f32,
            beta: [update.beta1 as f32, update.beta2 as f32],
            // 1 - beta in f64: in f32 it would be off by 5e-5 for beta = 0.999
            rest: [(1.0 - update.beta1) as f32, (1.0 - update.beta2) as f32],
            epsilon: update.epsilon as f32,
            scale: update.scale as f32,
        }
    }

    /// All four of the same length.
    #[inline(always)]
    fn update(self, values: &mut [f32], gradient: &[f32], first: &mut [f32], second: &mut [f32]) {
        for (((value, &g), m), v) in values.iter_mut().zip(gradient).zip(first).zip(second) {
            let g = g * self.scale;
            *m = self.beta[0] * *m + self.rest[0] * g;
            *v = self.beta[1] * *v + self.rest[1] * g * g;
            *value =
                *value * self.decay - self.step_size * *m / (v.sqrt() / self.root_correction + self.epsilon);
        }
    }

    /// Rows of a table, of `width`, from number `from` on: the gradient of those that `rows` has not is zero.
    #[inline(always)]
    fn update_rows(
        self,
        values: &mut [f32],
        (rows, from, width): (Rows, usize, usize),
        first: &mut [f32],
        second: &mut [f32],
    ) {
        let zeros = vec![0.0; width];
        let mut next = rows.numbers.partition_point(|&number| (number as usize) < from);
        let moments = first.chunks_exact_mut(width).zip(second.chunks_exact_mut(width));
        for (i, (values, (first, second))) in values.chunks_exact_mut(width).zip(moments).enumerate() {
            let gradient = match rows.numbers.get(next) {
                Some(&number) if number as usize == from + i => {
                    next += 1;
                    &rows.values[(next - 1) * width..][..width]
                }
                _ => &zeros,
            };
            self.update(values, gradient, first, second);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::gradient::add_rows;
    use super::*;

    #[test]
    fn rows_are_updated_as_the_whole_table_would_be() {
        const WIDTH: usize = 24;
        let noise = |seed: usize, n: usize| -> Vec<f32> {
            (0..n).map(|i| ((i * 7919 + seed * 104_729) % 1000) as f32 / 500.0 - 1.0).collect()
        };
        let all = 3000 * WIDTH; // several chunks
        let mut kept = Vec::new();
        add_rows::<WIDTH>(3000, &mut kept, &noise(1, 4 * WIDTH), &[2999, 0, 700, 681]);
        let (values, numbers) = kept.split_at(4 * WIDTH);
        let gradient = Gradient::Rows { all, width: WIDTH, rows: Rows { values, numbers } };
        let whole = gradient.whole();
        let run = |gradient: Gradient| {
            let (mut values, mut moments) = (noise(2, all), HostMoments::default());
            for step in 1..4 {
                let update = AdamWUpdate {
                    lr: 0.1,
                    weight_decay: 0.01,
                    beta1: 0.9,
                    beta2: 0.999,
                    epsilon: 1e-8,
                    step,
                    scale: 0.5,
                };
                adamw(&mut values, &mut moments, &gradient, &update);
            }
            (values, moments.save())
        };
        assert_eq!(run(gradient), run(Gradient::Whole(&whole)));
        assert_ne!(run(gradient), run(Gradient::Whole(&vec![0.0; all])));
        let norm = whole.iter().map(|&g| f64::from(g).powi(2)).sum::<f64>();
        assert!((squared_norm(&gradient) - norm).abs() < 1e-9 * norm);
    }
}

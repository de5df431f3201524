//! The gradient of a weight: a product over all tokens.

use std::mem::MaybeUninit;

use gemm::Parallelism;
use rayon::prelude::*;

use super::operand::{Operand, Target};
use super::{Engine, gemm_product};
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
use super::{
    pack::{Factor, Panel, Side, room, with_scratch},
    tiles::{self, BLOCK, Results},
};

/// A matrix of rows, one a token.
#[derive(Clone, Copy)]
pub struct Rows<'a> {
    pub values: &'a [f32],
    pub width: usize,
    /// From one row to the next.
    pub stride: usize,
}

impl<'a> Rows<'a> {
    /// Rows of `width`, one behind the other.
    pub fn new(values: &'a [f32], width: usize) -> Self {
        Self { values, width, stride: width }
    }
}

/// target += dy^T x over `rows` tokens for each target and its dy, target [dy.width, x.width] row by row; an empty target
/// becomes the product. On all cores.
pub fn weight_gradient<const N: usize>(rows: usize, targets: [(&mut Vec<f32>, Rows); N], x: Rows) {
    on(Engine::best(), rows, targets, x);
}

pub(super) fn on<const N: usize>(engine: Engine, rows: usize, targets: [(&mut Vec<f32>, Rows); N], x: Rows) {
    let right = Operand::rows(x.values, x.stride);
    right.check(rows, x.width);
    for (_, dy) in &targets {
        Operand::transposed(dy.values, dy.stride).check(dy.width, rows);
    }
    let large = targets.iter().any(|(_, dy)| dy.width * x.width * rows >= 1 << 18);
    let mut sums = targets.map(|(gradient, dy)| Sum { gradient, dy, into: x.width });
    match engine {
        #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
        Engine::Tiles if large && rows >= BLOCK => in_tiles(rows, &mut sums, right),
        _ => {
            let parallelism = if large { Parallelism::Rayon(0) } else { Parallelism::None };
            for sum in &mut sums {
                let (size, stride) = ((sum.dy.width, rows, sum.into), sum.into);
                let left = Operand::transposed(sum.dy.values, sum.dy.stride);
                let fresh = sum.gradient.is_empty();
                let mut target = Target::first(sum.values(), stride, fresh);
                gemm_product(size, &mut target, left, right, parallelism);
            }
        }
    }
    for sum in sums {
        // SAFETY: the products write all of a target, be there no rows at all.
        unsafe { sum.finish() };
    }
}

/// A gradient to be made, or to be added to.
struct Sum<'a> {
    gradient: &'a mut Vec<f32>,
    dy: Rows<'a>,
    /// The width of x.
    into: usize,
}

impl Sum<'_> {
    /// The gradient; nothing is in it yet where the buffer is empty.
    ///
    /// # Panics
    /// If the buffer is neither empty nor as long as the gradient.
    fn values(&mut self) -> &mut [MaybeUninit<f32>] {
        let length = self.dy.width * self.into;
        assert!(self.gradient.is_empty() || self.gradient.len() == length, "a gradient of another size");
        self.gradient.reserve_exact(length - self.gradient.len());
        // SAFETY: `MaybeUninit<f32>` has the layout of `f32`, the buffer has room for as many, and only numbers are ever
        // written through the slice.
        unsafe { std::slice::from_raw_parts_mut(self.gradient.as_mut_ptr().cast(), length) }
    }

    /// # Safety
    /// Every element has been written.
    unsafe fn finish(self) {
        // SAFETY: `values` has made the room, and the caller vouches for the numbers.
        unsafe { self.gradient.set_len(self.dy.width * self.into) };
    }
}

/// The tokens in runs, so that a run of the right factor stays in the cache while the left one passes by.
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
fn in_tiles(rows: usize, sums: &mut [Sum], right: Operand) {
    const STEPS: usize = 24; // of 32 tokens
    let into = sums[0].into;
    let columns = into.div_ceil(BLOCK);
    let steps = rows.div_ceil(BLOCK).min(STEPS);
    let out: usize = sums.iter().map(|sum| sum.dy.width).sum();
    let share = out.div_ceil(rayon::current_num_threads()).next_multiple_of(BLOCK).min(192);
    let right = Factor::new(right, Side::Right);
    let mut packed = room(columns * steps);
    for first in (0..rows).step_by(steps * BLOCK) {
        let steps = (rows - first).div_ceil(BLOCK).min(steps);
        let packed = &mut packed[..columns * steps];
        right.pack_panel(into, first, rows, packed);
        let packed = Panel::new(packed, columns, steps);
        let pieces: Vec<_> = sums
            .iter_mut()
            .flat_map(|sum| {
                let left = Factor::new(Operand::transposed(sum.dy.values, sum.dy.stride), Side::Left);
                let begins = first == 0 && sum.gradient.is_empty();
                let parts = sum.values().chunks_mut(share * into).enumerate();
                parts.map(move |(piece, part)| {
                    (left, piece * share, part.len() / into, Target::first(part, into, begins))
                })
            })
            .collect();
        pieces.into_par_iter().for_each(|(left, from, count, mut target)| {
            let start = target.start(count, into);
            let results = Results { start, stride: into, accumulate: target.accumulate };
            with_scratch(count.div_ceil(BLOCK) * steps, |pages| {
                left.pack(from, from + count, first, rows, steps, pages);
                // SAFETY: `start` has checked that the results are inside the target, which is borrowed mutably.
                unsafe { tiles::blocks(pages, &packed, (count, into), results, None) };
            });
        });
    }
}

//! The gradient of a weight: a product over all tokens.

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

/// target += dy^T x over `rows` tokens for each target and its dy, target [dy.width, x.width] row by row. On all cores.
pub fn weight_gradient<const N: usize>(rows: usize, targets: [(&mut [f32], Rows); N], x: Rows) {
    on(Engine::best(), rows, targets, x);
}

pub(super) fn on<const N: usize>(engine: Engine, rows: usize, targets: [(&mut [f32], Rows); N], x: Rows) {
    let right = Operand::rows(x.values, x.stride);
    right.check(rows, x.width);
    for (_, dy) in &targets {
        Operand::transposed(dy.values, dy.stride).check(dy.width, rows);
    }
    let large = targets.iter().any(|(_, dy)| dy.width * x.width * rows >= 1 << 18);
    match engine {
        #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
        Engine::Tiles if large && rows >= BLOCK => in_tiles(rows, targets, (x.width, right)),
        _ => {
            let parallelism = if large { Parallelism::Rayon(0) } else { Parallelism::None };
            for (target, dy) in targets {
                let left = Operand::transposed(dy.values, dy.stride);
                let mut target = Target::onto(target, x.width);
                gemm_product((dy.width, rows, x.width), &mut target, left, right, parallelism);
            }
        }
    }
}

/// The tokens in runs, so that a run of the right factor stays in the cache while the left one passes by.
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
fn in_tiles<const N: usize>(
    rows: usize,
    mut targets: [(&mut [f32], Rows); N],
    (into, right): (usize, Operand),
) {
    const STEPS: usize = 24; // of 32 tokens
    let columns = into.div_ceil(BLOCK);
    let steps = rows.div_ceil(BLOCK).min(STEPS);
    let out: usize = targets.iter().map(|(_, dy)| dy.width).sum();
    let share = out.div_ceil(rayon::current_num_threads()).next_multiple_of(BLOCK).min(192);
    let right = Factor::new(right, Side::Right);
    let mut packed = room(columns * steps);
    for first in (0..rows).step_by(steps * BLOCK) {
        let steps = (rows - first).div_ceil(BLOCK).min(steps);
        let packed = &mut packed[..columns * steps];
        right.pack_panel(into, first, rows, packed);
        let packed = Panel::new(packed, columns, steps);
        let pieces: Vec<_> = targets
            .iter_mut()
            .flat_map(|(target, dy)| {
                let left = Factor::new(Operand::transposed(dy.values, dy.stride), Side::Left);
                target
                    .chunks_mut(share * into)
                    .enumerate()
                    .map(move |(piece, part)| (left, piece * share, part))
            })
            .collect();
        pieces.into_par_iter().for_each(|(left, from, part)| {
            let count = part.len() / into;
            let start = Target::onto(part, into).start(count, into);
            let results = Results { start, stride: into, accumulate: true };
            with_scratch(count.div_ceil(BLOCK) * steps, |pages| {
                left.pack(from, from + count, first, rows, steps, pages);
                // SAFETY: `start` has checked that the results are inside the target, which is borrowed mutably.
                unsafe { tiles::blocks(pages, &packed, (count, into), results, None) };
            });
        });
    }
}

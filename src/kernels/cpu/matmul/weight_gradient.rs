//! The gradient of a weight: a product over all tokens.

use gemm::Parallelism;
use rayon::prelude::*;

use super::operand::{Operand, Target};
use super::{Engine, gemm_product};
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
use super::{
    pack::{Factor, Room, Side, room},
    small::with_scratch,
    tiles::{self, BLOCK},
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

/// target += dy^T x over `rows` tokens, target [dy.width, x.width] row by row. On all cores.
pub fn weight_gradient(rows: usize, target: &mut [f32], dy: Rows, x: Rows) {
    on(Engine::best(), rows, target, dy, x);
}

pub(super) fn on(engine: Engine, rows: usize, target: &mut [f32], dy: Rows, x: Rows) {
    let (out, into) = (dy.width, x.width);
    let (left, right) = (Operand::transposed(dy.values, dy.stride), Operand::rows(x.values, x.stride));
    left.check(out, rows);
    right.check(rows, into);
    match engine {
        #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
        Engine::Tiles if out * into * rows >= 1 << 18 => in_tiles(rows, target, into, left, right),
        _ => {
            let small = out * into * rows < 1 << 18;
            let parallelism = if small { Parallelism::None } else { Parallelism::Rayon(0) };
            gemm_product((out, rows, into), &mut Target::onto(target, into), left, right, parallelism);
        }
    }
}

/// The tokens in runs, so that a run of the right factor stays in the cache while the left one passes by.
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
fn in_tiles(rows: usize, target: &mut [f32], into: usize, left: Operand, right: Operand) {
    const RIGHT_PAGES: usize = 256; // 1 MiB: half of a core's L2 cache
    const OUT: usize = 64; // rows of the result a piece of work
    let columns = into.div_ceil(BLOCK);
    let steps = (RIGHT_PAGES / columns).clamp(4, 32);
    let (left, right) = (Factor::new(left, Side::Left), Factor::new(right, Side::Right));
    let mut packed: Vec<Room> = room(columns * steps);
    for first in (0..rows).step_by(steps * BLOCK) {
        let steps = (rows - first).div_ceil(BLOCK).min(steps);
        let packed = &mut packed[..columns * steps];
        packed.par_chunks_mut(steps).enumerate().for_each(|(block, pages)| {
            right.pack(block * BLOCK, into, first, rows, steps, pages);
        });
        let packed = &*packed;
        target.par_chunks_mut(OUT * into).enumerate().for_each(|(piece, target)| {
            let count = target.len() / into;
            let mut target = Target::onto(target, into);
            let start = target.start(count, into);
            with_scratch(count.div_ceil(BLOCK) * steps, |pages| {
                left.pack(piece * OUT, piece * OUT + count, first, rows, steps, pages);
                // SAFETY: `start` has checked that the results are inside the target, which is borrowed mutably.
                unsafe { tiles::blocks((pages, packed), steps, (count, into), start, into, true) };
            });
        });
    }
}

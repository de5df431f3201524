//! Products that one thread makes from first to last, such as those of attention.

use gemm::Parallelism;

use super::operand::{Operand, Target};
use super::{Engine, gemm_product};
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
use super::{
    pack::{Factor, Panel, Side, with_scratch},
    tiles::{self, BLOCK, Results},
};

/// Up to so many rows, columns and elements of the inner side, packing for the tiles costs more than they gain.
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
const LONGEST: usize = 64;

/// Multiplies on this thread.
#[derive(Clone, Copy, Debug)]
pub struct Small(Engine);

impl Small {
    pub fn new() -> Self {
        Self(Engine::best())
    }

    #[cfg(test)]
    pub(super) fn on(engine: Engine) -> Self {
        Self(engine)
    }

    /// target = [target +] left * right, for left [m, k] and right [k, n].
    pub fn product(
        self,
        (m, k, n): (usize, usize, usize),
        mut target: Target,
        left: Operand,
        right: Operand,
    ) {
        if m == 0 || n == 0 {
            return;
        }
        left.check(m, k);
        right.check(k, n);
        match self.0 {
            Engine::Gemm => gemm_product((m, k, n), &mut target, left, right, Parallelism::None),
            #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
            Engine::Tiles if m.max(k).max(n) <= LONGEST => {
                gemm_product((m, k, n), &mut target, left, right, Parallelism::None);
            }
            #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
            Engine::Tiles => {
                let steps = k.div_ceil(BLOCK);
                let (left_pages, right_pages) = (m.div_ceil(BLOCK) * steps, n.div_ceil(BLOCK) * steps);
                let results = Results {
                    start: target.start(m, n),
                    stride: target.stride,
                    accumulate: target.accumulate,
                };
                with_scratch(left_pages + right_pages, |pages| {
                    let (a, b) = pages.split_at_mut(left_pages);
                    Factor::new(left, Side::Left).pack(0, m, 0, k, steps, a);
                    Factor::new(right, Side::Right).pack_panel_here(n, k, b);
                    let b = Panel::new(b, n.div_ceil(BLOCK), steps);
                    // SAFETY: `start` has checked that m x n results are inside the target, borrowed mutably.
                    unsafe { tiles::blocks(a, &b, (m, n), results, None) };
                });
            }
        }
    }
}

//! Products that one thread makes from first to last, such as those of attention.

use gemm::Parallelism;

use super::operand::{Operand, Target};
use super::{Engine, gemm_product};
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
use super::{
    pack::{Factor, Room, Side, room},
    tiles::{self, BLOCK},
};

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
            Engine::Tiles => {
                let start = target.start(m, n);
                let steps = k.div_ceil(BLOCK).max(1);
                let (left_pages, right_pages) = (m.div_ceil(BLOCK) * steps, n.div_ceil(BLOCK) * steps);
                with_scratch(left_pages + right_pages, |pages| {
                    let (a, b) = pages.split_at_mut(left_pages);
                    Factor::new(left, Side::Left).pack(0, m, 0, k, steps, a);
                    Factor::new(right, Side::Right).pack(0, n, 0, k, steps, b);
                    // SAFETY: `start` has checked that m x n results are inside the target, borrowed mutably.
                    unsafe { tiles::blocks((a, b), steps, (m, n), start, target.stride, target.accumulate) };
                });
            }
        }
    }
}

/// Lends pages of this thread that are kept from product to product.
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
pub fn with_scratch<R>(pages: usize, work: impl FnOnce(&mut [Room]) -> R) -> R {
    use std::cell::RefCell;
    thread_local!(static SCRATCH: RefCell<Vec<Room>> = const { RefCell::new(Vec::new()) });
    // taken, not borrowed: work inside of work gets pages of its own
    let mut scratch = SCRATCH.take();
    if scratch.len() < pages {
        scratch = room(pages);
    }
    let result = work(&mut scratch[..pages]);
    SCRATCH.set(scratch);
    result
}

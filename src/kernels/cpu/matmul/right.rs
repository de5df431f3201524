//! Products of many left factors with one right factor, which is prepared once.

use std::mem::MaybeUninit;

use gemm::Parallelism;

use super::operand::{Operand, Target};
use super::{Engine, gemm_product};
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
use super::{
    pack::{Factor, Room, Side},
    tiles::{self, BLOCK},
};
use crate::kernels::cpu::buffers::assume_init;

/// Below so many multiplications, or for fewer rows than a tile block has, a product is not worth packing.
const SMALL: usize = 1 << 14;

/// A right factor, [k, n], ready for products.
pub struct Right<'a> {
    k: usize,
    n: usize,
    form: Form<'a>,
}

enum Form<'a> {
    Plain(Operand<'a>),
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    Tiles(Vec<Room>),
}

impl<'a> Right<'a> {
    /// Prepares a factor of `k` x `n` for left factors of `m` rows together. Packs on all cores.
    pub fn new(m: usize, (k, n): (usize, usize), operand: Operand<'a>) -> Self {
        Self::on(Engine::best(), m, (k, n), operand)
    }

    pub(super) fn on(engine: Engine, m: usize, (k, n): (usize, usize), operand: Operand<'a>) -> Self {
        operand.check(k, n);
        let form = match engine {
            #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
            Engine::Tiles if m >= BLOCK && m * k * n >= SMALL => {
                Form::Tiles(Factor::new(operand, Side::Right).pack_all(n, k))
            }
            _ => Form::Plain(operand),
        };
        Self { k, n, form }
    }

    /// The rows of a block that one core works on at a time, of `rows` in all.
    pub fn block_rows(&self, rows: usize) -> usize {
        let engine = match self.form {
            Form::Plain(_) => Engine::Gemm,
            #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
            Form::Tiles(_) => Engine::Tiles,
        };
        engine.block_rows(rows)
    }

    /// target = [target +] left * self, for a left factor of `m` rows, on this thread.
    pub fn product(&self, m: usize, left: Operand, target: Target) {
        with_left(&[self], m, left, |left| self.times(left, target));
    }

    /// As [`Right::product`], with a left factor that serves several right ones.
    pub fn times(&self, left: &Left, mut target: Target) {
        let m = left.m;
        if m == 0 || self.n == 0 {
            return;
        }
        match &self.form {
            Form::Plain(right) => {
                gemm_product((m, self.k, self.n), &mut target, left.operand, *right, Parallelism::None);
            }
            #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
            Form::Tiles(right) => {
                let start = target.start(m, self.n);
                let steps = self.k.div_ceil(BLOCK).max(1);
                assert_eq!(
                    left.pages.len(),
                    m.div_ceil(BLOCK) * steps,
                    "a left factor packed for another product"
                );
                // SAFETY: `start` has checked that m x n results are inside the target, which is borrowed mutably.
                unsafe {
                    tiles::blocks(
                        (left.pages, right),
                        steps,
                        (m, self.n),
                        start,
                        target.stride,
                        target.accumulate,
                    );
                }
            }
        }
    }
}

/// A left factor of `m` rows, ready for products with the right ones that it was made for.
pub struct Left<'a> {
    m: usize,
    operand: Operand<'a>,
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    pages: &'a [Room],
}

/// Prepares a left factor of `m` rows for products with any of `rights`, all of one k, on this thread.
pub fn with_left<R>(rights: &[&Right], m: usize, operand: Operand, work: impl FnOnce(&Left) -> R) -> R {
    let k = rights.first().map_or(0, |right| right.k);
    debug_assert!(rights.iter().all(|right| right.k == k), "right factors of different k");
    operand.check(m, k);
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    if rights.iter().any(|right| matches!(right.form, Form::Tiles(_))) {
        let steps = k.div_ceil(BLOCK).max(1);
        return super::small::with_scratch(m.div_ceil(BLOCK) * steps, |pages| {
            Factor::new(operand, Side::Left).pack(0, m, 0, k, steps, pages);
            work(&Left { m, operand, pages })
        });
    }
    work(&Left {
        m,
        operand,
        #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
        pages: &[],
    })
}

impl Right<'_> {
    /// left * self into a block that holds nothing yet, row by row, on this thread.
    ///
    /// # Panics
    /// If the block is not of `m` rows.
    pub fn fill<'b>(&self, m: usize, left: Operand, block: &'b mut [MaybeUninit<f32>]) -> &'b mut [f32] {
        assert_eq!(block.len(), m * self.n, "a block of {m} rows");
        self.product(m, left, Target::new(block, self.n));
        // SAFETY: the product has written all m x n results, which are the block.
        unsafe { assume_init(block) }
    }
}

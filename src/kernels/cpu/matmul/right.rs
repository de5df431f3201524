//! Products of many left factors with one right factor, which is prepared once.

use std::mem::MaybeUninit;
use std::ops::Range;

use gemm::Parallelism;

use super::operand::{Operand, Target};
use super::{Engine, Packed, gemm_product};
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
use super::{
    pack::{Factor, GROUP, Pages, Panel, Room, Side, with_scratch},
    tiles::{self, BLOCK, Results},
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
    Tiles(Pages),
}

/// A part of a right factor, ready for products as if it were the whole.
#[derive(Clone)]
pub struct Part<'a> {
    k: usize,
    n: usize,
    form: PartForm<'a>,
}

#[derive(Clone)]
enum PartForm<'a> {
    Plain(Operand<'a>),
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    Tiles(Panel<'a>),
}

/// A left factor of `m` rows, ready for products with the right ones that it was made for.
pub struct Left<'a> {
    m: usize,
    operand: Operand<'a>,
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    pages: &'a [Room],
}

impl<'a> Right<'a> {
    /// Parts begin at multiples of this.
    pub const CHUNK: usize = 384;

    /// Prepares a factor of `k` x `n` for left factors of `m` rows together. Packs on all cores.
    pub fn new(m: usize, (k, n): (usize, usize), operand: Operand<'a>) -> Self {
        Self::on(Engine::best(), m, (k, n), operand)
    }

    /// As [`Right::new`], for a factor whose packed form may be kept already, and is from now on; but if this use is the
    /// `last` one before its values change it is not kept any longer.
    pub fn kept(m: usize, size: (usize, usize), operand: Operand<'a>, kept: &Packed, last: bool) -> Self {
        Self::from(Engine::best(), m, size, operand, Some((kept, last)))
    }

    pub(super) fn on(engine: Engine, m: usize, size: (usize, usize), operand: Operand<'a>) -> Self {
        Self::from(engine, m, size, operand, None)
    }

    fn from(
        engine: Engine,
        m: usize,
        (k, n): (usize, usize),
        operand: Operand<'a>,
        kept: Option<(&Packed, bool)>,
    ) -> Self {
        operand.check(k, n);
        let form = match engine {
            #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
            Engine::Tiles if m >= BLOCK && m * k * n >= SMALL => {
                let pack = || Pages::right(operand, (k, n));
                Form::Tiles(match kept {
                    Some((kept, last)) => kept.pages((k, n), last, pack),
                    None => pack(),
                })
            }
            _ => Form::Plain(operand),
        };
        Self { k, n, form }
    }

    pub fn whole(&self) -> Part<'_> {
        self.part(0..self.k, 0..self.n)
    }

    /// Rows `k` and columns `n` of it. Both begin at multiples of [`Right::CHUNK`] and end at one or where the factor
    /// does.
    pub fn part(&self, k: Range<usize>, n: Range<usize>) -> Part<'_> {
        assert!(k.end <= self.k && n.end <= self.n, "a part of another factor");
        let form = match &self.form {
            Form::Plain(operand) => PartForm::Plain(operand.from(k.start, n.start)),
            #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
            Form::Tiles(pages) => {
                const { assert!(Self::CHUNK % (GROUP * BLOCK) == 0) };
                assert!(
                    k.start.is_multiple_of(Self::CHUNK) && n.start.is_multiple_of(Self::CHUNK),
                    "a part of whole chunks"
                );
                let panel = Panel::new(pages.rooms(), self.n.div_ceil(BLOCK), self.k.div_ceil(BLOCK));
                let blocks = |range: &Range<usize>| range.start / BLOCK..range.end.div_ceil(BLOCK);
                PartForm::Tiles(panel.part(blocks(&n), blocks(&k)))
            }
        };
        Part { k: k.len(), n: n.len(), form }
    }

    /// target = [target +] left * self, for a left factor of `m` rows, on this thread.
    pub fn product(&self, m: usize, left: Operand, target: Target) {
        self.whole().product(m, left, target, None);
    }

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

impl Part<'_> {
    /// Prepares a left factor of `m` rows for products with this right one and others of its k, on this thread.
    pub fn with_left<R>(&self, m: usize, operand: Operand, work: impl FnOnce(&Left) -> R) -> R {
        operand.check(m, self.k);
        #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
        if let PartForm::Tiles(_) = self.form {
            let steps = self.k.div_ceil(BLOCK);
            return with_scratch(m.div_ceil(BLOCK) * steps, |pages| {
                Factor::new(operand, Side::Left).pack(0, m, 0, self.k, steps, pages);
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

    /// target = [target +] left * self, for a left factor of `m` rows, on this thread. `then` is the right factor of the
    /// product after this one: it is fetched meanwhile.
    pub fn product(&self, m: usize, left: Operand, target: Target, then: Option<&Part>) {
        self.with_left(m, left, |left| self.times(left, target, then));
    }

    /// As [`Part::product`], with a left factor that serves several right ones.
    pub fn times(&self, left: &Left, mut target: Target, then: Option<&Part>) {
        let m = left.m;
        if m == 0 || self.n == 0 {
            return;
        }
        match &self.form {
            PartForm::Plain(right) => {
                gemm_product((m, self.k, self.n), &mut target, left.operand, *right, Parallelism::None);
            }
            #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
            PartForm::Tiles(right) => {
                let pages = m.div_ceil(BLOCK) * right.steps.len();
                assert_eq!(left.pages.len(), pages, "a left factor packed for another product");
                let then = then.and_then(|then| match &then.form {
                    PartForm::Tiles(panel) => Some(panel),
                    PartForm::Plain(_) => None,
                });
                let results = Results {
                    start: target.start(m, self.n),
                    stride: target.stride,
                    accumulate: target.accumulate,
                };
                // SAFETY: `start` has checked that m x n results are inside the target, which is borrowed mutably.
                unsafe { tiles::blocks(left.pages, right, (m, self.n), results, then) };
            }
        }
    }
}

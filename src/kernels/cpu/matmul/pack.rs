//! f32 in the tile unit's format: each element as the sum of two bf16, in tiles.
//!
//! A [`Page`] holds 32 rows of a left factor, or 32 columns of a right one, over 32 elements of the inner side k, as
//! four tiles of 16 x 64 bytes: the high halves of the first and the second 16, then their low halves. A row of a left
//! tile holds 32 successive k of one row of the factor; a row of a right tile holds the pair k, k + 1 of 16 columns.
//!
//! A left factor is block after block of 32 rows, each with its pages along k. A right factor is a [`Panel`].

use std::arch::x86_64::*;
use std::cell::RefCell;
use std::mem::MaybeUninit;
use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;

use super::operand::Operand;
use super::tiles::BLOCK;

/// Four tiles.
#[derive(Clone, Copy)]
#[repr(C, align(4096))]
pub struct Page([u8; 4096]);

/// How many pages ahead the rows of a factor are fetched.
const AHEAD: usize = 2;

/// A page's bytes by its four tiles, 16 rows of 16 words each.
type Words = [[[u32; 16]; 16]; 4];

/// Room for a page.
pub type Room = MaybeUninit<Page>;

/// Room for so many pages.
pub fn room(pages: usize) -> Vec<Room> {
    let mut room = Vec::with_capacity(pages);
    // SAFETY: `MaybeUninit` needs no initialization.
    unsafe { room.set_len(pages) };
    room
}

/// The pages of a right factor. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Pages(Arc<[Room]>);

impl Pages {
    /// Of a factor of `k` x `n`. Packs on all cores.
    pub fn right(operand: Operand, (k, n): (usize, usize)) -> Self {
        operand.check(k, n);
        let mut pages = Arc::new_uninit_slice(n.div_ceil(BLOCK) * k.div_ceil(BLOCK));
        let room = Arc::get_mut(&mut pages).expect("nobody else has it yet");
        Factor::new(operand, Side::Right).pack_panel(n, 0, k, room);
        Self(pages)
    }

    pub fn rooms(&self) -> &[Room] {
        &self.0
    }
}

/// Lends pages of this thread that are kept from product to product.
pub fn with_scratch<R>(pages: usize, work: impl FnOnce(&mut [Room]) -> R) -> R {
    thread_local!(static SCRATCH: RefCell<Vec<Vec<Room>>> = const { RefCell::new(Vec::new()) });
    // one for each depth: work inside of work gets pages of its own
    let mut scratch = SCRATCH.with_borrow_mut(Vec::pop).unwrap_or_default();
    if scratch.len() < pages {
        scratch = room(pages);
    }
    let result = work(&mut scratch[..pages]);
    SCRATCH.with_borrow_mut(|kept| kept.push(scratch));
    result
}

/// How many pages along k one pass over the results takes: 6 of a block of a and 6 of b fill the 48 KiB of the L1 cache.
pub const GROUP: usize = 6;

/// Pages of a right factor: groups of [`GROUP`] along k, the last one smaller, and in a group block after block of 32
/// columns. What one pass over the results reads lies together, and can be fetched before it is needed.
#[derive(Clone, Debug)]
pub struct Panel<'a> {
    pages: &'a [Room],
    /// Blocks of columns, and pages along k, of the whole factor.
    whole: (usize, usize),
    /// The blocks of columns, and the pages along k, that are meant. The latter are whole groups.
    pub columns: Range<usize>,
    pub steps: Range<usize>,
}

impl<'a> Panel<'a> {
    /// All of a factor of `blocks` blocks of columns and `steps` pages along k.
    pub fn new(pages: &'a [Room], blocks: usize, steps: usize) -> Self {
        assert_eq!(pages.len(), blocks * steps, "pages of a factor");
        Self { pages, whole: (blocks, steps), columns: 0..blocks, steps: 0..steps }
    }

    /// A part of it, by blocks of columns and pages along k.
    ///
    /// # Panics
    /// If it is not inside, or cuts a group.
    pub fn part(&self, columns: Range<usize>, steps: Range<usize>) -> Self {
        let (blocks, all) = self.whole;
        assert!(columns.end <= blocks && steps.end <= all, "a part of another factor");
        assert!(
            steps.start.is_multiple_of(GROUP) && (steps.end.is_multiple_of(GROUP) || steps.end == all),
            "a cut group"
        );
        Self { columns, steps, ..*self }
    }

    /// The pages of the group that starts at page `from` of the part along k, of its block `column` and those behind it.
    pub fn group(&self, column: usize, from: usize) -> &'a [Room] {
        let (blocks, steps) = self.whole;
        let (column, from) = (self.columns.start + column, self.steps.start + from);
        &self.pages[from * blocks + column * GROUP.min(steps - from)..]
    }
}

/// Which factor of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// [outer, k]
    Left,
    /// [k, outer]
    Right,
}

/// A factor seen from its outer side: element (outer i, inner k) lies at i * outer + k * inner.
#[derive(Clone, Copy)]
pub struct Factor<'a> {
    values: &'a [f32],
    outer: usize,
    inner: usize,
    side: Side,
}

impl<'a> Factor<'a> {
    pub fn new(operand: Operand<'a>, side: Side) -> Self {
        let Operand { values, row_stride, column_stride } = operand;
        let (outer, inner) = match side {
            Side::Left => (row_stride, column_stride),
            Side::Right => (column_stride, row_stride),
        };
        Self { values, outer, inner, side }
    }

    /// Packs outer rows `first.0 ..` and inner elements `first.1 ..`, `count` of each at most 32, with zeros behind.
    ///
    /// # Safety
    /// The processor has AVX-512 F and BW, and all `count` elements are inside the buffer.
    #[target_feature(enable = "avx512f,avx512bw")]
    unsafe fn page(&self, first: (usize, usize), count: (usize, usize), page: &mut Room) {
        let start = self.values.as_ptr().wrapping_add(first.0 * self.outer + first.1 * self.inner);
        let tiles: *mut Words = page.as_mut_ptr().cast();
        for half in 0..2 {
            let outer = count.0.saturating_sub(16 * half).min(16);
            let start = start.wrapping_add(16 * half * self.outer);
            // SAFETY: as the caller vouches; the tiles of this half are in the page.
            unsafe {
                let (mut high, mut low) = match (self.inner == 1, outer == 16 && count.1 == BLOCK) {
                    (true, true) => self.rows_along(start, |_| !0, [!0; 2]),
                    (false, true) => self.rows_across(start, |_| !0),
                    (true, false) => {
                        let k = [lanes(count.1), lanes(count.1.saturating_sub(16))];
                        self.rows_along(start, |i| if i < outer { !0 } else { 0 }, k)
                    }
                    (false, false) => self.rows_across(start, |k| if k < count.1 { lanes(outer) } else { 0 }),
                };
                // pairs were read along rows of the tile's kind, or across them
                if (self.inner == 1) == (self.side == Side::Right) {
                    transpose(&mut high);
                    transpose(&mut low);
                }
                for i in 0..16 {
                    _mm512_store_si512((&raw mut (*tiles)[half][i]).cast(), high[i]);
                    _mm512_store_si512((&raw mut (*tiles)[2 + half][i]).cast(), low[i]);
                }
            }
        }
    }

    /// Words of elements that follow each other along k, a row each: row i where `rows(i)` says so, its `k` lanes.
    ///
    /// # Safety
    /// The lanes asked for are inside the buffer.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    unsafe fn rows_along(
        &self,
        start: *const f32,
        rows: impl Fn(usize) -> __mmask16,
        k: [__mmask16; 2],
    ) -> ([__m512i; 16], [__m512i; 16]) {
        let (mut high, mut low) = ([_mm512_setzero_si512(); 16], [_mm512_setzero_si512(); 16]);
        for i in 0..16 {
            let row = start.wrapping_add(i * self.outer);
            _mm_prefetch::<_MM_HINT_T0>(row.wrapping_add(AHEAD * BLOCK).cast());
            _mm_prefetch::<_MM_HINT_T0>(row.wrapping_add(AHEAD * BLOCK + 16).cast());
            // SAFETY: as the caller vouches: a masked load touches no other lanes.
            let (first, later) = unsafe {
                let later = _mm512_maskz_loadu_ps(k[1] & rows(i), row.wrapping_add(16));
                (_mm512_maskz_loadu_ps(k[0] & rows(i), row), later)
            };
            (high[i], low[i]) = pairs_along(first, later);
        }
        (high, low)
    }

    /// Words of elements k and k + 1, a pair of k each: the lanes `outer(k)` of element k.
    ///
    /// # Safety
    /// The lanes asked for are inside the buffer.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    unsafe fn rows_across(
        &self,
        start: *const f32,
        outer: impl Fn(usize) -> __mmask16,
    ) -> ([__m512i; 16], [__m512i; 16]) {
        let (mut high, mut low) = ([_mm512_setzero_si512(); 16], [_mm512_setzero_si512(); 16]);
        for pair in 0..16 {
            let k = 2 * pair;
            let row = start.wrapping_add(k * self.inner);
            let next = row.wrapping_add(self.inner);
            _mm_prefetch::<_MM_HINT_T0>(row.wrapping_add(AHEAD * BLOCK).cast());
            _mm_prefetch::<_MM_HINT_T0>(next.wrapping_add(AHEAD * BLOCK).cast());
            // SAFETY: as the caller vouches: a masked load touches no other lanes.
            let (even, odd) =
                unsafe { (_mm512_maskz_loadu_ps(outer(k), row), _mm512_maskz_loadu_ps(outer(k + 1), next)) };
            (high[pair], low[pair]) = pairs_across(even, odd);
        }
        (high, low)
    }

    /// Packs blocks of 32 outer rows from `first` on, `steps` pages each, of a factor of `outer` x `k`; the inner side starts
    /// at `from`. Block after block, on this thread.
    pub fn pack(&self, first: usize, outer: usize, from: usize, k: usize, steps: usize, pages: &mut [Room]) {
        let blocks = pages.len() / steps;
        let mut one = |block: usize, step: usize| {
            let (i, at) = (first + block * BLOCK, from + step * BLOCK);
            let count = (outer.saturating_sub(i).min(BLOCK), k.saturating_sub(at).min(BLOCK));
            // SAFETY: pages are made only where the tile unit is, which comes with AVX-512; `Operand::check` has seen
            // that `outer` x `k` elements are there.
            unsafe { self.page((i, at), count, &mut pages[block * steps + step]) };
        };
        // along the rows of the buffer: what is read next is near
        if self.inner == 1 {
            (0..blocks).for_each(|block| (0..steps).for_each(|step| one(block, step)));
        } else {
            (0..steps).for_each(|step| (0..blocks).for_each(|block| one(block, step)));
        }
    }

    /// Packs a factor of `outer` x `k` from `from` on along k into the pages of a [`Panel`], on all cores.
    pub fn pack_panel(&self, outer: usize, from: usize, k: usize, pages: &mut [Room]) {
        let blocks = outer.div_ceil(BLOCK).max(1);
        pages.par_chunks_mut(GROUP * blocks).enumerate().for_each(|(group, pages)| {
            let steps = pages.len() / blocks;
            pages.par_chunks_mut(steps).enumerate().for_each(|(block, pages)| {
                self.pack(block * BLOCK, outer, from + group * GROUP * BLOCK, k, steps, pages);
            });
        });
    }

    /// The same on this thread.
    pub fn pack_panel_here(&self, outer: usize, k: usize, pages: &mut [Room]) {
        let blocks = outer.div_ceil(BLOCK).max(1);
        for (group, pages) in pages.chunks_mut(GROUP * blocks).enumerate() {
            let steps = pages.len() / blocks;
            self.pack(0, outer, group * GROUP * BLOCK, k, steps, pages);
        }
    }
}

/// A mask of the first `count` of 16 lanes.
fn lanes(count: usize) -> __mmask16 {
    if count >= 16 { !0 } else { (1 << count) - 1 }
}

/// x as bits of two bf16 in the upper halves of words, the lower halves undefined in the second: x = first + second.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn split(x: __m512) -> (__m512i, __m512i) {
    let round = _mm512_set1_epi32(0x8000);
    let upper = _mm512_set1_epi32(0xffff_0000_u32 as i32);
    let high = _mm512_and_si512(_mm512_add_epi32(_mm512_castps_si512(x), round), upper);
    let rest = _mm512_sub_ps(x, _mm512_castsi512_ps(high));
    (high, _mm512_add_epi32(_mm512_castps_si512(rest), round))
}

/// Words of two successive elements each: `first` has elements 0 to 15, `later` 16 to 31.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn pairs_along(first: __m512, later: __m512) -> (__m512i, __m512i) {
    const UPPER_HALVES: [u16; 32] = {
        let mut index = [0; 32];
        let mut i = 0;
        while i < 32 {
            index[i] = 2 * i as u16 + 1;
            i += 1;
        }
        index
    };
    // SAFETY: 64 bytes are there.
    let upper = unsafe { _mm512_loadu_si512(UPPER_HALVES.as_ptr().cast()) };
    let ((high, low), (later_high, later_low)) = (split(first), split(later));
    (_mm512_permutex2var_epi16(high, upper, later_high), _mm512_permutex2var_epi16(low, upper, later_low))
}

/// Words of an element of `even` and the one of `odd` in the same lane.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn pairs_across(even: __m512, odd: __m512) -> (__m512i, __m512i) {
    let ((high, low), (odd_high, odd_low)) = (split(even), split(odd));
    let join = |even, odd| _mm512_mask_blend_epi16(0xaaaa_aaaa, _mm512_srli_epi32::<16>(even), odd);
    (join(high, odd_high), join(low, odd_low))
}

/// Transposes 16 x 16 words.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn transpose(rows: &mut [__m512i; 16]) {
    let mut other = [_mm512_setzero_si512(); 16];
    for i in 0..8 {
        other[2 * i] = _mm512_unpacklo_epi32(rows[2 * i], rows[2 * i + 1]);
        other[2 * i + 1] = _mm512_unpackhi_epi32(rows[2 * i], rows[2 * i + 1]);
    }
    for i in (0..16).step_by(4) {
        rows[i] = _mm512_unpacklo_epi64(other[i], other[i + 2]);
        rows[i + 1] = _mm512_unpackhi_epi64(other[i], other[i + 2]);
        rows[i + 2] = _mm512_unpacklo_epi64(other[i + 1], other[i + 3]);
        rows[i + 3] = _mm512_unpackhi_epi64(other[i + 1], other[i + 3]);
    }
    for half in [0, 8] {
        for i in half..half + 4 {
            other[i] = _mm512_shuffle_i32x4::<0x88>(rows[i], rows[i + 4]);
            other[i + 4] = _mm512_shuffle_i32x4::<0xdd>(rows[i], rows[i + 4]);
        }
    }
    for i in 0..8 {
        rows[i] = _mm512_shuffle_i32x4::<0x88>(other[i], other[i + 8]);
        rows[i + 8] = _mm512_shuffle_i32x4::<0xdd>(other[i], other[i + 8]);
    }
}

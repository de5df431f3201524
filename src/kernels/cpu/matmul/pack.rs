//! f32 in the tile unit's format: each element as the sum of two bf16, in tiles.
//!
//! A [`Page`] holds 32 rows of a left factor, or 32 columns of a right one, over 32 elements of the inner side k, as
//! four tiles of 16 x 64 bytes: the high halves of the first and the second 16, then their low halves. A row of a left
//! tile holds 32 successive k of one row of the factor; a row of a right tile holds the pair k, k + 1 of 16 columns.

use std::arch::x86_64::*;
use std::mem::MaybeUninit;

use rayon::prelude::*;

use super::operand::Operand;
use super::tiles::BLOCK;

/// Four tiles.
#[derive(Clone, Copy)]
#[repr(C, align(4096))]
pub struct Page([u8; 4096]);

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
            let (mut high, mut low) = ([_mm512_setzero_si512(); 16], [_mm512_setzero_si512(); 16]);
            // SAFETY: only elements within `count` are read, and a masked load touches no others.
            unsafe {
                if self.inner == 1 {
                    let (first, second) = (lanes(count.1), lanes(count.1.saturating_sub(16)));
                    for i in 0..outer {
                        let row = start.wrapping_add(i * self.outer);
                        let k = _mm512_maskz_loadu_ps(first, row);
                        let later = _mm512_maskz_loadu_ps(second, row.wrapping_add(16));
                        (high[i], low[i]) = pairs_along(k, later);
                    }
                } else {
                    for pair in 0..count.1.div_ceil(2).min(16) {
                        let row = start.wrapping_add(2 * pair * self.inner);
                        let even = _mm512_maskz_loadu_ps(lanes(outer), row);
                        let second = if 2 * pair + 1 < count.1 { lanes(outer) } else { 0 };
                        let odd = _mm512_maskz_loadu_ps(second, row.wrapping_add(self.inner));
                        (high[pair], low[pair]) = pairs_across(even, odd);
                    }
                }
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

    /// Packs the blocks of outer rows `first ..` that `pages` has room for, `steps` pages each, of a factor of
    /// `outer` x `k`; the inner side starts at `from`. On this thread.
    pub fn pack(&self, first: usize, outer: usize, from: usize, k: usize, steps: usize, pages: &mut [Room]) {
        for (block, pages) in pages.chunks_exact_mut(steps).enumerate() {
            let i = first + block * BLOCK;
            for (step, page) in pages.iter_mut().enumerate() {
                let at = from + step * BLOCK;
                let count = (outer.saturating_sub(i).min(BLOCK), k.saturating_sub(at).min(BLOCK));
                // SAFETY: pages are made only where the tile unit is, which comes with AVX-512; `Operand::check` has
                // seen that `outer` x `k` elements are there.
                unsafe { self.page((i, at), count, page) };
            }
        }
    }

    /// All of a factor of `outer` x `k`, on all cores.
    pub fn pack_all(&self, outer: usize, k: usize) -> Vec<Room> {
        let steps = k.div_ceil(BLOCK).max(1);
        let mut pages = room(outer.div_ceil(BLOCK) * steps);
        pages.par_chunks_mut(steps).enumerate().for_each(|(block, pages)| {
            self.pack(block * BLOCK, outer, 0, k, steps, pages);
        });
        pages
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

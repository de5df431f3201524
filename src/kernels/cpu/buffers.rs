//! Reading tensors in place, and making new buffers without first filling them with zeros.

use std::cell::RefCell;
use std::mem::MaybeUninit;

use dfdx::prelude::{Cpu, HasShape, Shape, Tensor};
use rayon::prelude::*;

use super::simd::vectorized;

/// The values of a contiguous tensor, row by row, where they lie.
///
/// dfdx keeps a tensor's storage to itself but lends any element of it, which gives the address.
pub fn values<S: Shape, T>(x: &Tensor<S, f32, Cpu, T>) -> &[f32] {
    let count = x.shape().num_elements();
    if count == 0 {
        return &[];
    }
    let first: *const f32 = &x[S::Concrete::default()];
    let last: *const f32 = &x[last_index(x)];
    assert_eq!(last as usize - first as usize, (count - 1) * size_of::<f32>(), "a tensor is not contiguous");
    // SAFETY: first and last element belong to the tensor's one vector and lie `count - 1` apart, as just checked, so
    // all `count` addresses are inside it; the vector lives, unchanged, as long as the tensor is borrowed.
    unsafe { std::slice::from_raw_parts(first, count) }
}

/// The values of a contiguous tensor, to be changed where they lie. A tensor that shares its storage gets its own.
pub fn values_mut<S: Shape>(x: &mut Tensor<S, f32, Cpu>) -> &mut [f32] {
    let count = x.shape().num_elements();
    if count == 0 {
        return &mut [];
    }
    let end = last_index(x);
    let last: *mut f32 = &mut x[end];
    let first: *mut f32 = &mut x[S::Concrete::default()];
    assert_eq!(last as usize - first as usize, (count - 1) * size_of::<f32>(), "a tensor is not contiguous");
    // SAFETY: as in `values`; the tensor is borrowed mutably, and its storage is not shared any more.
    unsafe { std::slice::from_raw_parts_mut(first, count) }
}

fn last_index<S: Shape, T>(x: &Tensor<S, f32, Cpu, T>) -> S::Concrete {
    let mut index = x.shape().concrete();
    for axis in 0..S::NUM_DIMS {
        index[axis] -= 1;
    }
    index
}

/// A new buffer that is written block by block, each block by whichever thread, and is whole then.
pub struct Fresh {
    values: Vec<f32>,
    len: usize,
}

impl Fresh {
    pub fn new(len: usize) -> Self {
        Self { values: Vec::with_capacity(len), len }
    }

    /// The buffer in blocks of `size` elements, the last one shorter.
    pub fn blocks(&mut self, size: usize) -> std::slice::ChunksMut<'_, MaybeUninit<f32>> {
        self.whole().chunks_mut(size.max(1))
    }

    /// The buffer in one piece.
    pub fn whole(&mut self) -> &mut [MaybeUninit<f32>] {
        &mut self.values.spare_capacity_mut()[..self.len]
    }

    /// # Safety
    /// Every element has been written.
    pub unsafe fn finish(mut self) -> Vec<f32> {
        // SAFETY: the capacity is at least `len`, and the caller vouches for the values.
        unsafe { self.values.set_len(self.len) };
        self.values
    }
}

/// A buffer of `rows` x `width`, made by `work(first row, block)` from blocks of at most `step` rows that each start as
/// copies of `source(row)`. The blocks run in parallel.
pub fn map_rows<'a>(
    (rows, width): (usize, usize),
    step: usize,
    source: impl Fn(usize) -> &'a [f32] + Sync,
    work: impl Fn(usize, &mut [f32]) + Sync,
) -> Vec<f32> {
    let mut fresh = Fresh::new(rows * width);
    let blocks: Vec<_> = fresh.blocks(step * width).collect();
    blocks.into_par_iter().enumerate().for_each(|(n, block)| {
        for (i, row) in block.chunks_exact_mut(width).enumerate() {
            row.write_copy_of_slice(source(n * step + i));
        }
        // SAFETY: a block is a whole number of rows, and the loop above has written all of them.
        work(n * step, unsafe { assume_init(block) });
    });
    // SAFETY: the blocks are the whole buffer, and each was written.
    unsafe { fresh.finish() }
}

/// # Safety
/// Every element has been written.
pub unsafe fn assume_init(block: &mut [MaybeUninit<f32>]) -> &mut [f32] {
    // SAFETY: `MaybeUninit<f32>` has the layout of `f32`, and the caller vouches for the values.
    unsafe { &mut *(std::ptr::from_mut(block) as *mut [f32]) }
}

/// Lends a buffer of this thread, of `len` elements with whatever values they have.
pub fn with_scratch<R>(len: usize, work: impl FnOnce(&mut [f32]) -> R) -> R {
    thread_local!(static SCRATCH: RefCell<Vec<Vec<f32>>> = const { RefCell::new(Vec::new()) });
    // one for each depth: work inside of work gets a buffer of its own
    let mut scratch = SCRATCH.with_borrow_mut(Vec::pop).unwrap_or_default();
    if scratch.len() < len {
        scratch.resize(len, 0.0);
    }
    let result = work(&mut scratch[..len]);
    SCRATCH.with_borrow_mut(|kept| kept.push(scratch));
    result
}

/// to += from, all cores.
pub fn add(to: &mut [f32], from: &[f32]) {
    const CHUNK: usize = 1 << 14;
    to.par_chunks_mut(CHUNK).zip(from.par_chunks(CHUNK)).for_each(|(to, from)| {
        vectorized(
            #[inline(always)]
            || to.iter_mut().zip(from).for_each(|(to, &from)| *to += from),
        );
    });
}

#[cfg(test)]
mod tests {
    use dfdx::prelude::{AsArray, PermuteTo, TensorFrom};

    use super::*;

    #[test]
    fn values_are_those_of_the_tensor_and_changes_stay_in_it() {
        let device = Cpu::default();
        let mut x = device.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
        let shared = x.clone();
        assert_eq!(values(&x), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        values_mut(&mut x)[4] = 50.0;
        assert_eq!(x.array(), [[1.0, 2.0, 3.0], [4.0, 50.0, 6.0]]);
        assert_eq!(shared.array(), [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], "a clone keeps its values");
    }

    #[test]
    #[should_panic(expected = "not contiguous")]
    fn a_broadcast_tensor_is_refused() {
        use dfdx::prelude::{BroadcastTo, Rank2};
        let x = Cpu::default().tensor([1.0, 2.0]).broadcast::<Rank2<3, 2>, _>();
        values(&x);
    }

    #[test]
    fn a_permuted_tensor_still_has_its_first_and_last_element_in_place() {
        // so the check cannot see it: operations never permute what they hand to each other
        let x = Cpu::default()
            .tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
            .permute::<dfdx::prelude::Rank2<3, 2>, _>();
        assert_eq!(values(&x), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    }

    #[test]
    fn rows_are_copied_then_worked_on_block_by_block() {
        let source: Vec<f32> = (0..10).map(|i| i as f32).collect();
        let work =
            |first: usize, block: &mut [f32]| block.iter_mut().for_each(|x| *x += 100.0 * first as f32);
        let made = map_rows((5, 2), 2, |row| &source[row * 2..][..2], work);
        assert_eq!(made, [0.0, 1.0, 2.0, 3.0, 204.0, 205.0, 206.0, 207.0, 408.0, 409.0]);
        assert!(map_rows((0, 2), 2, |_| &source[..2], |_, _| ()).is_empty());
    }
}

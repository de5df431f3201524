//! How the factors and the result of a product lie in memory.

use std::mem::MaybeUninit;

/// One factor: a row-major buffer, read as it is or transposed.
#[derive(Clone, Copy, Debug)]
pub struct Operand<'a> {
    pub(super) values: &'a [f32],
    pub(super) row_stride: usize,
    pub(super) column_stride: usize,
}

impl<'a> Operand<'a> {
    /// A row-major matrix whose rows are `stride` apart.
    pub fn rows(values: &'a [f32], stride: usize) -> Self {
        Self { values, row_stride: stride, column_stride: 1 }
    }

    /// The transpose of a row-major matrix whose rows are `stride` apart.
    pub fn transposed(values: &'a [f32], stride: usize) -> Self {
        Self { values, row_stride: 1, column_stride: stride }
    }

    /// Its transpose.
    pub fn turned(self) -> Self {
        Self { row_stride: self.column_stride, column_stride: self.row_stride, ..self }
    }

    /// What is left of it from that row and column on.
    pub(super) fn from(self, row: usize, column: usize) -> Self {
        let start = row * self.row_stride + column * self.column_stride;
        Self { values: &self.values[start.min(self.values.len())..], ..self }
    }

    /// # Panics
    /// If the buffer is too short for a matrix of `rows` x `columns`.
    pub(super) fn check(&self, rows: usize, columns: usize) {
        let covered = rows == 0
            || columns == 0
            || (rows - 1) * self.row_stride + (columns - 1) * self.column_stride < self.values.len();
        assert!(covered, "a factor of a matrix product is too short");
    }
}

/// Where a result goes: a row-major matrix whose rows are `stride` apart.
pub struct Target<'a> {
    values: &'a mut [MaybeUninit<f32>],
    pub(super) stride: usize,
    /// Add to what is there, instead of overwriting it.
    pub(super) accumulate: bool,
}

impl<'a> Target<'a> {
    /// Overwrites; the buffer need not hold anything yet.
    pub fn new(values: &'a mut [MaybeUninit<f32>], stride: usize) -> Self {
        Self { values, stride, accumulate: false }
    }

    /// Overwrites where this is the `first` of several products, else adds.
    pub fn first(values: &'a mut [MaybeUninit<f32>], stride: usize, first: bool) -> Self {
        Self { values, stride, accumulate: !first }
    }

    /// Overwrites.
    pub fn over(values: &'a mut [f32], stride: usize) -> Self {
        Self { accumulate: false, ..Self::onto(values, stride) }
    }

    /// Adds to what is there.
    pub fn onto(values: &'a mut [f32], stride: usize) -> Self {
        // SAFETY: `MaybeUninit<f32>` has the layout of `f32`, and only numbers are ever written through it.
        let values = unsafe { &mut *(std::ptr::from_mut(values) as *mut [MaybeUninit<f32>]) };
        Self { values, stride, accumulate: true }
    }

    /// The first element's address.
    ///
    /// # Panics
    /// If the buffer is too short for a matrix of `rows` x `columns`.
    pub(super) fn start(&mut self, rows: usize, columns: usize) -> *mut f32 {
        let covered = rows == 0 || columns == 0 || (rows - 1) * self.stride + columns <= self.values.len();
        assert!(covered, "the target of a matrix product is too short");
        self.values.as_mut_ptr().cast()
    }
}

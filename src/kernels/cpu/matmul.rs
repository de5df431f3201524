//! Matrix products by `gemm`, with the layouts that the operations need.

use gemm::Parallelism;

/// One operand: a row-major buffer, read as it is or transposed.
#[derive(Clone, Copy)]
pub struct Operand<'a> {
    values: &'a [f32],
    row_stride: usize,
    column_stride: usize,
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

    fn covers(&self, rows: usize, columns: usize) -> bool {
        rows == 0
            || columns == 0
            || (rows - 1) * self.row_stride + (columns - 1) * self.column_stride < self.values.len()
    }
}

/// Where the result goes: a row-major matrix whose rows are `stride` apart.
pub struct Target<'a> {
    pub values: &'a mut [f32],
    pub stride: usize,
    /// Add to what is there, instead of overwriting it.
    pub accumulate: bool,
}

/// target = [target +] scale * left * right, for left [m, k] and right [k, n].
pub fn matmul(
    (m, k, n): (usize, usize, usize),
    target: Target,
    left: Operand,
    right: Operand,
    scale: f32,
    parallelism: Parallelism,
) {
    if m == 0 || n == 0 {
        return;
    }
    assert!(left.covers(m, k) && right.covers(k, n), "operands of a matrix product are too short");
    assert!((m - 1) * target.stride + n <= target.values.len(), "target of a matrix product is too short");
    // SAFETY: the asserts above keep every address inside its slice, and `target` is borrowed mutably, so it
    // overlaps neither operand.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            target.values.as_mut_ptr(),
            1,
            target.stride as isize,
            target.accumulate,
            left.values.as_ptr(),
            left.column_stride as isize,
            left.row_stride as isize,
            right.values.as_ptr(),
            right.column_stride as isize,
            right.row_stride as isize,
            1.0,
            scale,
            false,
            false,
            false,
            parallelism,
        );
    }
}

/// All cores for a large product, this thread for a small one.
pub fn parallelism(m: usize, k: usize, n: usize) -> Parallelism {
    if m * k * n < 1 << 18 { Parallelism::None } else { Parallelism::Rayon(0) }
}

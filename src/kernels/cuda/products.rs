//! Matrix products by cuBLAS, of f32 or of f16 with sums in f32.

use cudarc::cublas::sys::{
    cublasComputeType_t as Compute, cublasGemmAlgo_t as Algorithm, cublasGemmStridedBatchedEx,
    cublasOperation_t as Turn, cudaDataType_t as Type,
};
use dfdx::prelude::CudaError;

use super::address::{At, of};
use super::memory::Buffer;
use super::module::{Gpu, launch};

/// What enters a product: f32, or in mixed precision f16.
pub struct Operand {
    /// Where the f32 lie, which are not read where there is a half.
    single: At,
    /// The f32, where they are the operand's own.
    _own: Option<Buffer<f32>>,
    half: Option<Buffer<u16>>,
}

/// An operand as it is, or turned: its columns for rows.
#[derive(Clone, Copy)]
pub struct Side {
    at: At,
    kind: Type,
    turned: bool,
}

impl Operand {
    /// `count` numbers that live as long as the operand is used.
    pub fn new(gpu: &Gpu, single: At, count: usize) -> Result<Self, CudaError> {
        let made = Self::room(gpu, single, count)?;
        if let Some(half) = made.half() {
            launch!(gpu, "cast", Gpu::stride(count), half, single, count)?;
        }
        Ok(made)
    }

    /// Numbers that a kernel is about to write: to `single`, and to [`Operand::half`] where there is one.
    pub fn room(gpu: &Gpu, single: At, count: usize) -> Result<Self, CudaError> {
        let half = if gpu.is_mixed() { Some(gpu.memory(count)?) } else { None };
        Ok(Self { single, _own: None, half })
    }

    /// Memory for numbers that a kernel is about to write, which nothing but products read: to [`Operand::single`]
    /// and [`Operand::half`], one of which there is.
    pub fn own(gpu: &Gpu, count: usize) -> Result<Self, CudaError> {
        let own = gpu.memory::<f32>(if gpu.is_mixed() { 0 } else { count })?;
        let room = Self::room(gpu, of(&own), count)?;
        Ok(Self { _own: Some(own), ..room })
    }

    /// `count` numbers that are the operand's from here on.
    pub fn of(gpu: &Gpu, single: Buffer<f32>, count: usize) -> Result<Self, CudaError> {
        let made = Self::new(gpu, of(&single), count)?;
        Ok(Self { _own: made.half.is_none().then_some(single), ..made })
    }

    /// f32 in any precision.
    pub fn in_f32(single: At) -> Self {
        Self { single, _own: None, half: None }
    }

    pub fn half(&self) -> Option<At> {
        self.half.as_ref().map(of)
    }

    /// The f32, where it is they that enter the product.
    pub fn single(&self) -> Option<At> {
        self.half.is_none().then_some(self.single)
    }

    pub fn plain(&self) -> Side {
        let (at, kind) = match self.half() {
            Some(half) => (half, Type::CUDA_R_16F),
            None => (self.single, Type::CUDA_R_32F),
        };
        Side { at, kind, turned: false }
    }

    pub fn turned(&self) -> Side {
        Side { turned: true, ..self.plain() }
    }
}

/// The sizes of a product: [rows, inner] times [inner, columns].
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub rows: usize,
    pub inner: usize,
    pub columns: usize,
}

impl Size {
    pub const fn new(rows: usize, inner: usize, columns: usize) -> Self {
        Self { rows, inner, columns }
    }
}

/// out = left right, or out += left right.
pub fn product(gpu: &Gpu, size: Size, left: Side, right: Side, out: At, onto: bool) -> Result<(), CudaError> {
    products(gpu, 1, size, left, right, out, (1.0, if onto { 1.0 } else { 0.0 }))
}

/// `count` products, their operands and results one behind the other: out = alpha left right + beta out.
pub fn products(
    gpu: &Gpu,
    count: usize,
    Size { rows, inner, columns }: Size,
    left: Side,
    right: Side,
    out: At,
    (alpha, beta): (f32, f32),
) -> Result<(), CudaError> {
    if count * rows * columns * inner == 0 {
        return Ok(());
    }
    assert_eq!(left.kind, right.kind, "both sides in the same precision");
    let operation = |side: Side| if side.turned { Turn::CUBLAS_OP_T } else { Turn::CUBLAS_OP_N };
    let [m, n, k] = [columns, rows, inner].map(int);
    let leading_right = int(if right.turned { inner } else { columns });
    let leading_left = int(if left.turned { rows } else { inner });
    let stride = |height: usize, width: usize| (height * width) as i64;
    // SAFETY: cuBLAS counts by columns, for which a row-major matrix is its transpose: out^T = right^T left^T. The
    // operands hold `count` matrices of the sizes given, and so does `out`.
    let done = unsafe {
        cublasGemmStridedBatchedEx(
            gpu.blas(),
            operation(right),
            operation(left),
            m,
            n,
            k,
            (&raw const alpha).cast(),
            right.at.0 as *const _,
            right.kind,
            leading_right,
            stride(inner, columns),
            left.at.0 as *const _,
            left.kind,
            leading_left,
            stride(rows, inner),
            (&raw const beta).cast(),
            out.0 as *mut _,
            Type::CUDA_R_32F,
            m,
            stride(rows, columns),
            int(count),
            Compute::CUBLAS_COMPUTE_32F,
            Algorithm::CUBLAS_GEMM_DEFAULT,
        )
    };
    Ok(done.result()?)
}

fn int(size: usize) -> i32 {
    i32::try_from(size).expect("sizes of a product are below 2^31")
}

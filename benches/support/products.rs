//! The matrix products of a linear layer, through the operation `linear` and by the crate `gemm` alone.

use camtl::kernels::{Kernels, Matrix, Pass};
use camtl::runner::Cpu;
use dfdx::prelude::{
    Axis, Backward, Const, HasShape, PutTape, Rank0, ReshapeTo, SumTo, Tensor, TensorFromVec,
};
use gemm::Parallelism;
use rayon::prelude::*;

/// Rows of x: 32 sequences of 128 tokens.
pub const ROWS: usize = 4096;

/// What a layer of MiniLM's multiplies: IN, OUT, and how often.
pub const SIZES: [(usize, usize, usize); 4] = [(384, 384, 4), (384, 1152, 0), (384, 1536, 1), (1536, 384, 1)];

/// Floating point operations of one product; its backward half has two such.
pub fn flops(input: usize, output: usize) -> f64 {
    2.0 * (ROWS * input * output) as f64
}

/// `linear` at one size.
pub struct Linear<const IN: usize> {
    device: Cpu,
    x: Tensor<(usize, Const<IN>), f32, Cpu>,
    weight: Tensor<(usize, Const<IN>), f32, Cpu>,
    bias: Tensor<(usize,), f32, Cpu>,
}

impl<const IN: usize> Linear<IN> {
    pub fn new(output: usize) -> Self {
        let device = Cpu::default();
        Self {
            x: device.tensor_from_vec(numbers(ROWS * IN), (ROWS, Const)),
            weight: device.tensor_from_vec(numbers(output * IN), (output, Const)),
            bias: device.tensor_from_vec(numbers(output), (output,)),
            device,
        }
    }

    /// x W^T + b, without a tape.
    pub fn forward(&self) -> Matrix<Cpu> {
        let mut pass = Pass::scoring(self.device.clone());
        Cpu::linear(&mut pass, &self.x, &self.weight, &self.bias, true)
    }

    /// The same on a tape, and the gradients of x, W and b.
    pub fn both(&self) {
        let mut pass = Pass::training(self.device.clone(), 0.0, 1);
        let y = Cpu::linear(&mut pass, &self.x, &self.weight, &self.bias, true);
        let count = y.shape().0 * y.shape().1;
        let loss = pass.record(&y, |y| y.reshape_like(&(count,)).sum::<Rank0, Axis<0>>());
        loss.put_tape(pass.tape).backward();
    }
}

/// `gemm` on buffers of its own, at one size.
pub struct Gemm {
    input: usize,
    output: usize,
    x: Vec<f32>,  // [ROWS, input]
    w: Vec<f32>,  // [output, input]
    y: Vec<f32>,  // [ROWS, output]
    dx: Vec<f32>, // [ROWS, input]
    dw: Vec<f32>, // [output, input]
}

impl Gemm {
    pub fn new(input: usize, output: usize) -> Self {
        let zeros = |count| vec![0.0; count];
        let (x, w) = (numbers(ROWS * input), numbers(output * input));
        let (y, dx, dw) = (numbers(ROWS * output), zeros(ROWS * input), zeros(output * input));
        Self { input, output, x, w, y, dx, dw }
    }

    /// y = x W^T, by all cores together.
    pub fn forward(&mut self) {
        let (k, n) = (self.input, self.output);
        product((ROWS, k, n), &mut self.y, (&self.x, k, 1), (&self.w, 1, k), Parallelism::Rayon(0));
    }

    /// y = x W^T, each core its own rows.
    pub fn forward_by_rows(&mut self) {
        let (k, n, w) = (self.input, self.output, &self.w);
        let rows = ROWS.div_ceil(rayon::current_num_threads());
        self.y.par_chunks_mut(rows * n).zip(self.x.par_chunks(rows * k)).for_each(|(y, x)| {
            product((y.len() / n, k, n), y, (x, k, 1), (w, 1, k), Parallelism::None);
        });
    }

    /// dx = dy W and dW = dy^T x; y stands for dy.
    pub fn backward(&mut self) {
        let (k, n) = (self.input, self.output);
        product((ROWS, n, k), &mut self.dx, (&self.y, n, 1), (&self.w, k, 1), Parallelism::Rayon(0));
        product((n, ROWS, k), &mut self.dw, (&self.y, 1, n), (&self.x, k, 1), Parallelism::Rayon(0));
    }
}

/// target = left right, for left [m, k] and right [k, n], each with its strides of rows and columns.
fn product(
    (m, k, n): (usize, usize, usize),
    target: &mut [f32],
    (left, left_row, left_column): (&[f32], usize, usize),
    (right, right_row, right_column): (&[f32], usize, usize),
    parallelism: Parallelism,
) {
    assert!(target.len() == m * n && left.len() == m * k && right.len() == k * n, "sizes of a product");
    // SAFETY: the buffers have as many elements as the shapes say, with no gaps, and the target is borrowed mutably.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            target.as_mut_ptr(),
            1,
            n as isize,
            false,
            left.as_ptr(),
            left_column as isize,
            left_row as isize,
            right.as_ptr(),
            right_column as isize,
            right_row as isize,
            0.0,
            1.0,
            false,
            false,
            false,
            parallelism,
        );
    }
}

/// Numbers about zero.
pub fn numbers(count: usize) -> Vec<f32> {
    (0..count as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 8) as f32 / (1 << 24) as f32 - 0.5).collect()
}

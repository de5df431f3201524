//! The matrix products of a linear layer, through the operation `linear` and by the crate `gemm` alone.

use camtl::kernels::{Kernels, Matrix, Pass, Weight};
use camtl::runner::Cpu;
use dfdx::prelude::{Const, Tape, Tensor, TensorFromVec};
use gemm::Parallelism;
use rayon::prelude::*;

use super::measure::{Operation, both, forward};
use super::{median, seconds};

/// Rows of x: 32 sequences of 128 tokens.
pub const ROWS: usize = 4096;

/// Floating point operations of one product; its backward half has two such.
pub fn flops(input: usize, output: usize) -> f64 {
    2.0 * (ROWS * input * output) as f64
}

/// x W^T + b at one size.
pub struct Linear<const IN: usize> {
    x: Tensor<(usize, Const<IN>), f32, Cpu>,
    weight: Weight<(usize, Const<IN>), Cpu>,
    bias: Tensor<(usize,), f32, Cpu>,
}

impl<const IN: usize> Linear<IN> {
    pub fn new(output: usize) -> Self {
        let device = Cpu::default();
        Self {
            x: device.tensor_from_vec(numbers(ROWS * IN), (ROWS, Const)),
            weight: Weight::new(device.tensor_from_vec(numbers(output * IN), (output, Const))),
            bias: device.tensor_from_vec(numbers(output), (output,)),
        }
    }
}

impl<const IN: usize> Operation for Linear<IN> {
    type Out = (usize, usize);

    fn run<T: Tape<f32, Cpu>>(&self, pass: &mut Pass<T, Cpu>) -> Matrix<Cpu> {
        Cpu::linear(pass, &self.x, &self.weight, &self.bias, true)
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

/// Median seconds of our forward pass, of both, and of the same by `gemm` alone.
pub struct Times {
    pub forward: f64,
    pub both: f64,
    pub gemm_forward: f64,
    pub gemm_both: f64,
}

/// Measures a size, both sides in turn, so that what disturbs the machine disturbs both.
pub fn compare<const IN: usize>(output: usize, repeats: usize) -> Times {
    const WARM_UP: usize = 3;
    let ours = Linear::<IN>::new(output);
    let mut alone = Gemm::new(IN, output);
    let mut all = [const { Vec::new() }; 5];
    for number in 0..WARM_UP + repeats {
        let times = [
            seconds(|| drop(forward(&ours))),
            both(&ours),
            seconds(|| alone.forward()),
            seconds(|| alone.forward_by_rows()),
            seconds(|| alone.backward()),
        ];
        if number >= WARM_UP {
            all.iter_mut().zip(times).for_each(|(all, time)| all.push(time));
        }
    }
    let [forward, both, together, by_rows, backward] = all.map(median);
    let gemm_forward = together.min(by_rows);
    Times { forward, both, gemm_forward, gemm_both: gemm_forward + backward }
}

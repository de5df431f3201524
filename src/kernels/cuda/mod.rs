//! CUDA: matrix products by cuBLAS, kernels of our own for what lies between them.
//!
//! | file | holds |
//! |---|---|
//! | `attention`, `bias`, `linear`, `norm`, `rows` | the operations |
//! | `objective`, `optimizer` | cross-entropies; norms of gradients, AdamW |
//! | `products` | what enters a product, in f32 or f16, and cuBLAS |
//! | `tables` | which rows belong together, in the GPU's memory; sums over them |
//! | `module`, `memory`, `address` | the GPU: kernels and precision; buffers; where a tensor lies |
//! | `kernels.cu` | the kernels |
//!
//! An operation reads tensors where they lie (`address`), and what it keeps for its backward half is memory of its own.
//! Sums are made in a fixed order: the same seed gives the same run. Of dfdx's own kernels the small things between
//! operations are made; none of these has to be compiled when it runs, as a non-contiguous `reshape`,
//! `concat_along` and `to_dtype` would, by NVRTC with headers at the paths of the machine that built the program.

mod address;
mod attention;
mod bias;
mod linear;
mod memory;
mod module;
mod norm;
mod objective;
mod optimizer;
mod products;
mod rows;
mod tables;

use dfdx::prelude::{Cache as _, Const, Cuda, CudaError, Dim, Gradients, Rank0, Rank2, Shape, Tape, Tensor};

use super::{
    AdamWUpdate, BlockShape, Dense, Kernels, Later, Matrix, Pass, Residual, Segments, TokenIds, Tokens,
    Weight, composed,
};

pub use module::{Precision, open};
pub(super) use tables::Tables;

/// What an operation made. As in dfdx's own, an error of the driver is a panic that shows it: most often the memory
/// does not suffice.
fn made<R>(result: Result<R, CudaError>) -> R {
    match result {
        Ok(made) => made,
        Err(error) => panic!("on the GPU: {error:?}"),
    }
}

impl Kernels for Cuda {
    type Moments = optimizer::DeviceMoments;
    type Aside = ();
    type Asked = optimizer::Asked;
    type Updates = optimizer::Updates;

    fn aside(&self) {}

    fn forget((): &()) {}

    fn is_mixed(&self) -> bool {
        module::gpu().is_mixed()
    }

    fn recycle(&self) {
        self.empty_cache();
    }

    fn embed<const HIDDEN: usize, const VOCAB: usize, const POSITIONS: usize, const TYPES: usize, T>(
        pass: &mut Pass<T, Self>,
        ids: &TokenIds,
        word: &Weight<Rank2<VOCAB, HIDDEN>, Self>,
        position: &Tensor<Rank2<POSITIONS, HIDDEN>, f32, Self>,
        token_type: &Tensor<Rank2<TYPES, HIDDEN>, f32, Self>,
        learn: bool,
    ) -> Tokens<HIDDEN, Self>
    where
        T: Tape<f32, Self>,
    {
        made(rows::embed(pass, ids, &word.value, position, token_type, learn))
    }

    fn linear<const IN: usize, Out: Dim, T: Tape<f32, Self>>(
        pass: &mut Pass<T, Self>,
        x: &Tokens<IN, Self>,
        weight: &Weight<(Out, Const<IN>), Self>,
        bias: &Tensor<(Out,), f32, Self>,
        learn: bool,
    ) -> Tensor<(usize, Out), f32, Self> {
        made(linear::linear(pass, x, &weight.value, bias, learn))
    }

    fn dropout<const WIDTH: usize, T: Tape<f32, Self>>(
        pass: &mut Pass<T, Self>,
        x: &Tokens<WIDTH, Self>,
    ) -> Tokens<WIDTH, Self> {
        made(rows::dropout(pass, x))
    }

    fn norm<const HIDDEN: usize, T: Tape<f32, Self>>(
        pass: &mut Pass<T, Self>,
        x: &Tokens<HIDDEN, Self>,
        gamma: &Tokens<HIDDEN, Self>,
        beta: &Tokens<HIDDEN, Self>,
        epsilon: f32,
        segments: &Segments,
        learn: bool,
    ) -> Tokens<HIDDEN, Self> {
        made(norm::norm(pass, x, (gamma, beta), epsilon, segments, learn))
    }

    fn linear_norm<const IN: usize, const HIDDEN: usize, T: Tape<f32, Self>>(
        pass: &mut Pass<T, Self>,
        x: &Tokens<IN, Self>,
        dense: Dense<IN, HIDDEN, Self>,
        residual: Residual<HIDDEN, Self>,
    ) -> Tokens<HIDDEN, Self> {
        made(linear::linear_norm(pass, x, &dense, residual))
    }

    fn feed_forward<const HIDDEN: usize, const INNER: usize, T: Tape<f32, Self>>(
        pass: &mut Pass<T, Self>,
        x: &Tokens<HIDDEN, Self>,
        dense: (Dense<HIDDEN, INNER, Self>, Dense<INNER, HIDDEN, Self>),
        dropout: bool,
        residual: Option<Residual<HIDDEN, Self>>,
    ) -> Tokens<HIDDEN, Self> {
        made(linear::feed_forward(pass, x, (&dense.0, &dense.1), dropout, residual))
    }

    fn film<const HIDDEN: usize, T: Tape<f32, Self>>(
        pass: &mut Pass<T, Self>,
        x: &Tokens<HIDDEN, Self>,
        gamma: &Tokens<HIDDEN, Self>,
        beta: &Tokens<HIDDEN, Self>,
        segments: &Segments,
    ) -> Tokens<HIDDEN, Self> {
        made(rows::film(pass, x, gamma, beta, segments))
    }

    fn block_bias<T: Tape<f32, Self>>(
        pass: &mut Pass<T, Self>,
        blocks: &Tensor<(usize,), f32, Self>,
        gamma: &Matrix<Self>,
        beta: &Matrix<Self>,
        shape: BlockShape,
    ) -> Matrix<Self> {
        made(bias::block_bias(pass, blocks, gamma, beta, shape))
    }

    fn self_attention<const HIDDEN: usize, T: Tape<f32, Self>>(
        pass: &mut Pass<T, Self>,
        x: &Tokens<HIDDEN, Self>,
        dense: [Dense<HIDDEN, HIDDEN, Self>; 3],
        heads: usize,
        bias: Option<(Matrix<Self>, BlockShape)>,
        segments: &Segments,
        asking: &Segments,
    ) -> Tokens<HIDDEN, Self> {
        made(attention::self_attention(pass, x, &dense, heads, bias, segments, asking))
    }

    fn select<const WIDTH: usize, T: Tape<f32, Self>>(
        pass: &mut Pass<T, Self>,
        x: &Tokens<WIDTH, Self>,
        rows: &[usize],
    ) -> Tokens<WIDTH, Self> {
        made(rows::select(pass, x, rows))
    }

    fn gradient<S: Shape>(gradients: &mut Gradients<f32, Self>, weight: &Weight<S, Self>) -> Vec<f32> {
        composed::gradient(gradients, &weight.value)
    }

    fn log_likelihood<T: Tape<f32, Self>>(
        pass: &mut Pass<T, Self>,
        x: &Matrix<Self>,
        weights: Vec<f32>,
    ) -> Tensor<Rank0, f32, Self> {
        made(objective::log_likelihood(pass, x, weights))
    }

    fn squared_norm<S: Shape>(gradients: &mut Gradients<f32, Self>, weight: &Weight<S, Self>) -> Later<Self> {
        Later::Asked(made(optimizer::ask(gradients, &weight.value)))
    }

    fn answer(asked: Vec<Self::Asked>) -> Vec<f64> {
        made(optimizer::answer(&asked))
    }

    fn adamw<S: Shape>(
        weight: &mut Weight<S, Self>,
        moments: &mut Self::Moments,
        gradients: &mut Gradients<f32, Self>,
        update: &AdamWUpdate,
        updates: &mut Self::Updates,
    ) {
        made(updates.add(&weight.value, moments, gradients, update));
    }

    fn make(updates: Self::Updates) {
        made(updates.make());
    }
}

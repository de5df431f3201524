//! CUDA: the operations composed of dfdx's own kernels.
//!
//! A CUDA tensor's storage cannot be reached from outside dfdx, so there is no fused kernel here but for what reads no
//! tensor (`factors`). None of the operations used has to be compiled when it runs: a non-contiguous `reshape`,
//! `concat_along` and `to_dtype` would be, by NVRTC, with headers at the paths of the machine that built the program.

mod factors;

use dfdx::prelude::{Cache as _, Const, Cuda, Dim, Gradients, Rank2, Shape, Tape, Tensor};

use super::composed::{self, DeviceMoments};
use super::{
    AdamWUpdate, BlockShape, Dense, Kernels, Later, Matrix, Pass, Residual, Segments, TokenIds, Tokens,
    Weight,
};

impl Kernels for Cuda {
    type Moments = DeviceMoments<Self>;
    type Aside = ();

    fn aside(&self) {}

    fn forget((): &()) {}

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
        composed::embed(pass, ids, &word.value, position, token_type, learn)
    }

    fn linear<const IN: usize, Out: Dim, T: Tape<f32, Self>>(
        pass: &mut Pass<T, Self>,
        x: &Tokens<IN, Self>,
        weight: &Weight<(Out, Const<IN>), Self>,
        bias: &Tensor<(Out,), f32, Self>,
        learn: bool,
    ) -> Tensor<(usize, Out), f32, Self> {
        composed::linear(pass, x, &weight.value, bias, learn)
    }

    fn dropout<const WIDTH: usize, T: Tape<f32, Self>>(
        pass: &mut Pass<T, Self>,
        x: &Tokens<WIDTH, Self>,
    ) -> Tokens<WIDTH, Self> {
        composed::dropout(pass, x)
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
        composed::norm(pass, x, (gamma, beta), epsilon, segments, learn)
    }

    fn linear_norm<const IN: usize, const HIDDEN: usize, T: Tape<f32, Self>>(
        pass: &mut Pass<T, Self>,
        x: &Tokens<IN, Self>,
        dense: Dense<IN, HIDDEN, Self>,
        residual: Residual<HIDDEN, Self>,
    ) -> Tokens<HIDDEN, Self> {
        composed::linear_norm(pass, x, dense, residual)
    }

    fn feed_forward<const HIDDEN: usize, const INNER: usize, T: Tape<f32, Self>>(
        pass: &mut Pass<T, Self>,
        x: &Tokens<HIDDEN, Self>,
        dense: (Dense<HIDDEN, INNER, Self>, Dense<INNER, HIDDEN, Self>),
        dropout: bool,
        residual: Option<Residual<HIDDEN, Self>>,
    ) -> Tokens<HIDDEN, Self> {
        composed::feed_forward(pass, x, dense, dropout, residual)
    }

    fn film<const HIDDEN: usize, T: Tape<f32, Self>>(
        pass: &mut Pass<T, Self>,
        x: &Tokens<HIDDEN, Self>,
        gamma: &Tokens<HIDDEN, Self>,
        beta: &Tokens<HIDDEN, Self>,
        segments: &Segments,
    ) -> Tokens<HIDDEN, Self> {
        composed::film(pass, x, gamma, beta, segments)
    }

    fn block_bias<T: Tape<f32, Self>>(
        pass: &mut Pass<T, Self>,
        blocks: &Tensor<(usize,), f32, Self>,
        gamma: &Matrix<Self>,
        beta: &Matrix<Self>,
        shape: BlockShape,
    ) -> Matrix<Self> {
        composed::block_bias(pass, blocks, gamma, beta, shape)
    }

    fn self_attention<const HIDDEN: usize, T: Tape<f32, Self>>(
        pass: &mut Pass<T, Self>,
        x: &Tokens<HIDDEN, Self>,
        dense: [Dense<HIDDEN, HIDDEN, Self>; 3],
        heads: usize,
        bias: Option<(Matrix<Self>, BlockShape)>,
        segments: &Segments,
    ) -> Tokens<HIDDEN, Self> {
        composed::self_attention(pass, x, dense, heads, bias, segments)
    }

    fn select<const WIDTH: usize, T: Tape<f32, Self>>(
        pass: &mut Pass<T, Self>,
        x: &Tokens<WIDTH, Self>,
        rows: &[usize],
    ) -> Tokens<WIDTH, Self> {
        composed::select(pass, x, rows)
    }

    fn gradient<S: Shape>(gradients: &mut Gradients<f32, Self>, weight: &Weight<S, Self>) -> Vec<f32> {
        composed::gradient(gradients, &weight.value)
    }

    fn squared_norm<S: Shape>(gradients: &mut Gradients<f32, Self>, weight: &Weight<S, Self>) -> Later<Self> {
        Later::OnDevice(composed::squared_norm(gradients, &weight.value))
    }

    fn adamw<S: Shape>(
        weight: &mut Weight<S, Self>,
        moments: &mut Self::Moments,
        gradients: &mut Gradients<f32, Self>,
        update: &AdamWUpdate,
    ) {
        composed::adamw(&mut weight.value, moments, gradients, update);
    }
}

//! The CPU's operations: `gemm` for matrix products, loops that vectorize for the rest, rayon over rows.
//!
//! An operation reads its inputs where they lie (`buffers::values`), computes, moves the result into a tensor
//! (`tensor_from_vec`), and records what backward needs in a closure on the tape.
//! Reductions run over a fixed number of parts in a fixed order: results do not depend on thread timing.

mod adamw;
mod attention;
mod buffers;
mod elementwise;
mod embedding;
mod linear;
mod math;
mod matmul;
mod modulate;
mod norm;

use dfdx::prelude::{Const, Cpu, Dim, Gradients, Rank2, Shape, Tape, Tensor, TensorFromVec};

use super::{AdamWUpdate, BlockShape, Kernels, Matrix, Pass, Segments, TokenIds, Tokens};

impl Kernels for Cpu {
    type Moments = adamw::HostMoments;

    fn embed<const HIDDEN: usize, const VOCAB: usize, const POSITIONS: usize, const TYPES: usize, T>(
        pass: &mut Pass<T, Self>,
        ids: &TokenIds,
        word: &Tensor<Rank2<VOCAB, HIDDEN>, f32, Self>,
        position: &Tensor<Rank2<POSITIONS, HIDDEN>, f32, Self>,
        token_type: &Tensor<Rank2<TYPES, HIDDEN>, f32, Self>,
        learn: bool,
    ) -> Tokens<HIDDEN, Self>
    where
        T: Tape<f32, Self>,
    {
        embedding::embed(pass, ids, word, position, token_type, learn)
    }

    fn linear<const IN: usize, Out: Dim, T: Tape<f32, Self>>(
        pass: &mut Pass<T, Self>,
        x: &Tokens<IN, Self>,
        weight: &Tensor<(Out, Const<IN>), f32, Self>,
        bias: &Tensor<(Out,), f32, Self>,
        learn: bool,
    ) -> Tensor<(usize, Out), f32, Self> {
        linear::linear(pass, x, weight, bias, learn)
    }

    fn gelu<const WIDTH: usize, T: Tape<f32, Self>>(
        pass: &mut Pass<T, Self>,
        x: &Tokens<WIDTH, Self>,
    ) -> Tokens<WIDTH, Self> {
        elementwise::gelu(pass, x)
    }

    fn dropout<const WIDTH: usize, T: Tape<f32, Self>>(
        pass: &mut Pass<T, Self>,
        x: &Tokens<WIDTH, Self>,
    ) -> Tokens<WIDTH, Self> {
        elementwise::dropout(pass, x)
    }

    fn norm<const HIDDEN: usize, S: Shape, T: Tape<f32, Self>>(
        pass: &mut Pass<T, Self>,
        x: &Tokens<HIDDEN, Self>,
        residual: Option<&Tokens<HIDDEN, Self>>,
        gamma: &Tensor<S, f32, Self>,
        beta: &Tensor<S, f32, Self>,
        epsilon: f32,
        segments: &Segments,
        learn: bool,
    ) -> Tokens<HIDDEN, Self> {
        norm::norm(pass, x, residual, (gamma, beta), epsilon, segments, learn)
    }

    fn film<const HIDDEN: usize, T: Tape<f32, Self>>(
        pass: &mut Pass<T, Self>,
        x: &Tokens<HIDDEN, Self>,
        gamma: &Tokens<HIDDEN, Self>,
        beta: &Tokens<HIDDEN, Self>,
        segments: &Segments,
    ) -> Tokens<HIDDEN, Self> {
        modulate::film(pass, x, gamma, beta, segments)
    }

    fn block_bias<T: Tape<f32, Self>>(
        pass: &mut Pass<T, Self>,
        blocks: &Tensor<(usize,), f32, Self>,
        gamma: &Matrix<Self>,
        beta: &Matrix<Self>,
        shape: BlockShape,
    ) -> Matrix<Self> {
        modulate::block_bias(pass, blocks, gamma, beta, shape)
    }

    fn attention<const HIDDEN: usize, T: Tape<f32, Self>>(
        pass: &mut Pass<T, Self>,
        query: &Tokens<HIDDEN, Self>,
        key: &Tokens<HIDDEN, Self>,
        value: &Tokens<HIDDEN, Self>,
        heads: usize,
        bias: Option<(&Matrix<Self>, BlockShape)>,
        segments: &Segments,
    ) -> Tokens<HIDDEN, Self> {
        attention::attention(pass, [query, key, value], heads, bias, segments)
    }

    fn select<const WIDTH: usize, T: Tape<f32, Self>>(
        pass: &mut Pass<T, Self>,
        x: &Tokens<WIDTH, Self>,
        rows: &[usize],
    ) -> Tokens<WIDTH, Self> {
        embedding::select(pass, x, rows)
    }

    fn squared_norm<S: Shape>(gradients: &mut Gradients<f32, Self>, value: &Tensor<S, f32, Self>) -> f64 {
        adamw::squared_norm(gradients, value)
    }

    fn adamw<S: Shape>(
        value: &mut Tensor<S, f32, Self>,
        moments: &mut Self::Moments,
        gradients: &mut Gradients<f32, Self>,
        update: &AdamWUpdate,
    ) {
        adamw::adamw(value, moments, gradients, update);
    }
}

/// A tensor of `rows` x WIDTH from its values; the length is right by construction.
fn tokens<const WIDTH: usize>(device: &Cpu, values: Vec<f32>, rows: usize) -> Tokens<WIDTH, Cpu> {
    device.tensor_from_vec(values, (rows, Const::<WIDTH>))
}

/// Takes the gradient of an operation's output out of the store: nothing reads it again.
macro_rules! take_gradient {
    ($gradients:expr, $output:expr) => {
        std::mem::take(&mut **$gradients.get_or_alloc_mut($output)?)
    };
}
use take_gradient;

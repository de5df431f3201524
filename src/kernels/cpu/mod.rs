//! The CPU's operations: matrix products, loops that vectorize for the rest, rayon over blocks of rows.
//!
//! | file | holds |
//! |---|---|
//! | `self_attention`, `linear_norm`, `feed_forward` | the three operations of a layer |
//! | `heads` | attention within one sequence |
//! | `residual` | what ends both halves of a layer |
//! | `embedding`, `linear`, `norm`, `dropout`, `modulate` | what stands alone |
//! | `adamw` | the optimizer's arithmetic |
//! | `aside`, `gradient` | what is kept with a parameter; its gradient, of a table that of the rows used alone |
//! | `few_rows` | a linear layer on a few rows |
//! | `matmul`, `math`, `simd`, `buffers` | what these are made of |
//!
//! An operation reads its inputs where they lie (`buffers::values`), computes, moves the result into a tensor
//! (`tensor_from_vec`), and records what backward needs in a closure on the tape.
//! Reductions add their parts in a fixed order, and how many there are follows from the number of threads alone:
//! results do not depend on timing.

mod adamw;
mod aside;
mod buffers;
mod dropout;
mod embedding;
mod feed_forward;
mod few_rows;
mod gradient;
mod heads;
mod linear;
mod linear_norm;
mod math;
mod matmul;
mod modulate;
mod norm;
mod residual;
mod self_attention;
mod simd;

use std::convert::Infallible;

use dfdx::prelude::{Const, Cpu, Dim, Gradients, Rank2, Shape, Tape, Tensor, TensorFromVec};
#[cfg(not(feature = "cuda"))]
use rayon::prelude::*;

#[cfg(not(feature = "cuda"))]
use super::Shared;
use super::{
    AdamWUpdate, BlockShape, Dense, Kernels, Later, Matrix, Pass, Residual, Segments, TokenIds, Tokens,
    Weight,
};
use aside::Aside;
use gradient::Gradient;

impl Kernels for Cpu {
    type Moments = adamw::HostMoments;
    type Aside = Aside;
    type Asked = Infallible;
    type Updates = ();

    fn aside(&self) -> Aside {
        Aside::new(self)
    }

    fn forget(aside: &Aside) {
        aside.packed.forget();
    }

    /// On all cores: an item's own operations use them too, but wait for each other in between.
    #[cfg(not(feature = "cuda"))]
    fn map<I: Shared, R: Shared>(items: Vec<I>, work: impl Fn(I) -> R + Shared) -> Vec<R> {
        // a profile adds up what follows each other
        if tracing::span_enabled!(target: "camtl::profile", tracing::Level::TRACE) {
            return items.into_iter().map(work).collect();
        }
        items.into_par_iter().map(work).collect()
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
        embedding::embed(pass, ids, word, position, token_type, learn)
    }

    fn linear<const IN: usize, Out: Dim, T: Tape<f32, Self>>(
        pass: &mut Pass<T, Self>,
        x: &Tokens<IN, Self>,
        weight: &Weight<(Out, Const<IN>), Self>,
        bias: &Tensor<(Out,), f32, Self>,
        learn: bool,
    ) -> Tensor<(usize, Out), f32, Self> {
        linear::linear(pass, x, weight, bias, learn)
    }

    fn dropout<const WIDTH: usize, T: Tape<f32, Self>>(
        pass: &mut Pass<T, Self>,
        x: &Tokens<WIDTH, Self>,
    ) -> Tokens<WIDTH, Self> {
        dropout::dropout(pass, x)
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
        norm::norm(pass, x, (gamma, beta), epsilon, segments, learn)
    }

    fn linear_norm<const IN: usize, const HIDDEN: usize, T: Tape<f32, Self>>(
        pass: &mut Pass<T, Self>,
        x: &Tokens<IN, Self>,
        dense: Dense<IN, HIDDEN, Self>,
        residual: Residual<HIDDEN, Self>,
    ) -> Tokens<HIDDEN, Self> {
        linear_norm::linear_norm(pass, x, dense, residual)
    }

    fn feed_forward<const HIDDEN: usize, const INNER: usize, T: Tape<f32, Self>>(
        pass: &mut Pass<T, Self>,
        x: &Tokens<HIDDEN, Self>,
        dense: (Dense<HIDDEN, INNER, Self>, Dense<INNER, HIDDEN, Self>),
        dropout: bool,
        residual: Option<Residual<HIDDEN, Self>>,
    ) -> Tokens<HIDDEN, Self> {
        feed_forward::feed_forward(pass, x, dense, dropout, residual)
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

    fn self_attention<const HIDDEN: usize, T: Tape<f32, Self>>(
        pass: &mut Pass<T, Self>,
        x: &Tokens<HIDDEN, Self>,
        dense: [Dense<HIDDEN, HIDDEN, Self>; 3],
        heads: usize,
        bias: Option<(Matrix<Self>, BlockShape)>,
        segments: &Segments,
        asking: &Segments,
    ) -> Tokens<HIDDEN, Self> {
        self_attention::self_attention(pass, x, dense, heads, bias, segments, asking)
    }

    fn select<const WIDTH: usize, T: Tape<f32, Self>>(
        pass: &mut Pass<T, Self>,
        x: &Tokens<WIDTH, Self>,
        rows: &[usize],
    ) -> Tokens<WIDTH, Self> {
        embedding::select(pass, x, rows)
    }

    fn gradient<S: Shape>(gradients: &mut Gradients<f32, Self>, weight: &Weight<S, Self>) -> Vec<f32> {
        Gradient::of(gradients, weight).whole()
    }

    fn squared_norm<S: Shape>(gradients: &mut Gradients<f32, Self>, weight: &Weight<S, Self>) -> Later<Self> {
        Later::Known(adamw::squared_norm(&Gradient::of(gradients, weight)))
    }

    fn answer(_: Vec<Infallible>) -> Vec<f64> {
        Vec::new()
    }

    fn adamw<S: Shape>(
        weight: &mut Weight<S, Self>,
        moments: &mut Self::Moments,
        gradients: &mut Gradients<f32, Self>,
        update: &AdamWUpdate,
        (): &mut (),
    ) {
        let gradient = Gradient::of(gradients, weight);
        let values = buffers::values_mut(&mut weight.value);
        adamw::adamw(values, moments, &gradient, update);
        weight.aside.packed.renew(values);
    }

    fn make((): ()) {}
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

/// A span of the profile, open until it is dropped.
macro_rules! span {
    ($name:literal) => {
        tracing::trace_span!(target: "camtl::profile", $name).entered()
    };
    ($name:literal, backward) => {
        tracing::trace_span!(target: "camtl::profile", $name, backward = true).entered()
    };
}
use span;

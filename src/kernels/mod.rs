//! The fused operations of the network, on dfdx's tape: one trait, one file a device.
//!
//! Activations are flat, `[tokens, width]`, with no padding; [`Segments`] says which rows belong to which
//! sequence, and which task a sequence belongs to. The tape is explicit: a [`Pass`] owns it, tensors are plain
//! values, so a residual connection is simply a tensor used twice.
//!
//! What learns says so by a `learn: bool`: a frozen weight gets no gradient product.

mod block;
pub mod composed;
mod cpu;
#[cfg(feature = "cuda")]
pub mod cuda;
mod factors;
mod later;
mod pass;
mod segments;
mod watch;
mod weight;

use std::fmt::Debug;

use dfdx::prelude::{Const, Device, Dim, Gradients, Rank0, Rank1, Rank2, Shape, Tape, Tensor};
use dfdx::tensor::Storage;

pub use block::BlockShape;
pub use factors::Factors;
pub use later::Later;
pub use pass::{Pass, Scoring, Training};
pub use segments::{Segments, TokenIds};
pub use watch::{Point, Shown};
pub use weight::Weight;

/// Flat activations, `[tokens, WIDTH]`.
pub type Tokens<const WIDTH: usize, D> = Tensor<(usize, Const<WIDTH>), f32, D>;

/// A matrix whose sizes are known at run time only.
pub type Matrix<D> = Tensor<(usize, usize), f32, D>;

/// What several threads may use at the same time.
#[cfg(not(feature = "cuda"))]
pub trait Shared: Send + Sync {}
#[cfg(not(feature = "cuda"))]
impl<T: Send + Sync + ?Sized> Shared for T {}
/// In a build with CUDA nothing is asked, and nothing done at the same time: cudarc's streams may not be shared.
#[cfg(feature = "cuda")]
pub trait Shared {}
#[cfg(feature = "cuda")]
impl<T: ?Sized> Shared for T {}

/// A device that can run the network: dfdx's own operations and the fused ones below.
///
/// Shapes are in the comment after each argument. No operation fails on finite input of the stated shapes;
/// a mismatch is a bug of the caller and panics.
pub trait Kernels: Device<f32> + Storage<f32, Vec: Shared> + Shared {
    /// Optimizer state of one parameter.
    type Moments: Moments;

    /// A number that is still to be computed, where a device computes many at once.
    type Asked: Clone + Debug;

    /// Updates of parameters that are still to be made, likewise.
    type Updates: Default;

    /// What is kept aside with a parameter's values: nothing but what its operations are faster with. Clones are one.
    type Aside: Clone + Debug + Shared;

    /// What is kept with a new parameter.
    fn aside(&self) -> Self::Aside;

    /// To be called when the values that it goes with were set.
    fn forget(aside: &Self::Aside);

    /// `work` on every item, in their order; at the same time where the device gains by it. For passes without a tape,
    /// which do not depend on each other.
    fn map<I: Shared, R: Shared>(items: Vec<I>, work: impl Fn(I) -> R + Shared) -> Vec<R> {
        items.into_iter().map(work).collect()
    }

    /// Whether products take f16: small gradients would vanish there, so that the loss is to be scaled up.
    fn is_mixed(&self) -> bool {
        false
    }

    /// Gives back what earlier passes have left behind to be used again. To be called between two passes: buffers are
    /// kept by their size, and the next batch's sizes are others.
    fn recycle(&self) {}

    /// Sum of word, position and token type embedding, `[tokens, HIDDEN]`.
    fn embed<const HIDDEN: usize, const VOCAB: usize, const POSITIONS: usize, const TYPES: usize, T>(
        pass: &mut Pass<T, Self>,
        ids: &TokenIds,
        word: &Weight<Rank2<VOCAB, HIDDEN>, Self>,
        position: &Tensor<Rank2<POSITIONS, HIDDEN>, f32, Self>,
        token_type: &Tensor<Rank2<TYPES, HIDDEN>, f32, Self>,
        learn: bool,
    ) -> Tokens<HIDDEN, Self>
    where
        T: Tape<f32, Self>;

    /// x W^T + b.
    fn linear<const IN: usize, Out: Dim, T: Tape<f32, Self>>(
        pass: &mut Pass<T, Self>,
        x: &Tokens<IN, Self>,                    // [rows, IN]
        weight: &Weight<(Out, Const<IN>), Self>, // [Out, IN]
        bias: &Tensor<(Out,), f32, Self>,        // [Out]
        learn: bool,
    ) -> Tensor<(usize, Out), f32, Self>;

    /// Inverted dropout with the pass's probability; the identity in a pass without dropout.
    fn dropout<const WIDTH: usize, T: Tape<f32, Self>>(
        pass: &mut Pass<T, Self>,
        x: &Tokens<WIDTH, Self>,
    ) -> Tokens<WIDTH, Self>;

    /// (x - mean(x)) / sqrt(var(x) + epsilon) * gamma + beta, a token at a time.
    ///
    /// `gamma` and `beta` have either one row for all, or one a task.
    fn norm<const HIDDEN: usize, T: Tape<f32, Self>>(
        pass: &mut Pass<T, Self>,
        x: &Tokens<HIDDEN, Self>,
        gamma: &Tokens<HIDDEN, Self>, // [1 or tasks, HIDDEN]
        beta: &Tokens<HIDDEN, Self>,
        epsilon: f32,
        segments: &Segments,
        learn: bool,
    ) -> Tokens<HIDDEN, Self>;

    /// norm(dropout(x W^T + b) + residual): what ends the attention half of a layer.
    ///
    /// The residual is another tensor than `x`.
    fn linear_norm<const IN: usize, const HIDDEN: usize, T: Tape<f32, Self>>(
        pass: &mut Pass<T, Self>,
        x: &Tokens<IN, Self>,
        dense: Dense<IN, HIDDEN, Self>,
        residual: Residual<HIDDEN, Self>,
    ) -> Tokens<HIDDEN, Self>;

    /// gelu(x W1^T + b1) W2^T + b2, then dropout, if it is asked for, and norm(.. + residual), if there is one.
    ///
    /// GELU is x Phi(x), with the normal distribution function: the exact one of BERT, not the tanh approximation.
    fn feed_forward<const HIDDEN: usize, const INNER: usize, T: Tape<f32, Self>>(
        pass: &mut Pass<T, Self>,
        x: &Tokens<HIDDEN, Self>,
        dense: (Dense<HIDDEN, INNER, Self>, Dense<INNER, HIDDEN, Self>),
        dropout: bool,
        residual: Option<Residual<HIDDEN, Self>>,
    ) -> Tokens<HIDDEN, Self>;

    /// FiLM (Perez et al., 2018): `gamma[task] * x + beta[task]`; gamma, beta `[tasks, HIDDEN]`.
    fn film<const HIDDEN: usize, T: Tape<f32, Self>>(
        pass: &mut Pass<T, Self>,
        x: &Tokens<HIDDEN, Self>,
        gamma: &Tokens<HIDDEN, Self>,
        beta: &Tokens<HIDDEN, Self>,
        segments: &Segments,
    ) -> Tokens<HIDDEN, Self>;

    /// The entries of M(z) for every task: A'_n = A_n * gamma(z) + beta(z), `[tasks, entries]`.
    ///
    /// `blocks` holds A_1 .. A_N, row by row; gamma and beta are `[tasks, block * block]`, shared by the blocks.
    fn block_bias<T: Tape<f32, Self>>(
        pass: &mut Pass<T, Self>,
        blocks: &Tensor<(usize,), f32, Self>,
        gamma: &Matrix<Self>,
        beta: &Matrix<Self>,
        shape: BlockShape,
    ) -> Matrix<Self>;

    /// softmax(M(z) + Q K^T / sqrt(d_head)) V, a sequence and a head at a time, with dropout on the softmax.
    ///
    /// `dense` makes query, key and value of x; HEADS divides HIDDEN. The result, `[asking, HIDDEN]`, has the first rows
    /// of each sequence, as many as `asking` has there; keys and values are all rows'.
    fn self_attention<const HIDDEN: usize, T: Tape<f32, Self>>(
        pass: &mut Pass<T, Self>,
        x: &Tokens<HIDDEN, Self>,
        dense: [Dense<HIDDEN, HIDDEN, Self>; 3],
        heads: usize,
        bias: Option<(Matrix<Self>, BlockShape)>, // [tasks, entries]
        segments: &Segments,
        asking: &Segments,
    ) -> Tokens<HIDDEN, Self>;

    /// The given rows of x, in the given order; a row may be taken more than once.
    fn select<const WIDTH: usize, T: Tape<f32, Self>>(
        pass: &mut Pass<T, Self>,
        x: &Tokens<WIDTH, Self>,
        rows: &[usize],
    ) -> Tokens<WIDTH, Self>;

    /// The sum of `weights` times the logarithm of softmax, a row at a time: of -w in the column of a label and zeros
    /// elsewhere, its cross-entropy times w.
    fn log_likelihood<T: Tape<f32, Self>>(
        pass: &mut Pass<T, Self>,
        x: &Matrix<Self>,
        weights: Vec<f32>, // as x, row by row
    ) -> Tensor<Rank0, f32, Self> {
        composed::log_likelihood(pass, x, weights)
    }

    /// The gradient of a parameter, row by row; zeros where none arrived.
    fn gradient<S: Shape>(gradients: &mut Gradients<f32, Self>, weight: &Weight<S, Self>) -> Vec<f32>;

    /// Sum of the squares of the gradient of a parameter; that of many is to be asked for together.
    fn squared_norm<S: Shape>(gradients: &mut Gradients<f32, Self>, weight: &Weight<S, Self>) -> Later<Self>;

    /// The numbers that were asked for, with one wait for all.
    fn answer(asked: Vec<Self::Asked>) -> Vec<f64>;

    /// One AdamW update of a parameter, in place: at once, or by [`Kernels::make`].
    fn adamw<S: Shape>(
        weight: &mut Weight<S, Self>,
        moments: &mut Self::Moments,
        gradients: &mut Gradients<f32, Self>,
        update: &AdamWUpdate,
        updates: &mut Self::Updates,
    );

    /// Makes the updates that have not been made yet.
    fn make(updates: Self::Updates);
}

/// A linear layer: `weight` as PyTorch keeps it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Dense<const IN: usize, const OUT: usize, D: Kernels> {
    pub weight: Weight<Rank2<OUT, IN>, D>,
    pub bias: Tensor<Rank1<OUT>, f32, D>,
    /// Whether weight and bias get gradients.
    pub learn: bool,
}

/// A residual connection and the norm after it: norm(.. + x). Cheap to clone.
#[derive(Clone, Debug)]
pub struct Residual<const HIDDEN: usize, D: Device<f32>> {
    pub x: Tokens<HIDDEN, D>,     // [tokens, HIDDEN]
    pub gamma: Tokens<HIDDEN, D>, // [1 or tasks, HIDDEN]
    pub beta: Tokens<HIDDEN, D>,
    pub epsilon: f32,
    pub segments: Segments,
    /// Whether gamma and beta get gradients.
    pub learn: bool,
}

/// First and second moment of a parameter's gradient, on whichever device.
pub trait Moments: Default {
    /// Both moments, for a checkpoint; empty before the first update.
    fn save(&self) -> (Vec<f32>, Vec<f32>);
    fn load(first: Vec<f32>, second: Vec<f32>) -> Self;
}

/// What one AdamW update needs besides the gradient (Loshchilov and Hutter, 2019, algorithm 2).
#[derive(Clone, Copy, Debug)]
pub struct AdamWUpdate {
    pub lr: f64,
    pub weight_decay: f64,
    pub beta1: f64,
    pub beta2: f64,
    pub epsilon: f64,
    /// Updates of this parameter so far, this one included; for the bias correction.
    pub step: u64,
    /// Factor on the gradient, from clipping.
    pub scale: f64,
}

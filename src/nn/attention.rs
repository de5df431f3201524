//! The task bias of conditional attention: softmax(M(z) + Q K^T / sqrt(d_head)) V.

use dfdx::prelude::Tape;

use super::DynLinear;
use super::parameter::{Build, New, Param, Parameter, Parameters, Scope, Start};
use crate::kernels::{BlockShape, Kernels, Matrix, Pass, Tokens};
use crate::parameters;

/// What a layer adds to its attention scores; `Z` is what that needs to know of the task.
pub trait AttentionBias<const HIDDEN: usize, D: Kernels, Z> {
    /// M(z) of every task, `[tasks, entries]`, if there is one.
    fn bias<T: Tape<f32, D>>(&self, z: &Z, pass: &mut Pass<T, D>) -> Option<(Matrix<D>, BlockShape)>;
}

/// Which attention a layer has.
pub trait AttentionKind {
    type Bias<const HIDDEN: usize, D: Kernels>: Build<D> + Parameters<D>;
}

/// Attention as pretrained.
#[derive(Clone, Copy, Debug)]
pub struct PlainAttention;

/// Conditional attention: M(z) of `SEQUENCE` positions is block-diagonal with `BLOCKS` blocks.
#[derive(Clone, Copy, Debug)]
pub struct BlockAttention<const SEQUENCE: usize, const BLOCKS: usize>;

impl AttentionKind for PlainAttention {
    type Bias<const HIDDEN: usize, D: Kernels> = NoBias;
}

impl<const SEQUENCE: usize, const BLOCKS: usize> AttentionKind for BlockAttention<SEQUENCE, BLOCKS> {
    type Bias<const HIDDEN: usize, D: Kernels> = BlockBias<HIDDEN, SEQUENCE, BLOCKS, D>;
}

/// No bias, no parameters.
#[derive(Clone, Copy, Debug)]
pub struct NoBias;

impl<const HIDDEN: usize, D: Kernels, Z> AttentionBias<HIDDEN, D, Z> for NoBias {
    fn bias<T: Tape<f32, D>>(&self, _: &Z, _: &mut Pass<T, D>) -> Option<(Matrix<D>, BlockShape)> {
        None
    }
}

impl<D: Kernels> Build<D> for NoBias {
    fn build(_: &Scope<D>) -> Self {
        Self
    }
}

impl<D: Kernels> Parameters<D> for NoBias {
    fn parameters<'a>(&'a mut self, _: &mut Vec<&'a mut dyn Parameter<D>>) {}
}

/// M(z) = diag(A'_1 .. A'_N), A'_n = A_n gamma(z) + beta(z), shared by the heads.
///
/// gamma(z), beta(z) have an entry for every entry of a block and are shared by the blocks. A and beta start at
/// zero, so M(z) = 0: attention starts as pretrained.
#[derive(Debug)]
pub struct BlockBias<const HIDDEN: usize, const SEQUENCE: usize, const BLOCKS: usize, D: Kernels> {
    /// A_1 .. A_N, one after the other, row by row.
    pub blocks: Param<(usize,), D>,
    pub gamma: DynLinear<HIDDEN, D>,
    pub beta: DynLinear<HIDDEN, D>,
}

impl<const HIDDEN: usize, const SEQUENCE: usize, const BLOCKS: usize, D: Kernels>
    BlockBias<HIDDEN, SEQUENCE, BLOCKS, D>
{
    const SHAPE: BlockShape = BlockShape::new(SEQUENCE, BLOCKS);
}

impl<const HIDDEN: usize, const SEQUENCE: usize, const BLOCKS: usize, D: Kernels>
    AttentionBias<HIDDEN, D, Tokens<HIDDEN, D>> for BlockBias<HIDDEN, SEQUENCE, BLOCKS, D>
{
    fn bias<T: Tape<f32, D>>(
        &self,
        z: &Tokens<HIDDEN, D>,
        pass: &mut Pass<T, D>,
    ) -> Option<(Matrix<D>, BlockShape)> {
        let gamma = self.gamma.forward(z, pass); // [tasks, block * block]
        let gamma = pass.record(&gamma, |gamma| gamma + 1.0);
        let beta = self.beta.forward(z, pass);
        Some((D::block_bias(pass, self.blocks.value(), &gamma, &beta, Self::SHAPE), Self::SHAPE))
    }
}

impl<const HIDDEN: usize, const SEQUENCE: usize, const BLOCKS: usize, D: Kernels> Build<D>
    for BlockBias<HIDDEN, SEQUENCE, BLOCKS, D>
{
    fn build(at: &Scope<D>) -> Self {
        let block = Self::SHAPE.block * Self::SHAPE.block;
        Self {
            blocks: at.bias::<New, _>("blocks", (Self::SHAPE.entries(),), Start::Zeros),
            gamma: DynLinear::build_with(&at.child("gamma"), block, Start::Zeros),
            beta: DynLinear::build_with(&at.child("beta"), block, Start::Zeros),
        }
    }
}

parameters!([const HIDDEN: usize, const SEQUENCE: usize, const BLOCKS: usize, D: Kernels]
    BlockBias<HIDDEN, SEQUENCE, BLOCKS, D> { blocks, gamma, beta });

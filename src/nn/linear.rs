//! y = x W^T + b, with sizes known at compile time, or an output size known when built.

use std::marker::PhantomData;

use dfdx::prelude::{Const, Rank1, Rank2, Tape};

use super::parameter::{BERT_START, Build, New, Param, Scope, Start, Weights};
use crate::kernels::{Dense, Kernels, Matrix, Pass, Tokens};
use crate::parameters;

/// A linear layer; `weight` is `[OUT, IN]`, as PyTorch keeps it.
#[derive(Debug)]
pub struct Linear<const IN: usize, const OUT: usize, W, D: Kernels> {
    pub weight: Param<Rank2<OUT, IN>, D>,
    pub bias: Param<Rank1<OUT>, D>,
    weights: PhantomData<W>,
}

impl<const IN: usize, const OUT: usize, W: Weights, D: Kernels> Linear<IN, OUT, W, D> {
    pub fn build_with(at: &Scope<D>, start: Start) -> Self {
        Self {
            weight: at.weight::<W, _>("weight", Default::default(), start),
            bias: at.bias::<W, _>("bias", Default::default(), Start::Zeros),
            weights: PhantomData,
        }
    }

    pub fn forward<T: Tape<f32, D>>(&self, x: &Tokens<IN, D>, pass: &mut Pass<T, D>) -> Tokens<OUT, D> {
        D::linear(pass, x, self.weight.operand(), self.bias.value(), W::TRAINED)
    }

    /// As an operand of an operation that is more than this layer.
    pub fn dense(&self) -> Dense<IN, OUT, D> {
        Dense { weight: self.weight.operand().clone(), bias: self.bias.value().clone(), learn: W::TRAINED }
    }
}

impl<const IN: usize, const OUT: usize, W: Weights, D: Kernels> Build<D> for Linear<IN, OUT, W, D> {
    fn build(at: &Scope<D>) -> Self {
        Self::build_with(at, BERT_START)
    }
}

parameters!([const IN: usize, const OUT: usize, W: Weights, D: Kernels] Linear<IN, OUT, W, D> { weight, bias });

/// A new linear layer whose output size follows from other sizes (const generics cannot say `BLOCK * BLOCK`).
#[derive(Debug)]
pub struct DynLinear<const IN: usize, D: Kernels> {
    pub weight: Param<(usize, Const<IN>), D>,
    pub bias: Param<(usize,), D>,
}

impl<const IN: usize, D: Kernels> DynLinear<IN, D> {
    pub fn build_with(at: &Scope<D>, out: usize, start: Start) -> Self {
        Self {
            weight: at.weight::<New, _>("weight", (out, Const), start),
            bias: at.bias::<New, _>("bias", (out,), Start::Zeros),
        }
    }

    pub fn forward<T: Tape<f32, D>>(&self, x: &Tokens<IN, D>, pass: &mut Pass<T, D>) -> Matrix<D> {
        D::linear(pass, x, self.weight.operand(), self.bias.value(), true)
    }
}

parameters!([const IN: usize, D: Kernels] DynLinear<IN, D> { weight, bias });

//! Layer normalization with its residual connection, plain and conditional (CLN).

use std::marker::PhantomData;

use dfdx::prelude::{BroadcastTo, HasShape, Rank1, Tape};

use super::Film;
use super::parameter::{Build, Param, Parameters, Scope, Start, Weights};
use crate::kernels::{Kernels, Pass, Segments, Tokens};
use crate::parameters;

/// BERT's `layer_norm_eps`; a checkpoint that says otherwise is refused.
pub const EPSILON: f32 = 1e-12;

/// The norm of a layer, given its residual; `Z` is what it needs to know of the task.
pub trait Normalize<const HIDDEN: usize, D: Kernels, Z> {
    fn normalize<T: Tape<f32, D>>(
        &self,
        x: &Tokens<HIDDEN, D>,
        residual: &Tokens<HIDDEN, D>,
        z: &Z,
        segments: &Segments,
        pass: &mut Pass<T, D>,
    ) -> Tokens<HIDDEN, D>;
}

/// Which norm a layer has.
pub trait NormKind {
    type Norm<const HIDDEN: usize, W: Weights, D: Kernels>: Build<D> + Parameters<D>;
}

/// Layer normalization as pretrained.
#[derive(Clone, Copy, Debug)]
pub struct PlainNorm;

/// Conditional layer normalization.
#[derive(Clone, Copy, Debug)]
pub struct CondNorm;

impl NormKind for PlainNorm {
    type Norm<const HIDDEN: usize, W: Weights, D: Kernels> = LayerNorm<HIDDEN, W, D>;
}

impl NormKind for CondNorm {
    type Norm<const HIDDEN: usize, W: Weights, D: Kernels> = ConditionalNorm<HIDDEN, W, D>;
}

/// (a - mean) / sigma * gamma' + beta', the weights pretrained.
#[derive(Debug)]
pub struct LayerNorm<const HIDDEN: usize, W, D: Kernels> {
    pub weight: Param<Rank1<HIDDEN>, D>,
    pub bias: Param<Rank1<HIDDEN>, D>,
    weights: PhantomData<W>,
}

impl<const HIDDEN: usize, W: Weights, D: Kernels> LayerNorm<HIDDEN, W, D> {
    pub fn forward<T: Tape<f32, D>>(
        &self,
        x: &Tokens<HIDDEN, D>,
        residual: Option<&Tokens<HIDDEN, D>>,
        segments: &Segments,
        pass: &mut Pass<T, D>,
    ) -> Tokens<HIDDEN, D> {
        D::norm(pass, x, residual, &self.weight.value, &self.bias.value, EPSILON, segments, W::TRAINED)
    }
}

impl<const HIDDEN: usize, W: Weights, D: Kernels, Z> Normalize<HIDDEN, D, Z> for LayerNorm<HIDDEN, W, D> {
    fn normalize<T: Tape<f32, D>>(
        &self,
        x: &Tokens<HIDDEN, D>,
        residual: &Tokens<HIDDEN, D>,
        _: &Z,
        segments: &Segments,
        pass: &mut Pass<T, D>,
    ) -> Tokens<HIDDEN, D> {
        self.forward(x, Some(residual), segments, pass)
    }
}

impl<const HIDDEN: usize, W: Weights, D: Kernels> Build<D> for LayerNorm<HIDDEN, W, D> {
    fn build(at: &Scope<D>) -> Self {
        Self {
            weight: at.bias::<W, _>("weight", Rank1::<HIDDEN>::default(), Start::Ones),
            bias: at.bias::<W, _>("bias", Rank1::<HIDDEN>::default(), Start::Zeros),
            weights: PhantomData,
        }
    }
}

parameters!([const HIDDEN: usize, W: Weights, D: Kernels] LayerNorm<HIDDEN, W, D> { weight, bias });

/// (a - mean) / sigma * gammahat(z) + betahat(z), gammahat = gamma' gamma(z), betahat = beta' + beta(z),
/// with gamma', beta' the pretrained weights. Equals the pretrained norm at its start.
#[derive(Debug)]
pub struct ConditionalNorm<const HIDDEN: usize, W, D: Kernels> {
    pub norm: LayerNorm<HIDDEN, W, D>,
    pub film: Film<HIDDEN, D>,
}

impl<const HIDDEN: usize, W: Weights, D: Kernels> Normalize<HIDDEN, D, Tokens<HIDDEN, D>>
    for ConditionalNorm<HIDDEN, W, D>
{
    fn normalize<T: Tape<f32, D>>(
        &self,
        x: &Tokens<HIDDEN, D>,
        residual: &Tokens<HIDDEN, D>,
        z: &Tokens<HIDDEN, D>,
        segments: &Segments,
        pass: &mut Pass<T, D>,
    ) -> Tokens<HIDDEN, D> {
        let (gamma, beta) = self.film.generate(z, pass); // [tasks, HIDDEN]
        let shape = *gamma.shape();
        let [weight, bias] = [&self.norm.weight, &self.norm.bias].map(|pretrained| {
            if W::TRAINED {
                pass.record(&pretrained.value, |v| v.broadcast_like(&shape))
            } else {
                pretrained.value.clone().broadcast_like(&shape) // off the tape: no gradient for it
            }
        });
        let gamma = pass.record(&gamma, |gamma| gamma * weight);
        let beta = pass.record(&beta, |beta| beta + bias);
        D::norm(pass, x, Some(residual), &gamma, &beta, EPSILON, segments, true)
    }
}

impl<const HIDDEN: usize, W: Weights, D: Kernels> Build<D> for ConditionalNorm<HIDDEN, W, D> {
    fn build(at: &Scope<D>) -> Self {
        Self { norm: LayerNorm::build(at), film: Film::build(&at.child("film")) }
    }
}

parameters!([const HIDDEN: usize, W: Weights, D: Kernels] ConditionalNorm<HIDDEN, W, D> { norm, film });

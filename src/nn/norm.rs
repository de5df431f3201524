//! Layer normalization with its residual connection, plain and conditional (CLN).

use std::marker::PhantomData;

use dfdx::prelude::{BroadcastTo, Const, HasShape, Rank1, ReshapeTo, Tape};

use super::Film;
use super::parameter::{Build, Param, Parameters, Scope, Start, Weights};
use crate::kernels::{Kernels, Pass, Residual, Segments, Tokens};
use crate::parameters;

/// BERT's `layer_norm_eps`; a checkpoint that says otherwise is refused. See [`Scope::with_epsilon`] for RoBERTa's.
pub const EPSILON: f32 = 1e-12;

/// The norm of a layer after a residual connection; `Z` is what it needs to know of the task.
pub trait Normalize<const HIDDEN: usize, D: Kernels, Z> {
    /// norm(.. + x)
    fn after<T: Tape<f32, D>>(
        &self,
        x: &Tokens<HIDDEN, D>,
        z: &Z,
        segments: &Segments,
        pass: &mut Pass<T, D>,
    ) -> Residual<HIDDEN, D>;
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
    /// What is added to the variance.
    pub epsilon: f32,
    weights: PhantomData<W>,
}

impl<const HIDDEN: usize, W: Weights, D: Kernels> LayerNorm<HIDDEN, W, D> {
    pub fn forward<T: Tape<f32, D>>(
        &self,
        x: &Tokens<HIDDEN, D>,
        segments: &Segments,
        pass: &mut Pass<T, D>,
    ) -> Tokens<HIDDEN, D> {
        let [gamma, beta] = self.row(pass);
        D::norm(pass, x, &gamma, &beta, self.epsilon, segments, W::TRAINED)
    }

    /// Weight and bias as one row each, on the tape where they are trained.
    pub(super) fn row<T: Tape<f32, D>>(&self, pass: &mut Pass<T, D>) -> [Tokens<HIDDEN, D>; 2] {
        let shape = (1, Const::<HIDDEN>);
        [&self.weight, &self.bias].map(|parameter| {
            if W::TRAINED {
                pass.record(parameter.value(), |v| v.reshape_like(&shape))
            } else {
                parameter.value().clone().reshape_like(&shape) // off the tape: no gradient for it
            }
        })
    }
}

impl<const HIDDEN: usize, W: Weights, D: Kernels, Z> Normalize<HIDDEN, D, Z> for LayerNorm<HIDDEN, W, D> {
    fn after<T: Tape<f32, D>>(
        &self,
        x: &Tokens<HIDDEN, D>,
        _: &Z,
        segments: &Segments,
        pass: &mut Pass<T, D>,
    ) -> Residual<HIDDEN, D> {
        let [gamma, beta] = self.row(pass);
        let (x, segments) = (x.clone(), segments.clone());
        Residual { x, gamma, beta, epsilon: self.epsilon, segments, learn: W::TRAINED }
    }
}

impl<const HIDDEN: usize, W: Weights, D: Kernels> Build<D> for LayerNorm<HIDDEN, W, D> {
    fn build(at: &Scope<D>) -> Self {
        Self {
            weight: at.bias::<W, _>("weight", Rank1::<HIDDEN>::default(), Start::Ones),
            bias: at.bias::<W, _>("bias", Rank1::<HIDDEN>::default(), Start::Zeros),
            epsilon: at.epsilon(),
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
    fn after<T: Tape<f32, D>>(
        &self,
        x: &Tokens<HIDDEN, D>,
        z: &Tokens<HIDDEN, D>,
        segments: &Segments,
        pass: &mut Pass<T, D>,
    ) -> Residual<HIDDEN, D> {
        let (gamma, beta) = self.film.generate(z, pass); // [tasks, HIDDEN]
        let shape = *gamma.shape();
        let [weight, bias] = [&self.norm.weight, &self.norm.bias].map(|pretrained| {
            if W::TRAINED {
                pass.record(pretrained.value(), |v| v.broadcast_like(&shape))
            } else {
                pretrained.value().clone().broadcast_like(&shape) // off the tape: no gradient for it
            }
        });
        let gamma = pass.record(&gamma, |gamma| gamma * weight);
        let beta = pass.record(&beta, |beta| beta + bias);
        let (x, segments) = (x.clone(), segments.clone());
        Residual { x, gamma, beta, epsilon: self.norm.epsilon, segments, learn: true }
    }
}

impl<const HIDDEN: usize, W: Weights, D: Kernels> Build<D> for ConditionalNorm<HIDDEN, W, D> {
    fn build(at: &Scope<D>) -> Self {
        Self { norm: LayerNorm::build(at), film: Film::build(&at.child("film")) }
    }
}

parameters!([const HIDDEN: usize, W: Weights, D: Kernels] ConditionalNorm<HIDDEN, W, D> { norm, film });

//! Conditional layer normalization in the authors' code (`ConditionalLayerNorm`).

use dfdx::prelude::{HasShape, Tape};

use crate::kernels::{Kernels, Pass, Residual, Segments, Tokens};
use crate::nn::Film;
use crate::nn::norm::{LayerNorm, NormKind, Normalize};
use crate::nn::parameter::{Build, Scope, Weights};
use crate::parameters;

/// Conditional layer normalization of the weight alone.
#[derive(Clone, Copy, Debug)]
pub struct CondWeightNorm;

impl NormKind for CondWeightNorm {
    type Norm<const HIDDEN: usize, W: Weights, D: Kernels> = ConditionalWeightNorm<HIDDEN, W, D>;
}

/// (a - mean) / sigma * (gamma(z) gamma' + beta(z)) + beta', with gamma', beta' the pretrained weights. Equals the
/// pretrained norm at its start.
#[derive(Debug)]
pub struct ConditionalWeightNorm<const HIDDEN: usize, W, D: Kernels> {
    pub norm: LayerNorm<HIDDEN, W, D>,
    pub film: Film<HIDDEN, D>,
}

impl<const HIDDEN: usize, W: Weights, D: Kernels> Normalize<HIDDEN, D, Tokens<HIDDEN, D>>
    for ConditionalWeightNorm<HIDDEN, W, D>
{
    fn after<T: Tape<f32, D>>(
        &self,
        x: &Tokens<HIDDEN, D>,
        z: &Tokens<HIDDEN, D>,
        segments: &Segments,
        pass: &mut Pass<T, D>,
    ) -> Residual<HIDDEN, D> {
        let (gamma, beta) = self.film.generate(z, pass); // [tasks, HIDDEN]
        let (tasks, _) = *gamma.shape();
        let [weight, bias] = self.norm.row(pass).map(|row| D::select(pass, &row, &vec![0; tasks]));
        let gamma = pass.record(&gamma, |gamma| gamma * weight + beta);
        let (x, segments) = (x.clone(), segments.clone());
        Residual { x, gamma, beta: bias, epsilon: self.norm.epsilon, segments, learn: true }
    }
}

impl<const HIDDEN: usize, W: Weights, D: Kernels> Build<D> for ConditionalWeightNorm<HIDDEN, W, D> {
    fn build(at: &Scope<D>) -> Self {
        Self { norm: LayerNorm::build(at), film: Film::build(&at.child("film")) }
    }
}

parameters!([const HIDDEN: usize, W: Weights, D: Kernels] ConditionalWeightNorm<HIDDEN, W, D> { norm, film });

//! FiLM (Perez et al., 2018): gamma and beta as linear functions of the task embedding z.

use dfdx::prelude::Tape;

use super::Linear;
use super::parameter::{Build, New, Scope, Start};
use crate::kernels::{Kernels, Pass, Segments, Tokens};
use crate::parameters;

/// phi(x | z) = gamma(z) x + beta(z), gamma(z) = 1 + W_gamma z + b_gamma, beta(z) = W_beta z + b_beta.
///
/// Starts as the identity: all four parameters are zero.
#[derive(Debug)]
pub struct Film<const HIDDEN: usize, D: Kernels> {
    pub gamma: Linear<HIDDEN, HIDDEN, New, D>,
    pub beta: Linear<HIDDEN, HIDDEN, New, D>,
}

impl<const HIDDEN: usize, D: Kernels> Film<HIDDEN, D> {
    /// gamma(z) and beta(z) of every task, each `[tasks, HIDDEN]`.
    pub fn generate<T: Tape<f32, D>>(
        &self,
        z: &Tokens<HIDDEN, D>,
        pass: &mut Pass<T, D>,
    ) -> (Tokens<HIDDEN, D>, Tokens<HIDDEN, D>) {
        let gamma = self.gamma.forward(z, pass);
        let gamma = pass.record(&gamma, |gamma| gamma + 1.0);
        (gamma, self.beta.forward(z, pass))
    }

    /// phi(x | z), each row by its sequence's task; x is `[tokens, HIDDEN]`.
    pub fn forward<T: Tape<f32, D>>(
        &self,
        x: &Tokens<HIDDEN, D>,
        z: &Tokens<HIDDEN, D>,
        segments: &Segments,
        pass: &mut Pass<T, D>,
    ) -> Tokens<HIDDEN, D> {
        let (gamma, beta) = self.generate(z, pass);
        D::film(pass, x, &gamma, &beta, segments)
    }
}

impl<const HIDDEN: usize, D: Kernels> Build<D> for Film<HIDDEN, D> {
    fn build(at: &Scope<D>) -> Self {
        Self {
            gamma: Linear::build_with(&at.child("gamma"), Start::Zeros),
            beta: Linear::build_with(&at.child("beta"), Start::Zeros),
        }
    }
}

parameters!([const HIDDEN: usize, D: Kernels] Film<HIDDEN, D> { gamma, beta });

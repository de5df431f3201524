//! What predicts: one linear layer a task on the pooled [CLS].

use dfdx::prelude::{RealizeTo, Tape};

use super::Linear;
use super::parameter::{Build, New, Scope};
use crate::kernels::{Kernels, Matrix, Pass, Tokens};
use crate::parameters;

/// Scores before softmax, `[rows, classes]`; for regression the value on its unit range, `[rows, 1]`.
pub type Logits<D> = Matrix<D>;

/// A class of several: dropout, then W h + b.
#[derive(Debug)]
pub struct Classify<const HIDDEN: usize, const CLASSES: usize, D: Kernels> {
    pub dense: Linear<HIDDEN, CLASSES, New, D>,
}

/// A number: [`Classify`] with one output.
pub type Regress<const HIDDEN: usize, D> = Classify<HIDDEN, 1, D>;

impl<const HIDDEN: usize, const CLASSES: usize, D: Kernels> Classify<HIDDEN, CLASSES, D> {
    /// `pooled` is `[rows, HIDDEN]`.
    pub fn forward<T: Tape<f32, D>>(&self, pooled: Tokens<HIDDEN, D>, pass: &mut Pass<T, D>) -> Logits<D> {
        let pooled = D::dropout(pass, &pooled);
        let logits: Tokens<CLASSES, D> = self.dense.forward(&pooled, pass);
        pass.record(&logits, |x| match x.try_realize::<(usize, usize)>() {
            Ok(x) => x,
            Err(_) => unreachable!("a compile-time size is also a run-time size"),
        })
    }
}

impl<const HIDDEN: usize, const CLASSES: usize, D: Kernels> Build<D> for Classify<HIDDEN, CLASSES, D> {
    fn build(at: &Scope<D>) -> Self {
        Self { dense: Linear::build(at) }
    }
}

parameters!([const HIDDEN: usize, const CLASSES: usize, D: Kernels] Classify<HIDDEN, CLASSES, D> { dense });

//! BERT's pooler: tanh(W h_[CLS] + b).

use dfdx::prelude::{HasShape, Tape};

use super::parameter::{Build, Scope, Weights};
use super::{Batch, Encoded, Linear};
use crate::kernels::{Kernels, Pass, Point, Tokens};
use crate::parameters;

#[derive(Debug)]
pub struct Pooler<const HIDDEN: usize, W, D: Kernels> {
    pub dense: Linear<HIDDEN, HIDDEN, W, D>,
}

impl<const HIDDEN: usize, W: Weights, D: Kernels> Pooler<HIDDEN, W, D> {
    /// From the last layer's output: of the rows that are read ([`Batch::read`]), or of all, `[tokens, HIDDEN]`.
    ///
    /// # Panics
    /// If it has another number of rows.
    pub fn forward<T: Tape<f32, D>>(
        &self,
        tokens: Tokens<HIDDEN, D>,
        batch: &Batch,
        pass: &mut Pass<T, D>,
    ) -> Encoded<HIDDEN, D> {
        let tokens = match batch.segments.first_rows(batch.read()) {
            Some(rows) if tokens.shape().0 == batch.segments.rows() => D::select(pass, &tokens, &rows),
            _ => tokens,
        };
        assert_eq!(tokens.shape().0, batch.read().rows(), "rows of the last layer");
        let first = D::select(pass, &tokens, batch.read().firsts()); // [sequences, HIDDEN]
        let pooled = self.dense.forward(&first, pass);
        let pooled = pass.record(&pooled, |x| x.tanh());
        pass.show(Point::Pooled, &pooled);
        Encoded { tokens, pooled }
    }
}

impl<const HIDDEN: usize, W: Weights, D: Kernels> Build<D> for Pooler<HIDDEN, W, D> {
    fn build(at: &Scope<D>) -> Self {
        Self { dense: Linear::build(&at.child("dense")) }
    }
}

parameters!([const HIDDEN: usize, W: Weights, D: Kernels] Pooler<HIDDEN, W, D> { dense });

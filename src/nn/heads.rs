//! What predicts: one linear layer a task, on the pooled `[CLS]` or on tokens.
//!
//! A head gives the logits of each row that it reads. Which rows these are is the batch's matter
//! ([`Batch::reads`](super::Batch::reads)).

use dfdx::prelude::{RealizeTo, Tape};

use super::Linear;
use super::parameter::{Build, New, Scope};
use crate::kernels::{Kernels, Matrix, Pass, Tokens};
use crate::parameters;

/// Scores before softmax, `[rows, outputs]`; for regression the value on its unit range, `[rows, 1]`.
pub type Logits<D> = Matrix<D>;

/// A class of several: dropout, then W h + b.
#[derive(Debug)]
pub struct Classify<const HIDDEN: usize, const CLASSES: usize, D: Kernels> {
    pub dense: Linear<HIDDEN, CLASSES, New, D>,
}

/// A number: [`Classify`] with one output.
pub type Regress<const HIDDEN: usize, D> = Classify<HIDDEN, 1, D>;

/// A tag for each word: [`Classify`] on the first piece of each.
pub type Tag<const HIDDEN: usize, const TAGS: usize, D> = Classify<HIDDEN, TAGS, D>;

/// One of several texts: a score for each, as of [`Regress`]; the softmax is over the texts of an example.
pub type Choose<const HIDDEN: usize, D> = Classify<HIDDEN, 1, D>;

/// First and last token of an answer: W h + b for every token of the context, without dropout, as in BERT for SQuAD.
/// The two softmaxes are over the tokens.
#[derive(Debug)]
pub struct Span<const HIDDEN: usize, D: Kernels> {
    pub dense: Linear<HIDDEN, 2, New, D>,
}

impl<const HIDDEN: usize, const CLASSES: usize, D: Kernels> Classify<HIDDEN, CLASSES, D> {
    /// `rows` is `[rows, HIDDEN]`.
    pub fn forward<T: Tape<f32, D>>(&self, rows: Tokens<HIDDEN, D>, pass: &mut Pass<T, D>) -> Logits<D> {
        let rows = D::dropout(pass, &rows);
        logits(&self.dense, &rows, pass)
    }
}

impl<const HIDDEN: usize, D: Kernels> Span<HIDDEN, D> {
    /// `rows` is `[tokens, HIDDEN]`; column 0 is of starts, column 1 of ends.
    pub fn forward<T: Tape<f32, D>>(&self, rows: Tokens<HIDDEN, D>, pass: &mut Pass<T, D>) -> Logits<D> {
        logits(&self.dense, &rows, pass)
    }
}

fn logits<const HIDDEN: usize, const OUT: usize, T: Tape<f32, D>, D: Kernels>(
    dense: &Linear<HIDDEN, OUT, New, D>,
    rows: &Tokens<HIDDEN, D>,
    pass: &mut Pass<T, D>,
) -> Logits<D> {
    let logits: Tokens<OUT, D> = dense.forward(rows, pass);
    pass.record(&logits, |x| match x.try_realize::<(usize, usize)>() {
        Ok(x) => x,
        Err(_) => unreachable!("a compile-time size is also a run-time size"),
    })
}

impl<const HIDDEN: usize, const CLASSES: usize, D: Kernels> Build<D> for Classify<HIDDEN, CLASSES, D> {
    fn build(at: &Scope<D>) -> Self {
        Self { dense: Linear::build(at) }
    }
}

impl<const HIDDEN: usize, D: Kernels> Build<D> for Span<HIDDEN, D> {
    fn build(at: &Scope<D>) -> Self {
        Self { dense: Linear::build(at) }
    }
}

parameters!([const HIDDEN: usize, const CLASSES: usize, D: Kernels] Classify<HIDDEN, CLASSES, D> { dense });
parameters!([const HIDDEN: usize, D: Kernels] Span<HIDDEN, D> { dense });

//! What enters the encoder: token embeddings, task embeddings, and conditional alignment.

use std::marker::PhantomData;

use dfdx::prelude::{Const, Rank2, Tape};

use super::norm::LayerNorm;
use super::parameter::{BERT_START, Build, New, Param, Scope, Weights};
use super::{Batch, Film};
use crate::kernels::{Kernels, Pass, Point, Tokens};
use crate::parameters;

/// BERT's embedding layer: LayerNorm(word + position + token type), then dropout.
#[derive(Debug)]
pub struct Embeddings<
    const HIDDEN: usize,
    const VOCAB: usize,
    const POSITIONS: usize,
    const TYPES: usize,
    W,
    D,
> where
    D: Kernels,
{
    pub word: Param<Rank2<VOCAB, HIDDEN>, D>,
    pub position: Param<Rank2<POSITIONS, HIDDEN>, D>,
    pub token_type: Param<Rank2<TYPES, HIDDEN>, D>,
    pub norm: LayerNorm<HIDDEN, W, D>,
    weights: PhantomData<W>,
}

impl<const HIDDEN: usize, const VOCAB: usize, const POSITIONS: usize, const TYPES: usize, W, D>
    Embeddings<HIDDEN, VOCAB, POSITIONS, TYPES, W, D>
where
    W: Weights,
    D: Kernels,
{
    /// `[tokens, HIDDEN]`
    pub fn forward<T: Tape<f32, D>>(&self, batch: &Batch, pass: &mut Pass<T, D>) -> Tokens<HIDDEN, D> {
        let word = self.word.operand();
        let (position, token_type) = (self.position.value(), self.token_type.value());
        // a network that has a single type gives it to the second text of a pair too
        let x = match TYPES {
            1 => {
                let mut ids = batch.ids.clone();
                ids.token_type.fill(0);
                D::embed(pass, &ids, word, position, token_type, W::TRAINED)
            }
            _ => D::embed(pass, &batch.ids, word, position, token_type, W::TRAINED),
        };
        let x = self.norm.forward(&x, &batch.segments, pass);
        let x = D::dropout(pass, &x);
        pass.show(Point::Embeddings, &x);
        x
    }
}

impl<const HIDDEN: usize, const VOCAB: usize, const POSITIONS: usize, const TYPES: usize, W, D> Build<D>
    for Embeddings<HIDDEN, VOCAB, POSITIONS, TYPES, W, D>
where
    W: Weights,
    D: Kernels,
{
    fn build(at: &Scope<D>) -> Self {
        let table = |name: &str| at.child(name);
        Self {
            word: table("word_embeddings").weight::<W, _>("weight", Default::default(), BERT_START),
            position: table("position_embeddings").weight::<W, _>("weight", Default::default(), BERT_START),
            token_type: table("token_type_embeddings").weight::<W, _>(
                "weight",
                Default::default(),
                BERT_START,
            ),
            norm: LayerNorm::build(&table("LayerNorm")),
            weights: PhantomData,
        }
    }
}

parameters!([const HIDDEN: usize, const VOCAB: usize, const POSITIONS: usize, const TYPES: usize, W: Weights, D: Kernels]
    Embeddings<HIDDEN, VOCAB, POSITIONS, TYPES, W, D> { word, position, token_type, norm });

/// The learned embedding z_i of every task, `[tasks, HIDDEN]`.
///
/// It starts as BERT's other embeddings do. A larger start would speed up the generators: under Adam gamma(z) moves by
/// up to lr * sum |z_j| a step, which for a standard deviation of 1 and 384 entries is 300 times a plain weight's step.
#[derive(Debug)]
pub struct TaskEmbedding<const HIDDEN: usize, D: Kernels> {
    pub weight: Param<(usize, Const<HIDDEN>), D>,
}

impl<const HIDDEN: usize, D: Kernels> TaskEmbedding<HIDDEN, D> {
    pub fn build(at: &Scope<D>, tasks: usize) -> Self {
        Self { weight: at.weight::<New, _>("weight", (tasks, Const), BERT_START) }
    }

    /// z of all tasks.
    pub fn forward(&self) -> Tokens<HIDDEN, D> {
        self.weight.value().clone()
    }
}

parameters!([const HIDDEN: usize, D: Kernels] TaskEmbedding<HIDDEN, D> { weight });

/// The condition of layers that have none.
#[derive(Clone, Copy, Debug)]
pub struct NoTask;

/// Conditional alignment: e' = gamma(z) e + beta(z) on the embedding layer's output, before the first layer.
#[derive(Debug)]
pub struct Alignment<const HIDDEN: usize, D: Kernels> {
    pub film: Film<HIDDEN, D>,
}

impl<const HIDDEN: usize, D: Kernels> Alignment<HIDDEN, D> {
    pub fn forward<T: Tape<f32, D>>(
        &self,
        x: Tokens<HIDDEN, D>,
        z: &Tokens<HIDDEN, D>,
        batch: &Batch,
        pass: &mut Pass<T, D>,
    ) -> Tokens<HIDDEN, D> {
        let x = self.film.forward(&x, z, &batch.segments, pass);
        pass.show(Point::Alignment, &x);
        x
    }
}

impl<const HIDDEN: usize, D: Kernels> Build<D> for Alignment<HIDDEN, D> {
    fn build(at: &Scope<D>) -> Self {
        Self { film: Film::build(at) }
    }
}

parameters!([const HIDDEN: usize, D: Kernels] Alignment<HIDDEN, D> { film });

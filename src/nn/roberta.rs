//! RoBERTa (Liu et al., 2019): BERT's network with positions from 2, one token type and another epsilon.
//!
//! fairseq numbers positions behind the id of its padding, 1, so that rows 0 and 1 of the position embedding are never
//! read (`padding_idx` and `create_position_ids_from_input_ids` in transformers).

use dfdx::prelude::Tape;

use super::parameter::{Build, Scope, Weights};
use super::{Batch, Embeddings};
use crate::kernels::{Kernels, Pass, Tokens};
use crate::parameters;

/// RoBERTa's `layer_norm_eps`; a checkpoint that says otherwise is refused.
pub const EPSILON: f32 = 1e-5;

/// The row of the position embedding for the first token: behind the id of the padding.
pub const FIRST_POSITION: usize = 2;

/// RoBERTa's embedding layer: LayerNorm(word + position + the only token type), then dropout.
#[derive(Debug)]
pub struct RobertaEmbeddings<
    const HIDDEN: usize,
    const VOCAB: usize,
    const POSITIONS: usize,
    const TYPES: usize,
    W,
    D,
> where
    D: Kernels,
{
    pub tables: Embeddings<HIDDEN, VOCAB, POSITIONS, TYPES, W, D>,
}

impl<const HIDDEN: usize, const VOCAB: usize, const POSITIONS: usize, const TYPES: usize, W, D>
    RobertaEmbeddings<HIDDEN, VOCAB, POSITIONS, TYPES, W, D>
where
    W: Weights,
    D: Kernels,
{
    /// `[tokens, HIDDEN]`
    pub fn forward<T: Tape<f32, D>>(&self, batch: &Batch, pass: &mut Pass<T, D>) -> Tokens<HIDDEN, D> {
        let mut ids = batch.ids.clone();
        ids.position.iter_mut().for_each(|position| *position += FIRST_POSITION);
        self.tables.forward(&Batch::of_sequences(ids, batch.segments.clone()), pass)
    }
}

impl<const HIDDEN: usize, const VOCAB: usize, const POSITIONS: usize, const TYPES: usize, W, D> Build<D>
    for RobertaEmbeddings<HIDDEN, VOCAB, POSITIONS, TYPES, W, D>
where
    W: Weights,
    D: Kernels,
{
    fn build(at: &Scope<D>) -> Self {
        Self { tables: Embeddings::build(at) }
    }
}

parameters!([const HIDDEN: usize, const VOCAB: usize, const POSITIONS: usize, const TYPES: usize, W: Weights, D: Kernels]
    RobertaEmbeddings<HIDDEN, VOCAB, POSITIONS, TYPES, W, D> { tables });

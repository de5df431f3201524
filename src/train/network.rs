//! The network as training sees it: [`Model`] without its type parameters.

use dfdx::prelude::{Axis, Const, Tape, TryConcatAlong};

use crate::kernels::{Kernels, Pass, Tokens};
use crate::nn::{Batch, Constant, Encode, Logits, Model, Parameter, Predict};

/// Logits of the sequences that one head was applied to.
#[derive(Clone, Debug)]
pub struct HeadLogits<D: Kernels> {
    pub head: usize,
    /// Places in the batch, ascending.
    pub sequences: Vec<usize>,
    /// A row each.
    pub logits: Logits<D>,
}

/// A network that can be trained and asked.
pub trait Network: Send + Sync {
    type Device: Kernels;

    /// Output of the part with nothing trained in or before it. Cheap to clone.
    type Constant: Clone + Send + Sync;

    fn device(&self) -> Self::Device;

    /// Every parameter, in a fixed order.
    fn parameters(&mut self) -> Vec<&mut dyn Parameter<Self::Device>>;

    /// The constant part's output for a batch.
    fn constant(&self, batch: &Batch) -> Self::Constant;

    /// The constant part's output for a batch that is put together from token rows of others, in this order.
    fn gather(&self, parts: &[(&Self::Constant, Vec<usize>)]) -> Self::Constant;

    /// The constant part's output as numbers, token by token; `None` where there is no constant part.
    fn rows(&self, constant: &Self::Constant) -> Option<Vec<f32>>;

    /// The inverse of [`Network::rows`], for so many tokens.
    fn of_rows(&self, rows: Vec<f32>, tokens: usize) -> Self::Constant;

    /// Logits of a batch, `heads` naming the head of each sequence; in the order of the heads.
    fn logits<T: Tape<f32, Self::Device>>(
        &self,
        constant: Self::Constant,
        batch: &Batch,
        heads: &[usize],
        pass: &mut Pass<T, Self::Device>,
    ) -> Vec<HeadLogits<Self::Device>>;

    /// As [`Network::logits`] off the tape and without dropout: the logits of each sequence, in the batch's order.
    fn score(&self, constant: Self::Constant, batch: &Batch, heads: &[usize]) -> Vec<Vec<f32>> {
        let _span = tracing::trace_span!(target: "camtl::profile", "score").entered();
        let mut outputs = vec![Vec::new(); heads.len()];
        let mut pass = Pass::scoring(self.device());
        for HeadLogits { sequences, logits, .. } in self.logits(constant, batch, heads, &mut pass) {
            let values = logits.as_vec();
            let width = values.len() / sequences.len();
            for (sequence, row) in sequences.into_iter().zip(values.chunks_exact(width)) {
                outputs[sequence] = row.to_vec();
            }
        }
        outputs
    }
}

impl<const HIDDEN: usize, E, P, D> Network for Model<HIDDEN, E, P, D>
where
    E: Encode<HIDDEN, D>,
    P: Predict<HIDDEN, D>,
    D: Kernels,
{
    type Device = D;
    type Constant = Constant<HIDDEN, D>;

    fn device(&self) -> D {
        self.device.clone()
    }

    fn parameters(&mut self) -> Vec<&mut dyn Parameter<D>> {
        Model::parameters(self)
    }

    fn constant(&self, batch: &Batch) -> Self::Constant {
        let _span = tracing::trace_span!(target: "camtl::profile", "constant").entered();
        self.encoder.constant(batch, &mut Pass::scoring(self.device()))
    }

    fn gather(&self, parts: &[(&Self::Constant, Vec<usize>)]) -> Self::Constant {
        let mut pass = Pass::scoring(self.device());
        parts
            .iter()
            .filter_map(|(constant, rows)| Some(D::select(&mut pass, constant.as_ref()?, rows)))
            .reduce(|joined: Tokens<HIDDEN, D>, part| (joined, part).concat_along(Axis::<0>))
    }

    fn rows(&self, constant: &Self::Constant) -> Option<Vec<f32>> {
        constant.as_ref().map(|rows| rows.as_vec())
    }

    fn of_rows(&self, rows: Vec<f32>, tokens: usize) -> Self::Constant {
        Some(self.device.tensor_from_vec(rows, (tokens, Const))) // [tokens, HIDDEN]
    }

    fn logits<T: Tape<f32, D>>(
        &self,
        constant: Self::Constant,
        batch: &Batch,
        heads: &[usize],
        pass: &mut Pass<T, D>,
    ) -> Vec<HeadLogits<D>> {
        let pooled = self.encoder.encode(constant, batch, pass).pooled; // [sequences, HIDDEN]
        let count = heads.iter().max().map_or(0, |last| last + 1);
        let mut sequences = vec![Vec::new(); count];
        heads.iter().enumerate().for_each(|(sequence, &head)| sequences[head].push(sequence));
        sequences
            .into_iter()
            .enumerate()
            .filter(|(_, sequences)| !sequences.is_empty())
            .map(|(head, sequences)| {
                let rows = D::select(pass, &pooled, &sequences);
                HeadLogits { head, logits: self.heads.logits(head, rows, pass), sequences }
            })
            .collect()
    }
}

//! The network as training sees it: [`Model`] without its type parameters.

use dfdx::prelude::{Const, HasShape, Tape};

use crate::kernels::{Kernels, Pass, Shared, Tokens};
use crate::nn::{Batch, Constant, Encode, Encoded, Logits, Model, Parameter, Predict};

/// Logits of the examples that one head was applied to.
#[derive(Clone, Debug)]
pub struct HeadLogits<D: Kernels> {
    pub head: usize,
    /// Places in the batch, ascending.
    pub examples: Vec<usize>,
    /// Rows of each: a row a word of a tagged sentence, a choice, a token of a context; else one.
    pub rows: Vec<usize>,
    /// The rows one after the other.
    pub logits: Logits<D>,
}

/// A network that can be trained and asked.
pub trait Network: Shared {
    type Device: Kernels;

    /// Output of the part with nothing trained in or before it. Cheap to clone.
    type Constant: Clone + Shared;

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

    /// Logits of a batch, `heads` naming the head of each example; in the order of the heads.
    fn logits<T: Tape<f32, Self::Device>>(
        &self,
        constant: Self::Constant,
        batch: &Batch,
        heads: &[usize],
        pass: &mut Pass<T, Self::Device>,
    ) -> Vec<HeadLogits<Self::Device>>;

    /// As [`Network::logits`] off the tape and without dropout. A device that works behind the program's back may still
    /// be at it when this returns; [`read`] waits.
    fn ask(&self, constant: Self::Constant, batch: &Batch) -> Vec<HeadLogits<Self::Device>> {
        let _span = tracing::trace_span!(target: "camtl::profile", "score").entered();
        let device = self.device();
        device.recycle();
        self.logits(constant, batch, &batch.tasks(), &mut Pass::scoring(device))
    }

    /// What [`Network::ask`] gives, read.
    fn score(&self, constant: Self::Constant, batch: &Batch) -> Vec<Vec<f32>> {
        read(self.ask(constant, batch))
    }
}

/// The logits of each example, row by row, in the batch's order.
pub fn read<D: Kernels>(heads: Vec<HeadLogits<D>>) -> Vec<Vec<f32>> {
    let mut outputs = vec![Vec::new(); heads.iter().map(|head| head.examples.len()).sum()];
    for HeadLogits { examples, rows, logits, .. } in heads {
        let values = logits.as_vec();
        let mut rest = values.as_slice();
        let width = logits.shape().1;
        for (example, rows) in examples.into_iter().zip(rows) {
            let (own, others) = rest.split_at(rows * width);
            outputs[example] = own.to_vec();
            rest = others;
        }
    }
    outputs
}

/// The rows of one and then of the other, `[tokens, HIDDEN]`.
#[expect(deprecated, reason = "`concat_along` is compiled when it runs on CUDA, and this copies")]
fn joined<const HIDDEN: usize, D: Kernels>(
    one: Tokens<HIDDEN, D>,
    other: Tokens<HIDDEN, D>,
) -> Tokens<HIDDEN, D> {
    use dfdx::prelude::TryConcat as _;

    one.concat(other)
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
            .reduce(joined)
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
        let Encoded { tokens, pooled } = self.encoder.encode(constant, batch, pass);
        let count = heads.iter().max().map_or(0, |last| last + 1);
        let mut examples = vec![Vec::new(); count];
        heads.iter().enumerate().for_each(|(example, &head)| examples[head].push(example));
        examples
            .into_iter()
            .enumerate()
            .filter(|(_, examples)| !examples.is_empty())
            .map(|(head, examples)| {
                let reads: Vec<Vec<usize>> = examples.iter().map(|&example| batch.reads(example)).collect();
                // the examples of a head are of one kind
                let from = if batch.reads_tokens(examples[0]) { &tokens } else { &pooled };
                let input = D::select(pass, from, &reads.concat()); // [rows, HIDDEN]
                let rows = reads.iter().map(Vec::len).collect();
                HeadLogits { head, examples, rows, logits: self.heads.logits(head, input, pass) }
            })
            .collect()
    }
}

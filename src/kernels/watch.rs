//! Intermediate results of a pass, for whoever holds a network against another's numbers.

use super::BlockShape;

/// A place in the network whose result a pass can keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// z as the layers see it, `[tasks, HIDDEN]`, where that is another.
    TransformedEmbedding,
    /// `[tokens, HIDDEN]`, as all that follow.
    Embeddings,
    Alignment,
    /// M(z) of every task, `[tasks, entries]`.
    AttentionBias(BlockShape),
    /// Behind the norm after attention.
    AttentionOutput,
    /// What the bottleneck of a layer reads.
    BeforeBottleneck,
    /// What it gives.
    Bottleneck,
    /// The output of a layer.
    Layer,
    /// f_i, beside the layer before it.
    Ladder,
    /// `[sequences, HIDDEN]`
    Pooled,
}

/// An intermediate result, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    pub point: Point,
    pub values: Vec<f32>,
}

//! The network of `small_base`: shapes are const generics, so what does not fit
//! does not compile.

use camtl::nn::prelude::*;

use camtl::nn::reference::{
    ColumnAttention, CondWeightNorm, LinearBottleneck, TaskTransformation,
};

/// Layer 0: trained, with conditional attention (3 blocks of 3, the last 2).
type LowerLayer<D> = EncoderLayer<
    12,
    2,
    16,
    Trained,
    ColumnAttention<8, 3>,
    PlainNorm,
    NoBottleneck,
    D,
>;

/// Layer 1: trained, with conditional attention (3 blocks of 3, the last 2),
/// conditional norms and a conditional bottleneck of width 4.
type UpperLayer<D> = EncoderLayer<
    12,
    2,
    16,
    Trained,
    ColumnAttention<8, 3>,
    CondWeightNorm,
    LinearBottleneck<4>,
    D,
>;

/// Embeddings, layers and pooler, with the task embedding z that conditions them.
pub struct Encoder<D: Kernels> {
    pub task_embedding: TaskEmbedding<12, D>,
    pub task_transformation: TaskTransformation<12, D>,
    pub embeddings: Embeddings<12, 30, 10, 2, Trained, D>,
    pub alignment: Alignment<12, D>,
    pub lower: [LowerLayer<D>; 1],
    pub upper: [UpperLayer<D>; 1],
    pub pooler: Pooler<12, Trained, D>,
}

impl<D: Kernels> Build<D> for Encoder<D> {
    fn build(at: &Scope<D>) -> Self {
        Self {
            task_embedding: TaskEmbedding::build(&at.child("task_embedding"), 4),
            task_transformation: TaskTransformation::build(
                &at.child("task_transformation"),
            ),
            embeddings: Embeddings::build(&at.child("embeddings")),
            alignment: Alignment::build(&at.child("alignment")),
            lower: at.layers(0),
            upper: at.layers(1),
            pooler: Pooler::build(&at.child("pooler")),
        }
    }
}

parameters!(
    Encoder { task_embedding, task_transformation, embeddings, alignment, lower, upper,
    pooler }
);

impl<D: Kernels> Encode<12, D> for Encoder<D> {
    /// Nothing: the embeddings are trained.
    fn constant(&self, _batch: &Batch, _pass: &mut Scoring<D>) -> Constant<12, D> {
        None
    }

    /// All of it: the embeddings are trained.
    fn encode<T: Tape<f32, D>>(
        &self,
        _constant: Constant<12, D>,
        batch: &Batch,
        pass: &mut Pass<T, D>,
    ) -> Encoded<12, D> {
        let x = self.embeddings.forward(batch, pass);
        let z = self.task_embedding.forward();
        let x = self.alignment.forward(x, &z, batch, pass);
        let z = self.task_transformation.forward(&z, pass);
        let x = self.lower.forward(x, &z, batch, pass);
        let x = self.upper.finish(x, &z, batch, pass);
        self.pooler.forward(x, batch, pass)
    }
}

/// A linear layer a task, on the pooled `[CLS]`.
pub struct Heads<D: Kernels> {
    pub cola: Classify<12, 2, D>,
    pub mnli: Classify<12, 3, D>,
    pub stsb: Regress<12, D>,
    pub mrpc: Classify<12, 2, D>,
}

impl<D: Kernels> Build<D> for Heads<D> {
    fn build(at: &Scope<D>) -> Self {
        Self {
            cola: Build::build(&at.child("cola")),
            mnli: Build::build(&at.child("mnli")),
            stsb: Build::build(&at.child("stsb")),
            mrpc: Build::build(&at.child("mrpc")),
        }
    }
}

parameters!(Heads { cola, mnli, stsb, mrpc });

impl<D: Kernels> Predict<12, D> for Heads<D> {
    /// The logits of one task, for the pooled `rows` of its examples.
    fn logits<T: Tape<f32, D>>(
        &self,
        task: usize,
        rows: Tokens<12, D>,
        pass: &mut Pass<T, D>,
    ) -> Logits<D> {
        match task {
            0 => self.cola.forward(rows, pass),
            1 => self.mnli.forward(rows, pass),
            2 => self.stsb.forward(rows, pass),
            3 => self.mrpc.forward(rows, pass),
            _ => unreachable!("small_base has 4 tasks"),
        }
    }
}

//! The network of `tiny_base`: shapes are const generics, so what does not fit does
//! not compile.

use camtl::nn::prelude::*;

use camtl::nn::reference::{
    ColumnAttention, CondWeightNorm, LinearBottleneck, TaskTransformation,
};

/// Layers 0..2: trained, with conditional attention (3 blocks of 6, the last 4).
type LowerLayer<D> = EncoderLayer<
    48,
    4,
    96,
    Trained,
    ColumnAttention<16, 3>,
    PlainNorm,
    NoBottleneck,
    D,
>;

/// Layer 2: trained, with conditional attention (3 blocks of 6, the last 4) and
/// conditional norms.
type UpperLayer<D> = EncoderLayer<
    48,
    4,
    96,
    Trained,
    ColumnAttention<16, 3>,
    CondWeightNorm,
    NoBottleneck,
    D,
>;

/// Layer 3: trained, with conditional attention (3 blocks of 6, the last 4),
/// conditional norms and a conditional bottleneck of width 16.
type TopLayer<D> = EncoderLayer<
    48,
    4,
    96,
    Trained,
    ColumnAttention<16, 3>,
    CondWeightNorm,
    LinearBottleneck<16>,
    D,
>;

/// Embeddings, layers and pooler, with the task embedding z that conditions them.
pub struct Encoder<D: Kernels> {
    pub task_embedding: TaskEmbedding<48, D>,
    pub task_transformation: TaskTransformation<48, D>,
    pub embeddings: Embeddings<48, 200, 24, 2, Trained, D>,
    pub alignment: Alignment<48, D>,
    pub lower: [LowerLayer<D>; 2],
    pub upper: [UpperLayer<D>; 1],
    pub top: [TopLayer<D>; 1],
    pub pooler: Pooler<48, Trained, D>,
}

impl<D: Kernels> Build<D> for Encoder<D> {
    fn build(at: &Scope<D>) -> Self {
        Self {
            task_embedding: TaskEmbedding::build(&at.child("task_embedding"), 6),
            task_transformation: TaskTransformation::build(
                &at.child("task_transformation"),
            ),
            embeddings: Embeddings::build(&at.child("embeddings")),
            alignment: Alignment::build(&at.child("alignment")),
            lower: at.layers(0),
            upper: at.layers(2),
            top: at.layers(3),
            pooler: Pooler::build(&at.child("pooler")),
        }
    }
}

parameters!(
    Encoder { task_embedding, task_transformation, embeddings, alignment, lower, upper,
    top, pooler }
);

impl<D: Kernels> Encode<48, D> for Encoder<D> {
    /// Nothing: the embeddings are trained.
    fn constant(&self, _batch: &Batch, _pass: &mut Scoring<D>) -> Constant<48, D> {
        None
    }

    /// All of it: the embeddings are trained.
    fn encode<T: Tape<f32, D>>(
        &self,
        _constant: Constant<48, D>,
        batch: &Batch,
        pass: &mut Pass<T, D>,
    ) -> Encoded<48, D> {
        let x = self.embeddings.forward(batch, pass);
        let z = self.task_embedding.forward();
        let x = self.alignment.forward(x, &z, batch, pass);
        let z = self.task_transformation.forward(&z, pass);
        let x = self.lower.forward(x, &z, batch, pass);
        let x = self.upper.forward(x, &z, batch, pass);
        let x = self.top.finish(x, &z, batch, pass);
        self.pooler.forward(x, batch, pass)
    }
}

/// A linear layer a task, on the pooled `[CLS]`.
pub struct Heads<D: Kernels> {
    pub cola: Classify<48, 2, D>,
    pub mnli: Classify<48, 3, D>,
    pub rte: Classify<48, 2, D>,
    pub stsb: Regress<48, D>,
    pub mrpc: Classify<48, 2, D>,
    pub qnli: Classify<48, 2, D>,
}

impl<D: Kernels> Build<D> for Heads<D> {
    fn build(at: &Scope<D>) -> Self {
        Self {
            cola: Build::build(&at.child("cola")),
            mnli: Build::build(&at.child("mnli")),
            rte: Build::build(&at.child("rte")),
            stsb: Build::build(&at.child("stsb")),
            mrpc: Build::build(&at.child("mrpc")),
            qnli: Build::build(&at.child("qnli")),
        }
    }
}

parameters!(Heads { cola, mnli, rte, stsb, mrpc, qnli });

impl<D: Kernels> Predict<48, D> for Heads<D> {
    /// The logits of one task, for the pooled `rows` of its examples.
    fn logits<T: Tape<f32, D>>(
        &self,
        task: usize,
        rows: Tokens<48, D>,
        pass: &mut Pass<T, D>,
    ) -> Logits<D> {
        match task {
            0 => self.cola.forward(rows, pass),
            1 => self.mnli.forward(rows, pass),
            2 => self.rte.forward(rows, pass),
            3 => self.stsb.forward(rows, pass),
            4 => self.mrpc.forward(rows, pass),
            5 => self.qnli.forward(rows, pass),
            _ => unreachable!("tiny_base has 6 tasks"),
        }
    }
}

//! Three small networks, as text and as camtlc lowers that: all trained with every module, the lower half constant, and
//! the ladder.

use camtl::nn::prelude::*;

pub const HIDDEN: usize = 64;

macro_rules! model {
    ($name:literal, $origin:literal, $rest:literal) => {
        concat!(
            "model ",
            $name,
            "\nbackbone bert { ",
            $origin,
            " layers 4 hidden 64 heads 4 ffn 256 vocab 200 positions 40 }\nsequence 32\n",
            "tasks {\n    two { classify 2 data tsv \"two\" }\n    three { classify 3 data tsv \"three\" }\n",
            "    value { regress 0.0 .. 1.0 data tsv \"value\" uncertainty as two }\n}\n",
            $rest
        )
    };
}

pub const SCRATCH: &str = model!(
    "scratch",
    "tokenizer \"vocab.txt\"",
    "attach alignment after embeddings attach attention to layers 2..4 { blocks 4 }
    attach norm to layers 2..4 attach bottleneck to layer 3 { width 32 }
    train { sampler mt_uncertainty { candidates 12 } batch 24 epochs 1 dropout 0.1 }"
);

pub const TUNED: &str = model!(
    "tuned",
    "checkpoint \"x\"",
    "freeze embeddings, layers 0..2 attach attention to layers 2..4 { blocks 5 }
    attach norm to layers 2..4 attach bottleneck to layer 3 { width 32 }
    train { sampler mt_uncertainty { candidates 12 } batch 24 epochs 1 dropout 0.0 }"
);

pub const LADDER: &str = model!(
    "ladder",
    "checkpoint \"x\"",
    "freeze embeddings, layers 0..4, pooler attach bottleneck across layers 2..4 { width 16 }
    train { sampler mt_uncertainty { candidates 12 } batch 24 epochs 1 dropout 0.1 }"
);

type Plain<W, D> = EncoderLayer<64, 4, 256, W, PlainAttention, PlainNorm, NoBottleneck, D>;
type Upper<const BLOCKS: usize, D> =
    EncoderLayer<64, 4, 256, Trained, BlockAttention<32, BLOCKS>, CondNorm, NoBottleneck, D>;
type Top<const BLOCKS: usize, D> =
    EncoderLayer<64, 4, 256, Trained, BlockAttention<32, BLOCKS>, CondNorm, CondBottleneck<32>, D>;

pub struct Scratch<D: Kernels> {
    task_embedding: TaskEmbedding<64, D>,
    embeddings: Embeddings<64, 200, 40, 2, Trained, D>,
    alignment: Alignment<64, D>,
    lower: [Plain<Trained, D>; 2],
    upper: [Upper<4, D>; 1],
    top: [Top<4, D>; 1],
    pooler: Pooler<64, Trained, D>,
}

impl<D: Kernels> Build<D> for Scratch<D> {
    fn build(at: &Scope<D>) -> Self {
        Self {
            task_embedding: TaskEmbedding::build(&at.child("task_embedding"), 3),
            embeddings: Build::build(&at.child("embeddings")),
            alignment: Build::build(&at.child("alignment")),
            lower: at.layers(0),
            upper: at.layers(2),
            top: at.layers(3),
            pooler: Build::build(&at.child("pooler")),
        }
    }
}

parameters!(Scratch { task_embedding, embeddings, alignment, lower, upper, top, pooler });

impl<D: Kernels> Encode<64, D> for Scratch<D> {
    fn constant(&self, _: &Batch, _: &mut Scoring<D>) -> Constant<64, D> {
        None
    }

    fn encode<T: Tape<f32, D>>(
        &self,
        _: Constant<64, D>,
        batch: &Batch,
        pass: &mut Pass<T, D>,
    ) -> Encoded<64, D> {
        let x = self.embeddings.forward(batch, pass);
        let z = self.task_embedding.forward();
        let x = self.alignment.forward(x, &z, batch, pass);
        let x = self.lower.forward(x, &z, batch, pass);
        let x = self.upper.forward(x, &z, batch, pass);
        let x = self.top.finish(x, &z, batch, pass);
        self.pooler.forward(x, batch, pass)
    }
}

pub struct Tuned<D: Kernels> {
    task_embedding: TaskEmbedding<64, D>,
    embeddings: Embeddings<64, 200, 40, 2, Frozen, D>,
    lower: [Plain<Frozen, D>; 2],
    upper: [Upper<5, D>; 1],
    top: [Top<5, D>; 1],
    pooler: Pooler<64, Trained, D>,
}

impl<D: Kernels> Build<D> for Tuned<D> {
    fn build(at: &Scope<D>) -> Self {
        Self {
            task_embedding: TaskEmbedding::build(&at.child("task_embedding"), 3),
            embeddings: Build::build(&at.child("embeddings")),
            lower: at.layers(0),
            upper: at.layers(2),
            top: at.layers(3),
            pooler: Build::build(&at.child("pooler")),
        }
    }
}

parameters!(Tuned { task_embedding, embeddings, lower, upper, top, pooler });

impl<D: Kernels> Encode<64, D> for Tuned<D> {
    fn constant(&self, batch: &Batch, pass: &mut Scoring<D>) -> Constant<64, D> {
        let x = self.embeddings.forward(batch, pass);
        Some(self.lower.forward(x, &NoTask, batch, pass))
    }

    fn encode<T: Tape<f32, D>>(
        &self,
        constant: Constant<64, D>,
        batch: &Batch,
        pass: &mut Pass<T, D>,
    ) -> Encoded<64, D> {
        let x = constant.expect("the embeddings are constant");
        let z = self.task_embedding.forward();
        let x = self.upper.forward(x, &z, batch, pass);
        let x = self.top.finish(x, &z, batch, pass);
        self.pooler.forward(x, batch, pass)
    }
}

pub struct Ladder<D: Kernels> {
    task_embedding: TaskEmbedding<64, D>,
    embeddings: Embeddings<64, 200, 40, 2, Frozen, D>,
    lower: [Plain<Frozen, D>; 2],
    upper: [Plain<Frozen, D>; 2],
    ladder: [LadderStep<64, 16, D>; 2],
    pooler: Pooler<64, Frozen, D>,
}

impl<D: Kernels> Build<D> for Ladder<D> {
    fn build(at: &Scope<D>) -> Self {
        Self {
            task_embedding: TaskEmbedding::build(&at.child("task_embedding"), 3),
            embeddings: Build::build(&at.child("embeddings")),
            lower: at.layers(0),
            upper: at.layers(2),
            ladder: at.ladder(2),
            pooler: Build::build(&at.child("pooler")),
        }
    }
}

parameters!(Ladder { task_embedding, embeddings, lower, upper, ladder, pooler });

impl<D: Kernels> Encode<64, D> for Ladder<D> {
    fn constant(&self, batch: &Batch, pass: &mut Scoring<D>) -> Constant<64, D> {
        let x = self.embeddings.forward(batch, pass);
        Some(self.lower.forward(x, &NoTask, batch, pass))
    }

    fn encode<T: Tape<f32, D>>(
        &self,
        constant: Constant<64, D>,
        batch: &Batch,
        pass: &mut Pass<T, D>,
    ) -> Encoded<64, D> {
        let x = constant.expect("the embeddings are constant");
        let z = self.task_embedding.forward();
        let (_, f) = camtl::nn::climb(&self.upper, &self.ladder, (x, None), &z, batch, pass);
        let x = f.expect("the ladder has a step");
        self.pooler.forward(x, batch, pass)
    }
}

pub struct Heads<D: Kernels> {
    two: Classify<64, 2, D>,
    three: Classify<64, 3, D>,
    value: Regress<64, D>,
}

impl<D: Kernels> Build<D> for Heads<D> {
    fn build(at: &Scope<D>) -> Self {
        Self {
            two: Build::build(&at.child("two")),
            three: Build::build(&at.child("three")),
            value: Build::build(&at.child("value")),
        }
    }
}

parameters!(Heads { two, three, value });

impl<D: Kernels> Predict<64, D> for Heads<D> {
    fn logits<T: Tape<f32, D>>(&self, task: usize, rows: Tokens<64, D>, pass: &mut Pass<T, D>) -> Logits<D> {
        match task {
            0 => self.two.forward(rows, pass),
            1 => self.three.forward(rows, pass),
            2 => self.value.forward(rows, pass),
            _ => unreachable!("three tasks"),
        }
    }
}

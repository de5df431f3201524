//! What the benches share: two networks as the compiler would lower them, GLUE's eight tasks, and batches.
//!
//! All four modules are attached and nothing is frozen: the most work that a model of its size makes.
#![allow(dead_code, reason = "no bench uses all of it")]

pub mod measure;
pub mod products;

use std::time::Instant;

use camtl::data::Goal;
use camtl::nn::{Batch, Encode, Model, Predict, pretrained};
use camtl::runner::Cpu;
use camtl::train::Network;
use camtl::train::learner::Learner;
use camtl::train::plan::{
    AdamW, Backbone, Family, Fidelity, Kind, Metric, Origin, Plan, Sampler, Schedule, Source, Task, Training,
    Uncertainty, Warmup,
};

/// Tokens of the longest example.
pub const SEQUENCE: usize = 128;
/// Examples of a step.
pub const BATCH: usize = 32;
/// Candidates of a task and step.
pub const CANDIDATES: usize = 32;

/// A module with `Encoder` and `Heads`.
macro_rules! network {
    ($name:ident { hidden $hidden:literal heads $heads:literal ffn $ffn:literal lower $lower:literal
        vocab $vocab:literal blocks $blocks:literal width $width:literal }) => {
        pub mod $name {
            use camtl::nn::prelude::*;

            type Layer<B, D> =
                EncoderLayer<$hidden, $heads, $ffn, Trained, BlockAttention<128, $blocks>, CondNorm, B, D>;

            pub const HIDDEN: usize = $hidden;
            pub const FFN: usize = $ffn;
            pub const LAYERS: usize = $lower + 1;
            pub const WIDTH: usize = $width;

            pub struct Encoder<D: Kernels> {
                task_embedding: TaskEmbedding<$hidden, D>,
                embeddings: Embeddings<$hidden, $vocab, 512, 2, Trained, D>,
                alignment: Alignment<$hidden, D>,
                layers: [Layer<NoBottleneck, D>; $lower],
                top: [Layer<CondBottleneck<$width>, D>; 1],
                pooler: Pooler<$hidden, Trained, D>,
            }

            impl<D: Kernels> Build<D> for Encoder<D> {
                fn build(at: &Scope<D>) -> Self {
                    Self {
                        task_embedding: TaskEmbedding::build(&at.child("task_embedding"), 8),
                        embeddings: Build::build(&at.child("embeddings")),
                        alignment: Build::build(&at.child("alignment")),
                        layers: at.layers(0),
                        top: at.layers($lower),
                        pooler: Build::build(&at.child("pooler")),
                    }
                }
            }

            parameters!(Encoder { task_embedding, embeddings, alignment, layers, top, pooler });

            impl<D: Kernels> Encode<$hidden, D> for Encoder<D> {
                /// Everything is trained.
                fn constant(&self, _: &Batch, _: &mut Scoring<D>) -> Constant<$hidden, D> {
                    None
                }

                fn encode<T: Tape<f32, D>>(
                    &self,
                    _: Constant<$hidden, D>,
                    batch: &Batch,
                    pass: &mut Pass<T, D>,
                ) -> Encoded<$hidden, D> {
                    let z = self.task_embedding.forward();
                    let x = self.embeddings.forward(batch, pass);
                    let x = self.alignment.forward(x, &z, batch, pass);
                    let x = self.layers.forward(x, &z, batch, pass);
                    let x = self.top.finish(x, &z, batch, pass);
                    self.pooler.forward(x, batch, pass)
                }
            }

            pub struct Heads<D: Kernels> {
                cola: Classify<$hidden, 2, D>,
                mnli: Classify<$hidden, 3, D>,
                mrpc: Classify<$hidden, 2, D>,
                qnli: Classify<$hidden, 2, D>,
                qqp: Classify<$hidden, 2, D>,
                rte: Classify<$hidden, 2, D>,
                sst2: Classify<$hidden, 2, D>,
                stsb: Regress<$hidden, D>,
            }

            impl<D: Kernels> Build<D> for Heads<D> {
                fn build(at: &Scope<D>) -> Self {
                    Self {
                        cola: Build::build(&at.child("cola")),
                        mnli: Build::build(&at.child("mnli")),
                        mrpc: Build::build(&at.child("mrpc")),
                        qnli: Build::build(&at.child("qnli")),
                        qqp: Build::build(&at.child("qqp")),
                        rte: Build::build(&at.child("rte")),
                        sst2: Build::build(&at.child("sst2")),
                        stsb: Build::build(&at.child("stsb")),
                    }
                }
            }

            parameters!(Heads { cola, mnli, mrpc, qnli, qqp, rte, sst2, stsb });

            impl<D: Kernels> Predict<$hidden, D> for Heads<D> {
                fn logits<T: Tape<f32, D>>(
                    &self,
                    task: usize,
                    rows: Tokens<$hidden, D>,
                    pass: &mut Pass<T, D>,
                ) -> Logits<D> {
                    match task {
                        0 => self.cola.forward(rows, pass),
                        1 => self.mnli.forward(rows, pass),
                        2 => self.mrpc.forward(rows, pass),
                        3 => self.qnli.forward(rows, pass),
                        4 => self.qqp.forward(rows, pass),
                        5 => self.rte.forward(rows, pass),
                        6 => self.sst2.forward(rows, pass),
                        7 => self.stsb.forward(rows, pass),
                        _ => unreachable!("eight tasks"),
                    }
                }
            }
        }
    };
}

network!(minilm { hidden 384 heads 12 ffn 1536 lower 5 vocab 30522 blocks 4 width 128 });
network!(bert_base { hidden 768 heads 12 ffn 3072 lower 11 vocab 30522 blocks 6 width 256 });

pub type MiniLm = Model<384, minilm::Encoder<Cpu>, minilm::Heads<Cpu>, Cpu>;
pub type BertBase = Model<768, bert_base::Encoder<Cpu>, bert_base::Heads<Cpu>, Cpu>;

/// A network with random weights.
pub fn random<const HIDDEN: usize, E, P>() -> Model<HIDDEN, E, P, Cpu>
where
    E: Encode<HIDDEN, Cpu>,
    P: Predict<HIDDEN, Cpu>,
{
    let mut model = Model::build(Cpu::default());
    pretrained::start(&mut model.parameters(), 1);
    model
}

pub const PLAN: Plan = Plan {
    name: "camtl_minilm_glue",
    variant: None,
    fingerprint: "0",
    backbone: Backbone {
        family: Family::Bert,
        origin: Origin::Checkpoint(""),
        layers: 6,
        hidden: 384,
        heads: 12,
        ffn: 1536,
        vocab: 30522,
        positions: 512,
        token_types: 2,
    },
    sequence: SEQUENCE,
    tasks: &[
        classify("cola", "CoLA", &["0", "1"]),
        classify("mnli", "MNLI", &["contradiction", "entailment", "neutral"]),
        classify("mrpc", "MRPC", &["0", "1"]),
        classify("qnli", "QNLI", &["entailment", "not_entailment"]),
        classify("qqp", "QQP", &["0", "1"]),
        classify("rte", "RTE", &["entailment", "not_entailment"]),
        classify("sst2", "SST-2", &["0", "1"]),
        Task {
            kind: Kind::Regress { low: 0.0, high: 5.0, unit: true },
            metric: Metric::Pearson,
            uncertainty: Uncertainty::As(2),
            ..classify("stsb", "STS-B", &[])
        },
    ],
    training: Training {
        sampler: Sampler::MtUncertainty { candidates: CANDIDATES, rescore: 1 },
        batch: camtl::train::plan::Batch::Examples(BATCH),
        cache: None,
        fidelity: Fidelity::Paper,
        epochs: 1,
        steps: None,
        optimizer: AdamW { lr: 2e-5, weight_decay: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
        schedule: Schedule::Constant { warmup: Warmup::Steps(0) },
        clip: None,
        dropout: 0.1,
        evaluate_every: None,
        seed: 1,
    },
};

const fn classify(name: &'static str, set: &'static str, labels: &'static [&'static str]) -> Task {
    Task {
        name,
        kind: Kind::Classify { labels },
        metric: Metric::Accuracy,
        data: Source::glue(set, set),
        weight: 1.0,
        uncertainty: Uncertainty::Entropy,
    }
}

/// A learner under the plan's settings.
pub fn learner<N: Network>(network: N) -> Learner<N> {
    Learner::new(network, PLAN.training, usize::MAX - 1)
}

/// `count` sequences of `length` tokens, their tasks in turn.
pub fn batch(count: usize, length: usize) -> Batch {
    let words: Vec<Vec<u32>> = (0..count as u32)
        .map(|i| (0..length as u32).map(|j| 1000 + (i * 7919 + j * 104_729) % 29_000).collect())
        .collect();
    let types = vec![0; length];
    let tasks = PLAN.tasks.len();
    Batch::new(words.iter().enumerate().map(|(i, words)| (words.as_slice(), types.as_slice(), i % tasks)))
}

/// A target for each of its sequences.
pub fn targets(batch: &Batch) -> Vec<Goal<'static>> {
    let of = |&task: &usize| match PLAN.tasks[task].kind {
        Kind::Classify { .. } => Goal::Class(1),
        Kind::Regress { .. } => Goal::Value(0.5),
        other => unreachable!("no task of the benchmark is {other:?}"),
    };
    batch.segments.tasks().iter().map(of).collect()
}

/// One training step on [`batch`], the constant part included.
pub fn step<N: Network>(learner: &mut Learner<N>, number: usize, batch: &Batch, targets: &[Goal<'_>]) -> f64 {
    let weights = vec![1.0; PLAN.tasks.len()];
    let constant = learner.network.constant(batch);
    let stepped = learner.step(number, &weights, batch, constant, targets);
    stepped.expect("random weights do not diverge").loss
}

/// Logits of every sequence, without a tape.
pub fn score<N: Network>(network: &N, batch: &Batch) -> Vec<Vec<f32>> {
    network.score(network.constant(batch), batch)
}

/// Seconds that `work` takes.
pub fn seconds(work: impl FnOnce()) -> f64 {
    let began = Instant::now();
    work();
    began.elapsed().as_secs_f64()
}

pub fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

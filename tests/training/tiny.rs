//! A tiny network, written as the compiler would lower it, and a folder with data to train it on.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use camtl::data::Unreadable;
use camtl::kernels::Kernels;
use camtl::nn::Model;
use camtl::runner::Cpu;
use camtl::train::plan::{
    AdamW, Backbone, Batch, Family, Fidelity, Kind, Metric, Origin, Plan, Sampler, Schedule, Source, Task,
    Training, Uncertainty, Warmup,
};
use camtl::train::{Options, Outcome, TrainError, train};
use serde_json::Value;

/// [`network`] on any device.
pub struct Tiny;

impl camtl::runner::OnAnyDevice<16> for Tiny {
    type Encoder<D: Kernels> = network::Encoder<D>;
    type Heads<D: Kernels> = network::Heads<D>;
}

pub mod network {
    //! Hidden 16, two layers: the lower one frozen and constant, the upper one with everything attached.
    use camtl::nn::prelude::*;

    type LowerLayer<D> = EncoderLayer<16, 2, 32, Frozen, PlainAttention, PlainNorm, NoBottleneck, D>;
    type UpperLayer<D> =
        EncoderLayer<16, 2, 32, Trained, BlockAttention<12, 3>, CondNorm, CondBottleneck<8>, D>;

    pub struct Encoder<D: Kernels> {
        pub task_embedding: TaskEmbedding<16, D>,
        pub embeddings: Embeddings<16, 16, 12, 2, Frozen, D>,
        pub lower: [LowerLayer<D>; 1],
        pub upper: [UpperLayer<D>; 1],
        pub pooler: Pooler<16, Trained, D>,
    }

    impl<D: Kernels> Build<D> for Encoder<D> {
        fn build(at: &Scope<D>) -> Self {
            Self {
                task_embedding: TaskEmbedding::build(&at.child("task_embedding"), 2),
                embeddings: Embeddings::build(&at.child("embeddings")),
                lower: at.layers(0),
                upper: at.layers(1),
                pooler: Pooler::build(&at.child("pooler")),
            }
        }
    }

    parameters!(Encoder { task_embedding, embeddings, lower, upper, pooler });

    impl<D: Kernels> Encode<16, D> for Encoder<D> {
        fn constant(&self, batch: &Batch, pass: &mut Scoring<D>) -> Constant<16, D> {
            let x = self.embeddings.forward(batch, pass);
            Some(self.lower.forward(x, &NoTask, batch, pass))
        }

        fn encode<T: Tape<f32, D>>(
            &self,
            constant: Constant<16, D>,
            batch: &Batch,
            pass: &mut Pass<T, D>,
        ) -> Encoded<16, D> {
            let x = constant.expect("embeddings and the lower layer are constant");
            let z = self.task_embedding.forward();
            let x = self.upper.finish(x, &z, batch, pass);
            self.pooler.forward(x, batch, pass)
        }
    }

    pub struct Heads<D: Kernels> {
        pub weather: Classify<16, 2, D>,
        pub warmth: Regress<16, D>,
    }

    impl<D: Kernels> Build<D> for Heads<D> {
        fn build(at: &Scope<D>) -> Self {
            Self { weather: Build::build(&at.child("weather")), warmth: Build::build(&at.child("warmth")) }
        }
    }

    parameters!(Heads { weather, warmth });

    impl<D: Kernels> Predict<16, D> for Heads<D> {
        fn logits<T: Tape<f32, D>>(
            &self,
            task: usize,
            rows: Tokens<16, D>,
            pass: &mut Pass<T, D>,
        ) -> Logits<D> {
            match task {
                0 => self.weather.forward(rows, pass),
                1 => self.warmth.forward(rows, pass),
                _ => unreachable!("two tasks"),
            }
        }
    }
}

pub const PLAN: Plan = Plan {
    name: "tiny",
    variant: None,
    fingerprint: "00000000000000000000000000000001",
    backbone: Backbone {
        family: Family::Bert,
        origin: Origin::Scratch { tokenizer: "vocab.txt" },
        layers: 2,
        hidden: 16,
        heads: 2,
        ffn: 32,
        vocab: 16,
        positions: 12,
        token_types: 2,
    },
    sequence: 12,
    tasks: &[
        Task {
            name: "weather",
            kind: Kind::Classify { labels: &["cold", "warm"] },
            metric: Metric::Accuracy,
            data: Source::tsv("weather"),
            weight: 1.0,
            uncertainty: Uncertainty::Entropy,
        },
        Task {
            name: "warmth",
            kind: Kind::Regress { low: 0.0, high: 5.0, unit: true },
            metric: Metric::Pearson,
            data: Source::tsv("warmth"),
            weight: 1.0,
            uncertainty: Uncertainty::As(0),
        },
    ],
    training: Training {
        sampler: Sampler::MtUncertainty { candidates: 8, rescore: 1 },
        batch: Batch::Examples(8),
        epochs: 1,
        steps: Some(60),
        optimizer: AdamW { lr: 3e-3, weight_decay: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
        schedule: Schedule::Linear { warmup: Warmup::Fraction(0.1) },
        clip: Some(1.0),
        dropout: 0.1,
        evaluate_every: Some(20),
        seed: 7,
        cache: None,
        fidelity: Fidelity::Paper,
    },
};

const WORDS: [(&str, f32); 8] = [
    ("ice", 0.0),
    ("snow", 0.5),
    ("rain", 1.0),
    ("fog", 1.5),
    ("sun", 3.5),
    ("sand", 4.0),
    ("fire", 4.5),
    ("lava", 5.0),
];

/// A data folder: one word tells class and value, some others do not matter.
fn write_data(root: &Path) {
    let specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "a", "old"];
    let vocab: Vec<&str> = specials.into_iter().chain(WORDS.map(|(word, _)| word)).collect();
    fs::write(root.join("vocab.txt"), vocab.join("\n")).unwrap();
    let label = |warmth: f32| if warmth > 2.0 { "warm".to_owned() } else { "cold".to_owned() };
    let value = |warmth: f32| warmth.to_string();
    write_task(&root.join("weather"), &label);
    write_task(&root.join("warmth"), &value);
}

fn write_task(folder: &Path, label: &dyn Fn(f32) -> String) {
    fs::create_dir(folder).unwrap();
    let table = |openings: &[&str]| {
        let rows = openings.iter().flat_map(|opening| {
            WORDS.iter().map(move |(word, warmth)| format!("{}\t{opening} {word}\n", label(*warmth)))
        });
        format!("label\ttext_a\n{}", rows.collect::<String>())
    };
    fs::write(folder.join("train.tsv"), table(&["the", "a", "the old", "a old", "the the old"])).unwrap();
    fs::write(folder.join("dev.tsv"), table(&["old", "a the"])).unwrap();
}

pub fn build() -> Model<16, network::Encoder<Cpu>, network::Heads<Cpu>, Cpu> {
    Model::build(Cpu::default())
}

/// A folder with data, in which runs may be made.
pub struct Place {
    pub folder: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("data")).unwrap();
        write_data(&folder.path().join("data"));
        fs::create_dir(folder.path().join("runs")).unwrap();
        Self { folder }
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub fn out(&self, name: &str) -> PathBuf {
        self.folder.path().join("runs").join(name)
    }

    pub fn options(&self, name: &str, set: &[(&str, &str)]) -> Options {
        let mut training = PLAN.training;
        for (key, value) in set {
            training.set(key, value).unwrap();
        }
        Options {
            training,
            data: self.data(),
            backbone: None,
            weights: None,
            from: None,
            replay: None,
            log_picks: false,
            unreadable: Unreadable::Fail,
            out: self.out(name),
            cache: None,
            model_path: None,
            device: "cpu".to_owned(),
        }
    }

    pub fn try_train(&self, name: &str, set: &[(&str, &str)]) -> Result<Outcome, TrainError> {
        train(&PLAN, "model tiny", build(), &self.options(name, set), &AtomicBool::new(false))
    }

    pub fn train(&self, name: &str, set: &[(&str, &str)]) -> Outcome {
        self.try_train(name, set).unwrap()
    }

    /// What is in the folder of runs.
    pub fn runs(&self) -> Vec<String> {
        names(&self.out(""))
    }
}

pub fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

pub fn lines(path: &Path) -> Vec<Value> {
    fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

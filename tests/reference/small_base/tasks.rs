//! The tasks of `small_base`, where their examples come from, and how it is
//! trained.

use camtl::train::plan::{
    AdamW, Backbone, Batch, Family, Fidelity, Kind, Metric, Origin, Plan, Sampler,
    Schedule, Source, Task, Training, Uncertainty, Warmup,
};

/// Everything about `small_base` that is not its network.
pub const PLAN: Plan = Plan {
    name: "small_base",
    variant: None,
    fingerprint: "1c03ee109f2fc48ab59dd7407bf2502b",
    backbone: Backbone {
        family: Family::Bert,
        origin: Origin::Scratch {
            tokenizer: "vocab.txt",
        },
        layers: 2,
        hidden: 12,
        heads: 2,
        ffn: 16,
        vocab: 30,
        positions: 10,
        token_types: 2,
    },
    sequence: 8,
    tasks: &[
        Task {
            name: "cola",
            kind: Kind::Classify {
                labels: &["0", "1"],
            },
            metric: Metric::Matthews,
            data: Source::tsv("cola"),
            weight: 1.0,
            uncertainty: Uncertainty::Entropy,
        },
        Task {
            name: "mnli",
            kind: Kind::Classify {
                labels: &["0", "1", "2"],
            },
            metric: Metric::Accuracy,
            data: Source::tsv("mnli"),
            weight: 1.0,
            uncertainty: Uncertainty::Entropy,
        },
        Task {
            name: "stsb",
            kind: Kind::Regress {
                low: 0.0,
                high: 5.0,
                unit: false,
            },
            metric: Metric::PearsonSpearman,
            data: Source::tsv("stsb"),
            weight: 1.0,
            uncertainty: Uncertainty::As(3),
        },
        Task {
            name: "mrpc",
            kind: Kind::Classify {
                labels: &["0", "1"],
            },
            metric: Metric::AccuracyF1,
            data: Source::tsv("mrpc"),
            weight: 1.0,
            uncertainty: Uncertainty::Entropy,
        },
    ],
    training: Training {
        sampler: Sampler::MtUncertainty {
            candidates: 4,
            rescore: 1,
        },
        batch: Batch::Examples(4),
        epochs: 3,
        steps: Some(20),
        optimizer: AdamW {
            lr: 0.001,
            weight_decay: 0.01,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
        },
        schedule: Schedule::Linear {
            warmup: Warmup::Steps(2),
        },
        clip: Some(1.0),
        dropout: 0.0,
        evaluate_every: None,
        seed: 42,
        cache: None,
        fidelity: Fidelity::Reference,
    },
};

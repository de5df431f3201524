//! A program as a list of facts, in the words of the language.
//!
//! Every field that means something is named here, so that a new one cannot be forgotten: the patterns are without `..`.

use std::ops::Range;

use serde::Serialize;

use crate::ir::{
    AdamW, Backbone, Embeddings, Fidelity, Flow, Kind, Layer, Metric, Origin, Pooler, Program, Sampler,
    Schedule, Task, Training, Uncertainty, Warmup, Weights, Width,
};

/// What a fact is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Section {
    Model,
    Backbone,
    Freezing,
    Modules,
    Tasks,
    Training,
}

impl Section {
    pub const ALL: [Self; 6] =
        [Self::Model, Self::Backbone, Self::Freezing, Self::Modules, Self::Tasks, Self::Training];

    pub fn label(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Backbone => "backbone",
            Self::Freezing => "freezing",
            Self::Modules => "modules",
            Self::Tasks => "tasks",
            Self::Training => "training",
        }
    }
}

/// Where a task's uncertainty comes from, unless it says otherwise.
const ENTROPY: &str = "entropy";

/// Something that a program has.
#[derive(Clone, Debug)]
pub struct Item {
    pub section: Section,
    pub name: String,
    /// The key is empty where there is but one.
    pub facts: Vec<(&'static str, String)>,
}

impl Item {
    fn new(section: Section, name: &str, value: impl ToString) -> Self {
        Self { section, name: name.to_owned(), facts: vec![("", value.to_string())] }
    }

    /// All facts in a line, but for the one that goes without saying.
    pub fn words(&self) -> String {
        let fact = |(key, value): &(&str, String)| match *key {
            "" | "kind" => value.clone(),
            key => format!("{key} {value}"),
        };
        let said = self.facts.iter().filter(|(_, value)| value != ENTROPY);
        said.map(fact).collect::<Vec<_>>().join("   ")
    }
}

/// Everything but the model's name and the comment above it.
pub fn describe(program: &Program) -> Vec<Item> {
    let Program {
        name: _,
        variant: _,
        summary: _,
        backbone,
        fidelity,
        sequence,
        tasks,
        embeddings: _,
        layers: _,
        ladder: _,
        pooler: _,
        training,
    } = program;
    let fidelity = match fidelity {
        Fidelity::Paper => "paper",
        Fidelity::Reference => "reference",
    };
    let mut items = vec![
        Item::new(Section::Model, "fidelity", fidelity),
        Item::new(Section::Model, "sequence", sequence),
    ];
    items.extend(describe_backbone(backbone));
    items.extend(describe_freezing(program));
    items.extend(describe_modules(program));
    items.extend(tasks.iter().map(|task| describe_task(task, tasks)));
    items.extend(describe_training(training));
    items
}

fn describe_backbone(backbone: &Backbone) -> impl Iterator<Item = Item> {
    let Backbone { family, origin, layers, hidden, heads, ffn, vocab, positions, token_types } = backbone;
    let origin = match origin {
        Origin::Checkpoint(name) => ("weights", format!("checkpoint {name:?}")),
        Origin::Scratch { tokenizer } => ("weights", format!("random, tokenizer {tokenizer:?}")),
    };
    let sizes = [
        ("layers", layers),
        ("hidden", hidden),
        ("heads", heads),
        ("ffn", ffn),
        ("vocab", vocab),
        ("positions", positions),
        ("token_types", token_types),
    ];
    let sizes = sizes.map(|(key, size)| (key, size.to_string()));
    let family = ("network", family.name().to_owned());
    [family, origin].into_iter().chain(sizes).map(|(key, value)| Item::new(Section::Backbone, key, value))
}

/// What `freeze` says, and what follows from it; where nothing is, there is no fact.
fn describe_freezing(program: &Program) -> impl Iterator<Item = Item> {
    let Embeddings { weights, flow, alignment: _ } = program.embeddings;
    let Pooler { weights: pooler_weights, flow: pooler_flow } = program.pooler;
    let weights = (weights, program.layers.iter().map(|layer| layer.weights).collect(), pooler_weights);
    let flow = (flow, program.layers.iter().map(|layer| layer.flow).collect(), pooler_flow);
    let facts = [
        ("frozen", parts(&weights, Weights::Frozen)),
        ("constant", parts(&flow, Flow::Constant)),
        ("passed through", parts(&flow, Flow::Passed)),
    ];
    let facts = facts.into_iter().filter(|(_, parts)| !parts.is_empty());
    facts.map(|(name, parts)| Item::new(Section::Freezing, name, parts))
}

/// "embeddings, layers 0..6": the parts that are in a state.
fn parts<S: PartialEq>((embeddings, layers, pooler): &(S, Vec<S>, S), state: S) -> String {
    let mut parts = Vec::new();
    if *embeddings == state {
        parts.push("embeddings".to_owned());
    }
    parts.extend(runs(layers).into_iter().filter(|(_, of)| **of == state).map(|(range, _)| in_words(&range)));
    if *pooler == state {
        parts.push("pooler".to_owned());
    }
    parts.join(", ")
}

fn describe_modules(program: &Program) -> Vec<Item> {
    let layers = |setting: &dyn Fn(&Layer) -> Option<String>| {
        let settings: Vec<Option<String>> = program.layers.iter().map(setting).collect();
        let run = |(range, setting): (Range<usize>, &Option<String>)| {
            setting.as_ref().map(|setting| format!("to {}{setting}", in_words(&range)))
        };
        runs(&settings).into_iter().filter_map(run).collect::<Vec<_>>().join(", ")
    };
    let width = |Width(width): Width| format!(" {{ width {width} }}");
    let modules = [
        ("alignment", (if program.embeddings.alignment { "after embeddings" } else { "" }).to_owned()),
        ("attention", layers(&|layer| layer.attention.map(|blocks| format!(" ({blocks})")))),
        ("norm", layers(&|layer| layer.norm.then(String::new))),
        ("bottleneck", layers(&|layer| layer.bottleneck.map(width))),
        (
            "ladder of bottlenecks",
            program.ladder.as_ref().map_or_else(String::new, |ladder| {
                format!("across {}{}", in_words(&ladder.layers), width(ladder.width))
            }),
        ),
    ];
    let attached = modules.into_iter().filter(|(_, places)| !places.is_empty());
    attached.map(|(name, places)| Item::new(Section::Modules, name, places)).collect()
}

fn describe_task(task: &Task, tasks: &[Task]) -> Item {
    let Task { name, kind, metric, data, weight, uncertainty } = task;
    let kind = match kind {
        Kind::Classify { labels } if labels.iter().enumerate().all(|(i, label)| *label == i.to_string()) => {
            format!("classify {}", labels.len())
        }
        Kind::Classify { labels } => format!("classify {}", list_labels(labels)),
        Kind::Regress { low, high } => format!("regress {low:?} .. {high:?}"),
        Kind::Tag { labels } => format!("tag {}", list_labels(labels)),
        Kind::Span { stride } => format!("span {{ stride {stride} }}"),
        Kind::Choose { choices } => format!("choose {choices}"),
    };
    let uncertainty = match uncertainty {
        Uncertainty::Entropy => ENTROPY.to_owned(),
        // Analysis has found the donor among the tasks.
        Uncertainty::As(donor) => format!("as {}", tasks[*donor].name),
    };
    Item {
        section: Section::Tasks,
        name: name.clone(),
        facts: vec![
            ("kind", kind),
            ("metric", metric_name(*metric).to_owned()),
            ("data", data.to_string()),
            ("weight", weight.to_string()),
            ("uncertainty", uncertainty),
        ],
    }
}

/// A label as the language writes it: in quotes, unless it is a word or a number.
fn quoted(label: &str) -> String {
    let is_plain = label.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
    if is_plain { label.to_owned() } else { format!("{label:?}") }
}

fn list_labels(labels: &[String]) -> String {
    let labels: Vec<String> = labels.iter().map(|label| quoted(label)).collect();
    labels.join(", ")
}

fn metric_name(metric: Metric) -> &'static str {
    match metric {
        Metric::Accuracy => "accuracy",
        Metric::F1 => "f1",
        Metric::AccuracyF1 => "accuracy_f1",
        Metric::MacroF1 => "macro_f1",
        Metric::AccuracyMacroF1 => "accuracy_macro_f1",
        Metric::Matthews => "matthews",
        Metric::Pearson => "pearson",
        Metric::Spearman => "spearman",
        Metric::PearsonSpearman => "pearson_spearman",
        Metric::EntityF1 => "entity_f1",
        Metric::ExactMatchF1 => "exact_match_f1",
        Metric::F1aExactMatch => "f1a_exact_match",
    }
}

fn describe_training(training: &Training) -> Vec<Item> {
    let Training {
        sampler,
        batch,
        epochs,
        steps,
        optimizer: AdamW { lr, weight_decay, beta1, beta2, epsilon },
        schedule,
        clip,
        dropout,
        evaluate_every,
        seed,
        cache,
    } = training;
    let sampler = match sampler {
        Sampler::MtUncertainty { candidates, rescore: 1 } => {
            format!("mt_uncertainty {{ candidates {candidates} }}")
        }
        Sampler::MtUncertainty { candidates, rescore } => {
            format!("mt_uncertainty {{ candidates {candidates}   rescore every {rescore} }}")
        }
        Sampler::Proportional => "proportional".to_owned(),
        Sampler::Uniform => "uniform".to_owned(),
        Sampler::Temperature { temperature, cap: None } => format!("temperature {temperature}"),
        Sampler::Temperature { temperature, cap: Some(cap) } => {
            format!("temperature {temperature} {{ cap {cap} }}")
        }
        Sampler::Sequential => "sequential".to_owned(),
    };
    // `steps` overrides `epochs`
    let length = match steps {
        Some(steps) => ("steps", steps.to_string()),
        None => ("epochs", epochs.to_string()),
    };
    let warmup = |warmup: &Warmup| match warmup {
        Warmup::Fraction(fraction) => format!("{}%", (fraction * 1e14).round() / 1e12),
        Warmup::Steps(steps) => steps.to_string(),
    };
    let schedule = match schedule {
        Schedule::Linear { warmup: steps } => format!("linear {{ warmup {} }}", warmup(steps)),
        Schedule::Constant { warmup: steps } => format!("constant {{ warmup {} }}", warmup(steps)),
    };
    let or = |value: Option<String>, absent: &str| value.unwrap_or_else(|| absent.to_owned());
    let facts = [
        ("sampler", sampler),
        ("batch", batch.to_string()),
        length,
        ("lr", format!("{lr:?}")),
        ("weight_decay", format!("{weight_decay:?}")),
        ("beta1", format!("{beta1:?}")),
        ("beta2", format!("{beta2:?}")),
        ("epsilon", format!("{epsilon:?}")),
        ("schedule", schedule),
        ("clip", or(clip.map(|clip| format!("{clip:?}")), "off")),
        ("dropout", format!("{dropout:?}")),
        ("evaluate every", or(evaluate_every.map(|steps| steps.to_string()), "epoch")),
        ("seed", seed.to_string()),
        ("cache", or(cache.map(bytes), "off")),
    ];
    facts.into_iter().map(|(name, value)| Item::new(Section::Training, name, value)).collect()
}

/// "2 GiB": in the largest unit of which they are a whole number.
fn bytes(bytes: u64) -> String {
    let units = [
        ("TiB", 1 << 40),
        ("GiB", 1 << 30),
        ("MiB", 1 << 20),
        ("TB", 10_u64.pow(12)),
        ("GB", 10_u64.pow(9)),
        ("MB", 10_u64.pow(6)),
    ];
    match units.iter().find(|(_, factor)| bytes.is_multiple_of(*factor)) {
        Some((unit, factor)) => format!("{} {unit}", bytes / factor),
        None => format!("{bytes} bytes"),
    }
}

/// Neighbours that are equal, joined.
fn runs<T: PartialEq>(layers: &[T]) -> Vec<(Range<usize>, &T)> {
    let mut runs: Vec<(Range<usize>, &T)> = Vec::new();
    for (index, layer) in layers.iter().enumerate() {
        match runs.last_mut() {
            Some((range, before)) if *before == layer => range.end = index + 1,
            _ => runs.push((index..index + 1, layer)),
        }
    }
    runs
}

/// "layer 5", "layers 0..3".
pub fn in_words(range: &Range<usize>) -> String {
    match range.len() {
        1 => format!("layer {}", range.start),
        _ => format!("layers {}..{}", range.start, range.end),
    }
}

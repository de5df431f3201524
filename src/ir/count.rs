//! How many parameters each part of a [`Program`] has: exact, from the shapes alone.

use serde::Serialize;

use super::{Blocks, Layer, Origin, Program, Weights, Width};

/// Parameters of one part, by what becomes of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    /// From the checkpoint, not trained.
    pub frozen: usize,
    /// From the checkpoint, trained further.
    pub loaded: usize,
    /// Not in any checkpoint, trained from their start.
    pub new: usize,
}

impl Count {
    pub fn total(self) -> usize {
        self.frozen + self.loaded + self.new
    }

    pub fn trained(self) -> usize {
        self.loaded + self.new
    }
}

impl std::ops::Add for Count {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self {
            frozen: self.frozen + other.frozen,
            loaded: self.loaded + other.loaded,
            new: self.new + other.new,
        }
    }
}

impl std::iter::Sum for Count {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), std::ops::Add::add)
    }
}

/// The kinds of part that a report lists, in the order of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Component {
    TaskEmbedding,
    Embeddings,
    Alignment,
    Layers,
    Attention,
    Norm,
    Bottleneck,
    Pooler,
    Heads,
}

/// Every part with its count.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ParameterCount {
    /// (component, layer where it lies in one, count)
    pub parts: Vec<(Component, Option<usize>, Count)>,
    /// The plain pretrained backbone: embeddings, layers and pooler, without modules and heads.
    pub backbone: usize,
}

impl ParameterCount {
    pub fn of(program: &Program) -> Self {
        let backbone = &program.backbone;
        let hidden = backbone.hidden;
        let scratch = matches!(backbone.origin, Origin::Scratch { .. });
        let owned = |weights: Weights, n: usize| match (scratch, weights) {
            (true, _) => Count { new: n, ..Count::default() },
            (false, Weights::Frozen) => Count { frozen: n, ..Count::default() },
            (false, Weights::Trained) => Count { loaded: n, ..Count::default() },
        };
        let new = |n: usize| Count { new: n, ..Count::default() };

        let tables = (backbone.vocab + backbone.positions + backbone.token_types) * hidden + 2 * hidden;
        let layer = 4 * linear(hidden, hidden)
            + linear(hidden, backbone.ffn)
            + linear(backbone.ffn, hidden)
            + 2 * 2 * hidden;
        let pooler = linear(hidden, hidden);

        let mut parts = Vec::new();
        if program.is_conditional() {
            parts.push((Component::TaskEmbedding, None, new(program.tasks.len() * hidden)));
        }
        parts.push((Component::Embeddings, None, owned(program.embeddings.weights, tables)));
        if program.embeddings.alignment {
            parts.push((Component::Alignment, None, new(film(hidden, hidden))));
        }
        for (i, Layer { weights, attention, norm, bottleneck: inner, .. }) in
            program.layers.iter().enumerate()
        {
            parts.push((Component::Layers, Some(i), owned(*weights, layer)));
            if let Some(blocks) = attention {
                parts.push((Component::Attention, Some(i), new(attention_bias(*blocks, hidden))));
            }
            if *norm {
                parts.push((Component::Norm, Some(i), new(2 * film(hidden, hidden))));
            }
            if let Some(width) = inner {
                parts.push((Component::Bottleneck, Some(i), new(bottleneck(*width, hidden))));
            }
        }
        if let Some(ladder) = &program.ladder {
            for i in ladder.layers.clone() {
                parts.push((Component::Bottleneck, Some(i), new(bottleneck(ladder.width, hidden))));
            }
        }
        parts.push((Component::Pooler, None, owned(program.pooler.weights, pooler)));
        let heads = program.tasks.iter().map(|task| linear(hidden, task.kind.outputs())).sum();
        parts.push((Component::Heads, None, new(heads)));

        Self { parts, backbone: tables + backbone.layers * layer + pooler }
    }

    pub fn sum(&self) -> Count {
        self.parts.iter().map(|part| part.2).sum()
    }

    pub fn component(&self, component: Component) -> Count {
        self.parts.iter().filter(|part| part.0 == component).map(|part| part.2).sum()
    }

    /// All parameters over the plain backbone's.
    pub fn ratio(&self) -> f64 {
        self.sum().total() as f64 / self.backbone as f64
    }
}

/// Weight and bias.
fn linear(inputs: usize, outputs: usize) -> usize {
    inputs * outputs + outputs
}

/// Generator of gamma and beta: one linear map of z each.
fn film(hidden: usize, width: usize) -> usize {
    2 * linear(hidden, width)
}

/// The blocks A_n, and gamma(z), beta(z) of a block's size, shared by the blocks.
fn attention_bias(blocks: Blocks, hidden: usize) -> usize {
    blocks.entries() + film(hidden, blocks.block * blocks.block)
}

/// FiLM on the input, down, up.
fn bottleneck(width: Width, hidden: usize) -> usize {
    film(hidden, hidden) + linear(hidden, width.0) + linear(width.0, hidden)
}

//! How many parameters each part of a [`Program`] has: sums over the list of [`parameters()`].

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::{Fate, Program, parameters};

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
    /// `n` parameters of one fate.
    pub fn of(fate: Fate, n: usize) -> Self {
        let none = Self::default();
        match fate {
            Fate::Frozen => Self { frozen: n, ..none },
            Fate::Loaded => Self { loaded: n, ..none },
            Fate::New => Self { new: n, ..none },
        }
    }

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

impl Component {
    /// In the order of the network.
    pub const ALL: [Self; 9] = [
        Self::TaskEmbedding,
        Self::Embeddings,
        Self::Alignment,
        Self::Layers,
        Self::Attention,
        Self::Norm,
        Self::Bottleneck,
        Self::Pooler,
        Self::Heads,
    ];

    /// Is it of the backbone?
    pub fn is_pretrained(self) -> bool {
        matches!(self, Self::Embeddings | Self::Layers | Self::Pooler)
    }
}

impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::TaskEmbedding => "task embedding",
            Self::Embeddings => "embeddings",
            Self::Alignment => "conditional alignment",
            Self::Layers => "layers",
            Self::Attention => "conditional attention",
            Self::Norm => "conditional norm",
            Self::Bottleneck => "conditional bottleneck",
            Self::Pooler => "pooler",
            Self::Heads => "heads",
        })
    }
}

/// Every part with its count.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ParameterCount {
    /// (component, layer where it lies in one, count), in the order of [`Component::ALL`], then of the layers.
    pub parts: Vec<(Component, Option<usize>, Count)>,
    /// The plain pretrained backbone: embeddings, layers and pooler, without modules and heads.
    pub backbone: usize,
}

impl ParameterCount {
    pub fn of(program: &Program) -> Self {
        let mut parts: BTreeMap<(Component, Option<usize>), Count> = BTreeMap::new();
        let mut backbone = 0;
        for parameter in parameters(program) {
            let part = parts.entry((parameter.component, parameter.layer)).or_default();
            *part = *part + Count::of(parameter.fate, parameter.size());
            if parameter.component.is_pretrained() {
                backbone += parameter.size();
            }
        }
        let parts = parts.into_iter().map(|((component, layer), count)| (component, layer, count)).collect();
        Self { parts, backbone }
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

//! What a `.cam` file means: [`Program`], resolved and checked, with no syntax left in it.
//!
//! Made by `analysis::lower_program`, from a file without mistakes, so later stages cannot fail on it: a `Program`
//! in which, say, the heads do not divide the hidden size does not exist. Deliberately absent: spans, comments,
//! and every default that was not written (all are filled in here).

pub mod cost;
mod count;
mod parameters;
mod task;
mod training;

use std::fmt;
use std::ops::Range;

use serde::Serialize;

pub use count::{Component, Count, ParameterCount};
pub use parameters::{Fate, ParameterSpec, parameters};
pub use task::{Columns, Files, Format, Kind, Metric, Source, Task, Uncertainty};
pub use training::{AdamW, Batch, Sampler, Schedule, Training, Warmup};

/// One model: a shared network, its conditional modules, its tasks and how it is trained.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Program {
    /// A Rust-safe identifier in snake case.
    pub name: String,
    /// The variant that this is, by a Rust-safe identifier; `None` for the model itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// The sentences of the comment above `model`, if any; goes into the generated crate's doc.
    pub summary: Option<String>,
    pub backbone: Backbone,
    pub fidelity: Fidelity,
    /// Longest input in word pieces; L in the equations.
    pub sequence: usize,
    /// In the order of the file; a task's index is the row of its embedding z.
    pub tasks: Vec<Task>,
    pub embeddings: Embeddings,
    /// One for each layer of the backbone, in order.
    pub layers: Vec<Layer>,
    /// `attach bottleneck across layers a..b`: f_i = bottleneck_i(h_i + f_{i-1}), f is the encoder's output.
    pub ladder: Option<Ladder>,
    pub pooler: Pooler,
    pub training: Training,
}

/// The pretrained encoder that all tasks share.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Backbone {
    pub family: Family,
    pub origin: Origin,
    pub layers: usize,
    pub hidden: usize,
    pub heads: usize,
    pub ffn: usize,
    pub vocab: usize,
    pub positions: usize,
    /// Rows of the token type embedding: 2 for BERT.
    pub token_types: usize,
}

/// Which network the backbone is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    #[default]
    Bert,
    /// BERT's layers, with positions from 2, no token types, and a byte-level vocabulary. Its checkpoints have no
    /// pooler: the model's is new.
    Roberta,
}

impl Family {
    /// As the language calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bert => "bert",
            Self::Roberta => "roberta",
        }
    }
}

/// Where the backbone's weights come from.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A Hugging Face directory or hub id; its tokenizer comes with it.
    Checkpoint(String),
    /// Random weights; the vocabulary is a `vocab.txt` or `tokenizer.json`, or a folder with `vocab.json` and
    /// `merges.txt`, relative to the data folder.
    Scratch { tokenizer: String },
}

/// Whose formulas are computed where the paper and the authors' code differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fidelity {
    /// Those of the paper.
    #[default]
    Paper,
    /// Those of the code that the authors published.
    Reference,
}

/// What happens to the weights of one part of the backbone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Weights {
    Frozen,
    Trained,
}

/// How gradients meet one part, by the freezing analysis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Flow {
    /// Nothing trained in it or before it: runs without tape and dropout, may be cached.
    Constant,
    /// Its own weights are frozen and it has no module, but something before it is trained: gradients pass through.
    Passed,
    /// Something in it is trained: its weights, or a module attached to it.
    Trained,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Embeddings {
    pub weights: Weights,
    /// Of the embedding tables themselves; alignment, which follows them, is always trained.
    pub flow: Flow,
    /// Conditional alignment on the output, before the first layer.
    pub alignment: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Layer {
    pub weights: Weights,
    pub flow: Flow,
    /// Conditional attention: the block-diagonal task bias M(z).
    pub attention: Option<Blocks>,
    /// Conditional layer normalization, on both norms of the layer.
    pub norm: bool,
    /// Conditional bottleneck inside the layer, before its last norm.
    pub bottleneck: Option<Width>,
}

/// M(z) is block-diagonal: `blocks` blocks of `block` x `block`, the last one `last` x `last`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Blocks {
    pub blocks: usize,
    pub block: usize,
    pub last: usize,
}

impl Blocks {
    /// N blocks over a sequence of L: ceil(L/N) each, the rest in the last. `None` where a block would be empty.
    pub fn new(sequence: usize, blocks: usize) -> Option<Self> {
        if blocks == 0 || blocks > sequence {
            return None;
        }
        let block = sequence.div_ceil(blocks);
        let last = sequence.checked_sub(block * (blocks - 1)).filter(|&last| last > 0)?;
        Some(Self { blocks, block, last })
    }

    /// Entries of gamma(z), and of beta(z): one an entry of a block, in the authors' code one a column.
    pub fn generated(self, fidelity: Fidelity) -> usize {
        match fidelity {
            Fidelity::Paper => self.block * self.block,
            Fidelity::Reference => self.block,
        }
    }

    /// Trained entries of all A_n together.
    pub fn entries(self) -> usize {
        (self.blocks - 1) * self.block * self.block + self.last * self.last
    }
}

/// Inner width of a bottleneck.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Width(pub usize);

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ladder {
    pub layers: Range<usize>,
    pub width: Width,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pooler {
    pub weights: Weights,
    pub flow: Flow,
}

impl fmt::Display for Blocks {
    /// "6 blocks of 22, the last 18".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { blocks, block, last } = self;
        write!(f, "{blocks} blocks of {block}")?;
        if last == block { Ok(()) } else { write!(f, ", the last {last}") }
    }
}

impl Program {
    /// `camtl_base`, or `camtl_base.baseline` for a variant: as reports name it.
    pub fn full_name(&self) -> String {
        match &self.variant {
            Some(variant) => format!("{}.{variant}", self.name),
            None => self.name.clone(),
        }
    }

    /// How many of the lowest layers are constant (the embeddings included, where this is above 0).
    pub fn constant_layers(&self) -> usize {
        self.layers.iter().take_while(|layer| layer.flow == Flow::Constant).count()
    }

    /// How many of the lowest layers run without a tape: the constant ones, up to where a ladder reads each layer's
    /// output.
    pub fn constant_part(&self) -> usize {
        let constant = self.constant_layers();
        self.ladder.as_ref().map_or(constant, |ladder| constant.min(ladder.layers.start))
    }

    /// The same with another batch; where there are as many candidates as the batch has examples, which is the
    /// default, these change with it.
    pub fn with_batch(&self, batch: Batch) -> Self {
        let mut program = self.clone();
        if let Sampler::MtUncertainty { candidates, .. } = &mut program.training.sampler
            && let Batch::Examples(count) = batch
            && program.training.batch == Batch::Examples(*candidates)
        {
            *candidates = count;
        }
        program.training.batch = batch;
        program
    }

    /// Do the layers see a linear map of z instead of z, as the authors' code has it?
    pub fn transforms_task(&self) -> bool {
        self.fidelity == Fidelity::Reference && self.has_conditional_layers()
    }

    /// Does any module need the task embedding z?
    pub fn is_conditional(&self) -> bool {
        self.embeddings.alignment || self.has_conditional_layers()
    }

    fn has_conditional_layers(&self) -> bool {
        self.ladder.is_some()
            || self.layers.iter().any(|l| l.attention.is_some() || l.norm || l.bottleneck.is_some())
    }
}

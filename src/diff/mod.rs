//! How two [`Program`]s differ: what they say, what they cost, and what of a checkpoint of one fits the other.
//!
//! | file | holds |
//! |---|---|
//! | `describe` | a program as a list of facts, each in the language's words |
//! | `changes` | the facts that two lists don't share |
//! | `checkpoint` | parameters by name and shape |
//! | `text`, `json` | the printers |

mod changes;
mod checkpoint;
mod describe;
mod json;
mod text;

use serde::Serialize;

use crate::ir::Program;
use crate::ir::cost::{Cost, Load};

pub use changes::Change;
pub use checkpoint::{Fit, FitGroup, Status};
pub use describe::Section;

/// One of the two models.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    /// How the report calls it: its name, or where both have the same, its file or variant.
    pub name: &'a str,
    pub program: &'a Program,
    /// The step that its costs are given for.
    pub load: Load,
}

/// What two models don't share.
#[derive(Clone, Debug, PartialEq)]
pub struct Diff {
    pub from: String,
    pub to: String,
    pub loads: [Load; 2],
    /// In the order of the language; empty for equal models.
    pub changes: Vec<Change>,
    /// Every figure, also where it is the same.
    pub figures: Vec<Figure>,
    /// What would become of a checkpoint of `from` in `to`.
    pub checkpoint: Fit,
}

/// A figure of both.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Figure {
    pub what: &'static str,
    pub unit: Unit,
    pub from: u64,
    pub to: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    Parameters,
    /// Floating-point operations of matrix products.
    Flop,
    Bytes,
}

impl Diff {
    pub fn of(from: Side, to: Side) -> Self {
        Self {
            from: from.name.to_owned(),
            to: to.name.to_owned(),
            loads: [from.load, to.load],
            changes: changes::changes(from.program, to.program),
            figures: figures(from, to),
            checkpoint: Fit::of(from.program, to.program),
        }
    }

    /// Do both describe the same network, tasks and training?
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// For a terminal.
    pub fn text(&self) -> String {
        text::render(self)
    }

    /// For other programs.
    pub fn json(&self) -> String {
        json::render(self)
    }
}

fn figures(from: Side, to: Side) -> Vec<Figure> {
    let of = |side: Side| {
        let Cost { parameters, flops, memory, .. } = Cost::of(side.program, side.load);
        [
            ("parameters", Unit::Parameters, parameters.sum().total() as u64),
            ("trained", Unit::Parameters, parameters.sum().trained() as u64),
            ("forward", Unit::Flop, flops.forward.total()),
            ("step", Unit::Flop, flops.step.total()),
            ("scoring", Unit::Flop, flops.scoring.total()),
            ("weights", Unit::Bytes, memory.weights.total()),
            ("gradients", Unit::Bytes, memory.gradients.total()),
            ("optimizer", Unit::Bytes, memory.optimizer.total()),
            ("activations", Unit::Bytes, memory.activations.total()),
            ("peak", Unit::Bytes, memory.peak()),
        ]
    };
    let figure = |((what, unit, from), (_, _, to))| Figure { what, unit, from, to };
    of(from).into_iter().zip(of(to)).map(figure).collect()
}

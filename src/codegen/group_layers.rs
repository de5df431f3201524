//! Pass: runs of equal layers, each with the name of its field and of its type.
//!
//! A run becomes one array of the encoder, so it ends where the layer changes, where the constant part ends, and
//! at the bounds of the ladder. Equal layers share one named type, also when their runs are not neighbours.

use std::ops::Range;

use crate::ir::{Blocks, Layer, Program, Weights, Width};

/// The layers of a program, grouped; in order.
pub struct Groups {
    pub types: Vec<LayerType>,
    pub runs: Vec<Run>,
}

/// One named type.
pub struct LayerType {
    pub name: String,
    pub shape: Shape,
    /// The runs that have it.
    pub layers: Vec<Range<usize>>,
    /// Is every layer of it in the constant part?
    pub constant: bool,
}

/// Consecutive layers of one type that run one after the other: an array field of the encoder.
pub struct Run {
    pub field: String,
    pub type_name: String,
    pub layers: Range<usize>,
    pub place: Place,
}

/// Where a layer is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In `constant`: once an example, without a tape.
    Constant,
    /// In `encode`.
    Conditioned,
    /// In `encode`, each layer followed by its step of the ladder.
    Ladder,
}

/// What tells the type of one layer from another's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    pub weights: Weights,
    pub attention: Option<Blocks>,
    pub norm: bool,
    pub bottleneck: Option<Width>,
}

impl Shape {
    fn of(layer: &Layer) -> Self {
        let Layer { weights, flow: _, attention, norm, bottleneck } = *layer;
        Self { weights, attention, norm, bottleneck }
    }

    /// A name from what the layer has: `TrainedAttention6NormLayer`.
    fn descriptive_name(self) -> String {
        let mut name = String::from(match self.weights {
            Weights::Frozen => "Frozen",
            Weights::Trained => "Trained",
        });
        if let Some(blocks) = self.attention {
            name += &format!("Attention{}", blocks.blocks);
        }
        if self.norm {
            name += "Norm";
        }
        if let Some(Width(width)) = self.bottleneck {
            name += &format!("Bottleneck{width}");
        }
        name + "Layer"
    }
}

pub fn group_layers(program: &Program) -> Groups {
    let runs = find_runs(program);

    let mut shapes: Vec<Shape> = Vec::new();
    for (_, shape, _) in &runs {
        if !shapes.contains(shape) {
            shapes.push(*shape);
        }
    }
    let positional: Option<(&[&str], &[&str])> = match runs.len() {
        1 => Some((&["layers"], &["Layer"])),
        2 => Some((&["lower", "upper"], &["LowerLayer", "UpperLayer"])),
        3 => Some((&["lower", "upper", "top"], &["LowerLayer", "UpperLayer", "TopLayer"])),
        _ => None,
    };
    let field = |index: usize, layers: &Range<usize>| match positional {
        Some((fields, _)) => fields[index].to_owned(),
        None => format!("layers_{}_{}", layers.start, layers.end),
    };
    // "Lower" would mislead as the name of a type that a higher run has too.
    let type_name = |shape: &Shape| {
        let index = runs.iter().position(|run| run.1 == *shape).expect("every shape is of some run");
        match positional {
            Some((_, names)) if shapes.len() == runs.len() => names[index].to_owned(),
            _ => shape.descriptive_name(),
        }
    };

    let types = shapes.iter().map(|shape| {
        let having = || runs.iter().filter(|run| run.1 == *shape);
        LayerType {
            name: type_name(shape),
            shape: *shape,
            layers: having().map(|run| run.0.clone()).collect(),
            constant: having().all(|run| run.2 == Place::Constant),
        }
    });
    let named_runs = runs.iter().enumerate().map(|(index, (layers, shape, place))| Run {
        field: field(index, layers),
        type_name: type_name(shape),
        layers: layers.clone(),
        place: *place,
    });
    Groups { types: types.collect(), runs: named_runs.collect() }
}

fn find_runs(program: &Program) -> Vec<(Range<usize>, Shape, Place)> {
    let constant = program.constant_part();
    let place = |index: usize| match &program.ladder {
        _ if index < constant => Place::Constant,
        Some(ladder) if ladder.layers.contains(&index) => Place::Ladder,
        _ => Place::Conditioned,
    };

    let mut runs: Vec<(Range<usize>, Shape, Place)> = Vec::new();
    for (index, layer) in program.layers.iter().enumerate() {
        let (shape, place) = (Shape::of(layer), place(index));
        match runs.last_mut() {
            Some((layers, before, there)) if *before == shape && *there == place => layers.end = index + 1,
            _ => runs.push((index..index + 1, shape, place)),
        }
    }
    runs
}

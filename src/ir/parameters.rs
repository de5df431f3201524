//! The parameters of the network that a [`Program`] describes, one by one: names, shapes, and what becomes of them.
//!
//! The built network has the same list in the same order (its `parameters` command prints it), and its checkpoints
//! have these keys. Every count of parameters is a sum over it.

use serde::Serialize;

use super::{Backbone, Blocks, Component, Family, Fidelity, Layer, Origin, Program, Weights, Width};

/// One tensor of the network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ParameterSpec {
    /// Its key in a checkpoint; the backbone's are Hugging Face's, without the `bert.` prefix.
    pub name: String,
    /// Sizes of its axes.
    pub shape: Vec<usize>,
    pub fate: Fate,
    pub component: Component,
    /// The layer that it lies in, or that its step of the ladder stands beside.
    pub layer: Option<usize>,
}

impl ParameterSpec {
    /// How many numbers it holds.
    pub fn size(&self) -> usize {
        self.shape.iter().product()
    }
}

/// What becomes of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// From the checkpoint, not trained.
    Frozen,
    /// From the checkpoint, trained further.
    Loaded,
    /// Not in any checkpoint, trained from its start.
    New,
}

impl Fate {
    pub fn is_trained(self) -> bool {
        self != Self::Frozen
    }
}

/// Every parameter, in the order of the built network.
pub fn parameters(program: &Program) -> Vec<ParameterSpec> {
    let Backbone { hidden, vocab, positions, token_types, .. } = program.backbone;
    let Program { backbone, fidelity, sequence, .. } = program;
    let mut list = List { all: Vec::new(), backbone, fidelity: *fidelity, sequence: *sequence };

    if program.is_conditional() {
        let part = Part::new(Component::TaskEmbedding);
        list.tensor(part, "task_embedding.weight".to_owned(), &[program.tasks.len(), hidden]);
    }
    if program.transforms_task() {
        list.linear(Part::new(Component::TaskEmbedding), "task_transformation", [hidden, hidden]);
    }
    let part = list.pretrained(Component::Embeddings, program.embeddings.weights);
    for (table, rows) in [("word", vocab), ("position", positions), ("token_type", token_types)] {
        list.tensor(part, format!("embeddings.{table}_embeddings.weight"), &[rows, hidden]);
    }
    list.norm(part, "embeddings.LayerNorm");
    if program.embeddings.alignment {
        list.film(Part::new(Component::Alignment), "alignment", hidden);
    }
    for (index, layer) in program.layers.iter().enumerate() {
        list.layer(index, layer);
    }
    if let Some(ladder) = &program.ladder {
        for index in ladder.layers.clone() {
            let part = Part::new(Component::Bottleneck).of_layer(index);
            list.bottleneck(part, &format!("ladder.{index}"), ladder.width);
        }
    }
    let part = match program.backbone.family {
        Family::Bert => list.pretrained(Component::Pooler, program.pooler.weights),
        Family::Roberta => Part::new(Component::Pooler),
    };
    list.linear(part, "pooler.dense", [hidden, hidden]);
    for task in &program.tasks {
        let part = Part::new(Component::Heads);
        list.linear(part, &format!("heads.{}", task.name), [hidden, task.kind.outputs()]);
    }
    list.all
}

struct List<'a> {
    all: Vec<ParameterSpec>,
    backbone: &'a Backbone,
    fidelity: Fidelity,
    sequence: usize,
}

/// What the parameters of one part have in common.
#[derive(Clone, Copy)]
struct Part {
    component: Component,
    layer: Option<usize>,
    fate: Fate,
}

impl Part {
    fn new(component: Component) -> Self {
        Self { component, layer: None, fate: Fate::New }
    }

    fn of_layer(self, index: usize) -> Self {
        Self { layer: Some(index), ..self }
    }
}

impl List<'_> {
    /// A part of the backbone.
    fn pretrained(&self, component: Component, weights: Weights) -> Part {
        let fate = match (&self.backbone.origin, weights) {
            (Origin::Scratch { .. }, _) => Fate::New,
            (Origin::Checkpoint(_), Weights::Frozen) => Fate::Frozen,
            (Origin::Checkpoint(_), Weights::Trained) => Fate::Loaded,
        };
        Part { component, layer: None, fate }
    }

    fn layer(&mut self, index: usize, layer: &Layer) {
        let Backbone { hidden, ffn, .. } = *self.backbone;
        let own = self.pretrained(Component::Layers, layer.weights).of_layer(index);
        let module = |component| Part::new(component).of_layer(index);
        let at = |name: &str| format!("encoder.layer.{index}.{name}");

        for name in ["attention.self.query", "attention.self.key", "attention.self.value"] {
            self.linear(own, &at(name), [hidden, hidden]);
        }
        if let Some(blocks) = layer.attention {
            self.attention_bias(module(Component::Attention), &at("attention.bias"), blocks);
        }
        self.linear(own, &at("attention.output.dense"), [hidden, hidden]);
        self.layer_norm(own, &at("attention.output.LayerNorm"), layer.norm);
        self.linear(own, &at("intermediate.dense"), [hidden, ffn]);
        self.linear(own, &at("output.dense"), [ffn, hidden]);
        if let Some(width) = layer.bottleneck {
            let part = module(Component::Bottleneck);
            self.bottleneck(part, &at("bottleneck"), width);
            if self.fidelity == Fidelity::Reference {
                self.norm(part, &at("bottleneck.norm"));
                self.film(part, &at("bottleneck.norm.film"), hidden);
            }
        }
        self.layer_norm(own, &at("output.LayerNorm"), layer.norm);
    }

    /// The norm of a layer, and its generators where it is conditional.
    fn layer_norm(&mut self, own: Part, name: &str, conditional: bool) {
        self.norm(own, name);
        if conditional {
            let module = Part { component: Component::Norm, fate: Fate::New, ..own };
            self.film(module, &format!("{name}.film"), self.backbone.hidden);
        }
    }

    /// The blocks A_n, and gamma(z), beta(z) of a block's size, shared by the blocks; in the authors' code the rows of
    /// all blocks, gamma(z) and beta(z) of a block's columns.
    fn attention_bias(&mut self, part: Part, name: &str, blocks: Blocks) {
        match self.fidelity {
            Fidelity::Paper => self.tensor(part, format!("{name}.blocks"), &[blocks.entries()]),
            Fidelity::Reference => {
                self.tensor(part, format!("{name}.rows"), &[self.sequence, blocks.block]);
            }
        }
        self.film(part, name, blocks.generated(self.fidelity));
    }

    /// FiLM on the input, down, up; in the authors' code one more linear map of z.
    fn bottleneck(&mut self, part: Part, name: &str, Width(width): Width) {
        let hidden = self.backbone.hidden;
        if self.fidelity == Fidelity::Reference {
            self.linear(part, &format!("{name}.condition"), [hidden, hidden]);
        }
        self.film(part, &format!("{name}.film"), hidden);
        self.linear(part, &format!("{name}.down"), [hidden, width]);
        self.linear(part, &format!("{name}.up"), [width, hidden]);
    }

    /// The generators of gamma and beta: one linear map of z each.
    fn film(&mut self, part: Part, name: &str, width: usize) {
        let hidden = self.backbone.hidden;
        self.linear(part, &format!("{name}.gamma"), [hidden, width]);
        self.linear(part, &format!("{name}.beta"), [hidden, width]);
    }

    fn linear(&mut self, part: Part, name: &str, [inputs, outputs]: [usize; 2]) {
        self.tensor(part, format!("{name}.weight"), &[outputs, inputs]);
        self.tensor(part, format!("{name}.bias"), &[outputs]);
    }

    fn norm(&mut self, part: Part, name: &str) {
        self.tensor(part, format!("{name}.weight"), &[self.backbone.hidden]);
        self.tensor(part, format!("{name}.bias"), &[self.backbone.hidden]);
    }

    fn tensor(&mut self, Part { component, layer, fate }: Part, name: String, shape: &[usize]) {
        self.all.push(ParameterSpec { name, shape: shape.to_vec(), fate, component, layer });
    }
}

//! What sharing saves: one model of many tasks against a fine-tuned backbone for each of them.

use serde::Serialize;

use crate::ir::{
    Component, Embeddings, Flow, Layer, ParameterCount, Pooler, Program, Sampler, Uncertainty, Weights,
};

/// Parameters for a number of tasks, over those of the plain backbone.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Sharing {
    pub tasks: usize,
    /// This model, with so many tasks of its mean head.
    pub together: f64,
    /// As many backbones, each with one head.
    pub apart: f64,
}

impl Sharing {
    /// A task adds its head and its row of the task embedding; all else is shared.
    pub fn of(program: &Program, tasks: usize) -> Self {
        let count = ParameterCount::of(program);
        let [z, heads] = [Component::TaskEmbedding, Component::Heads]
            .map(|component| count.component(component).total() as f64);
        let (own, wanted, backbone) = (program.tasks.len() as f64, tasks as f64, count.backbone as f64);
        let shared = count.sum().total() as f64 - z - heads;
        Self {
            tasks,
            together: (shared + (z + heads) / own * wanted) / backbone,
            apart: wanted * (backbone + heads / own) / backbone,
        }
    }
}

/// What the model is measured against: its backbone, all of it trained for its first task alone, with no module.
pub fn fine_tuned(program: &Program) -> Program {
    let mut alone = program.clone();
    let (weights, flow) = (Weights::Trained, Flow::Trained);
    alone.embeddings = Embeddings { weights, flow, alignment: false };
    alone.layers.fill(Layer { weights, flow, attention: None, norm: false, bottleneck: None });
    alone.ladder = None;
    alone.pooler = Pooler { weights, flow };
    alone.tasks.truncate(1);
    // Nothing is scored, and the donor may be gone.
    alone.tasks.iter_mut().for_each(|task| task.uncertainty = Uncertainty::Entropy);
    alone.training.sampler = Sampler::Proportional;
    alone
}

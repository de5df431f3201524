//! What the passes found, put together as an [`ir::Program`].
//!
//! Runs when no pass has reported an error; the `None` that a reported mistake leaves behind is never met
//! then.

use super::{
    check_modules::{Modules, Placed},
    check_shapes::Shape,
    check_tasks, check_training,
    flow_freezing::Freezing,
    index_items::Items,
    summary::summary,
};
use crate::{ir, syntax::ast};

/// The results of the passes, each with what it left unknown.
pub struct Findings<'a> {
    pub variant: Option<&'a ast::Variant>,
    pub items: Items<'a>,
    pub fidelity: Option<ir::Fidelity>,
    pub shape: Shape,
    pub modules: Modules,
    pub tasks: Vec<check_tasks::Checked<'a>>,
    pub training: check_training::Checked,
    pub uncertainty: Vec<Option<ir::Uncertainty>>,
    pub freezing: Freezing,
}

pub fn lower_program(file: &ast::File, text: &str, findings: Findings) -> Option<ir::Program> {
    let Findings { variant, items, fidelity, shape, modules, tasks, training, uncertainty, freezing } =
        findings;
    let model = items.model?;
    let layers = freezing
        .layers
        .iter()
        .enumerate()
        .map(|(i, &(weights, flow))| ir::Layer {
            weights,
            flow,
            attention: setting_of(&modules.attention, i),
            norm: setting_of(&modules.norm, i).is_some(),
            bottleneck: setting_of(&modules.bottleneck, i),
        })
        .collect();
    let ladder = match modules.ladder {
        Some(ladder) => Some(ir::Ladder { layers: ladder.layers, width: ladder.setting? }),
        None => None,
    };
    let (weights, flow) = freezing.embeddings;
    let embeddings = ir::Embeddings { weights, flow, alignment: modules.alignment.is_some() };
    let (weights, flow) = freezing.pooler;
    Some(ir::Program {
        name: model.name.text.clone(),
        variant: variant.map(|variant| variant.name.text.clone()),
        summary: summary(&file.comments, model, text),
        fidelity: fidelity?,
        sequence: shape.sequence?.value,
        backbone: lower_backbone(shape)?,
        tasks: tasks
            .into_iter()
            .zip(uncertainty)
            .map(|(task, uncertainty)| lower_task(task, uncertainty?))
            .collect::<Option<_>>()?,
        embeddings,
        layers,
        ladder,
        pooler: ir::Pooler { weights, flow },
        training: training.training?,
    })
}

fn lower_backbone(shape: Shape) -> Option<ir::Backbone> {
    Some(ir::Backbone {
        family: shape.family,
        origin: shape.origin?.value,
        layers: shape.layers?.value,
        hidden: shape.hidden?.value,
        heads: shape.heads?.value,
        ffn: shape.ffn?.value,
        vocab: shape.vocab?.value,
        positions: shape.positions?.value,
        token_types: shape.token_types?,
    })
}

fn lower_task(task: check_tasks::Checked, uncertainty: ir::Uncertainty) -> Option<ir::Task> {
    Some(ir::Task {
        name: task.name.text.clone(),
        kind: task.kind?.value,
        metric: task.metric?,
        data: task.data?.source,
        weight: task.weight?,
        uncertainty,
    })
}

fn setting_of<T: Copy>(placed: &[Placed<T>], layer: usize) -> Option<T> {
    placed.iter().find(|placed| placed.layers.contains(&layer))?.setting
}

//! Everything as one JSON object. Operations are single ones, memory is in bytes.

use serde::Serialize;
use serde_json::{Value, json};

use super::Stats;
use crate::ir::cost::{Flops, Memory};
use crate::ir::{Component, Count};

pub fn render(stats: &Stats) -> String {
    let (cost, memory) = (&stats.cost, &stats.cost.memory);
    let components: Vec<Row> = stats
        .components
        .iter()
        .map(|&(component, count)| Row {
            component,
            count: count.into(),
            flops: flops(&cost.flops, Some(component)),
            memory: held(memory, Some(component)),
        })
        .collect();
    let mut all = held(memory, None);
    for (key, bytes) in [("step", memory.step), ("scoring", memory.scoring), ("peak", memory.peak())] {
        all[key] = bytes.into();
    }
    let value = json!({
        "model": stats.name,
        "parameters": Figures::from(stats.parameters),
        "backbone": cost.parameters.backbone,
        "ratio": cost.parameters.ratio(),
        "load": cost.load,
        "flops": flops(&cost.flops, None),
        "memory": all,
        "components": components,
        "sharing": stats.sharing,
    });
    format!("{value:#}\n")
}

/// Of a component, or of all.
fn flops(flops: &Flops, component: Option<Component>) -> Value {
    let [forward, step, scoring] = [&flops.forward, &flops.step, &flops.scoring]
        .map(|figures| component.map_or_else(|| figures.total(), |component| figures.of(component)));
    json!({ "forward": forward, "step": step, "scoring": scoring })
}

/// Of a component, or of all.
fn held(memory: &Memory, component: Option<Component>) -> Value {
    let [weights, gradients, optimizer, activations] =
        [&memory.weights, &memory.gradients, &memory.optimizer, &memory.activations]
            .map(|figures| component.map_or_else(|| figures.total(), |component| figures.of(component)));
    json!({
        "weights": weights,
        "gradients": gradients,
        "optimizer": optimizer,
        "activations": activations,
    })
}

#[derive(Serialize)]
struct Row {
    component: Component,
    #[serde(flatten)]
    count: Figures,
    flops: Value,
    memory: Value,
}

/// A [`Count`] with its sums.
#[derive(Serialize)]
struct Figures {
    total: usize,
    trained: usize,
    frozen: usize,
    loaded: usize,
    new: usize,
}

impl From<Count> for Figures {
    fn from(count: Count) -> Self {
        let Count { frozen, loaded, new } = count;
        Self { total: count.total(), trained: count.trained(), frozen, loaded, new }
    }
}

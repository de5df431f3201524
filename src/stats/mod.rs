//! The figures of a [`Program`]: parameters, operations and memory, part by part; as tables or as JSON.

mod json;
mod text;

use crate::ir::cost::{Cost, Load, Sharing};
use crate::ir::{Component, Count, Program};

/// Numbers of tasks for which sharing is shown, besides the model's own: one, and the paper's eight (GLUE) and 24.
const TASKS: [usize; 3] = [1, 8, 24];

/// The figures of one model.
#[derive(Clone, Debug, PartialEq)]
pub struct Stats {
    pub name: String,
    pub parameters: Count,
    /// The components that this model has, in the order of the network.
    pub components: Vec<(Component, Count)>,
    /// What a step of `cost.load` costs.
    pub cost: Cost,
    /// For one task, for the model's number of tasks, and for others; ascending.
    pub sharing: Vec<Sharing>,
}

impl Stats {
    /// `load` is the step that operations and memory are given for.
    pub fn of(program: &Program, load: Load) -> Self {
        let cost = Cost::of(program, load);
        let components = Component::ALL
            .into_iter()
            .map(|component| (component, cost.parameters.component(component)))
            .filter(|(_, count)| count.total() > 0)
            .collect();
        let mut tasks: Vec<usize> = TASKS.into_iter().chain([program.tasks.len()]).collect();
        tasks.sort_unstable();
        tasks.dedup();
        Self {
            name: program.full_name(),
            parameters: cost.parameters.sum(),
            components,
            sharing: tasks.into_iter().map(|tasks| Sharing::of(program, tasks)).collect(),
            cost,
        }
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

//! Parameters of a [`Program`]: how many, of which part, and what becomes of them; as a table or as JSON.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::json;

use crate::ir::{Component, Count, ParameterCount, Program};

/// The figures of one model.
#[derive(Clone, Debug, PartialEq)]
pub struct Stats {
    pub name: String,
    pub parameters: Count,
    /// The plain pretrained backbone's parameters: what a model of one task has, but for its head.
    pub backbone: usize,
    /// All parameters over the backbone's.
    pub ratio: f64,
    /// The components that this model has, in the order of the network.
    pub components: Vec<(Component, Count)>,
}

const COMPONENTS: [Component; 9] = [
    Component::TaskEmbedding,
    Component::Embeddings,
    Component::Alignment,
    Component::Layers,
    Component::Attention,
    Component::Norm,
    Component::Bottleneck,
    Component::Pooler,
    Component::Heads,
];

impl Stats {
    pub fn of(program: &Program) -> Self {
        let count = ParameterCount::of(program);
        let components = COMPONENTS
            .into_iter()
            .map(|component| (component, count.component(component)))
            .filter(|(_, count)| count.total() > 0);
        Self {
            name: program.full_name(),
            parameters: count.sum(),
            backbone: count.backbone,
            ratio: count.ratio(),
            components: components.collect(),
        }
    }

    /// For a terminal.
    pub fn text(&self) -> String {
        let total = self.parameters.total();
        let share = 100.0 * self.parameters.trained() as f64 / total as f64;
        let mut text = format!(
            "{}: {} parameters, {:.2} x the backbone's {}; {} are trained ({share:.1}%)\n\n",
            self.name,
            thousands(total),
            self.ratio,
            thousands(self.backbone),
            thousands(self.parameters.trained()),
        );
        let mut row = |cells: [&str; 5]| {
            let [name, numbers @ ..] = cells;
            let numbers: String = numbers.iter().map(|number| format!("{number:>14}")).collect();
            writeln!(text, "{name:<24}{numbers}").expect("strings grow");
        };
        row(["component", "frozen", "loaded", "new", "total"]);
        let all = [("total".to_owned(), self.parameters)];
        let components = self.components.iter().map(|(component, count)| (label(*component), *count));
        for (name, count) in components.chain(all) {
            let [frozen, loaded, new, total] =
                [count.frozen, count.loaded, count.new, count.total()].map(thousands);
            row([&name, &frozen, &loaded, &new, &total]);
        }
        text += "\nfrozen: from the checkpoint; loaded: from the checkpoint and trained; new: trained from their start\n";
        text
    }

    /// For other programs.
    pub fn json(&self) -> String {
        let components: Vec<Row> = self
            .components
            .iter()
            .map(|&(component, count)| Row { component, count: count.into() })
            .collect();
        let value = json!({
            "model": self.name,
            "parameters": Figures::from(self.parameters),
            "backbone": self.backbone,
            "ratio": self.ratio,
            "components": components,
        });
        format!("{value:#}\n")
    }
}

#[derive(Serialize)]
struct Row {
    component: Component,
    #[serde(flatten)]
    count: Figures,
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

fn label(component: Component) -> String {
    let label = match component {
        Component::TaskEmbedding => "task embedding",
        Component::Embeddings => "embeddings",
        Component::Alignment => "conditional alignment",
        Component::Layers => "layers",
        Component::Attention => "conditional attention",
        Component::Norm => "conditional norm",
        Component::Bottleneck => "conditional bottleneck",
        Component::Pooler => "pooler",
        Component::Heads => "heads",
    };
    label.to_owned()
}

/// 28996000 as "28,996,000".
fn thousands(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::thousands;

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!([0, 999, 1_000, 28_996_000].map(thousands), ["0", "999", "1,000", "28,996,000"]);
    }
}

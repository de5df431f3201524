//! The graph as a table for a terminal, a row a part, the parts of a layer as branches under it.

use super::{Graph, Group, Node, amount, count_label, shape_label, state_label};
use crate::ir::Count;

/// part, shape, state, parameters, why.
type Row = [String; 5];

pub fn render(graph: &Graph) -> String {
    let total: Count = graph.groups.iter().map(Group::parameters).sum();
    let title = format!(
        "{}: {} parameters, {:.2} x the backbone; {} of them trained\n\n",
        graph.name,
        amount(total.total()),
        graph.ratio,
        amount(total.trained()),
    );
    let mut rows = vec![["part", "shape", "state", "parameters", "why"].map(str::to_owned)];
    for group in &graph.groups {
        match group.nodes.as_slice() {
            [alone] if group.label == alone.label => rows.push(part_row("", alone)),
            nodes => {
                rows.push(heading(group));
                let last = nodes.len().saturating_sub(1);
                rows.extend(
                    nodes
                        .iter()
                        .enumerate()
                        .map(|(i, node)| part_row(if i == last { "└ " } else { "├ " }, node)),
                );
            }
        }
    }
    title + &table(&rows)
}

fn heading(group: &Group) -> Row {
    let state = match group.layers {
        Some(_) => state_label(group.state()).to_owned(),
        None => String::new(),
    };
    [group.label.clone(), String::new(), state, count_label(group.parameters()), String::new()]
}

fn part_row(branch: &str, node: &Node) -> Row {
    let detail = node.detail.as_ref().map(|detail| format!(" ({detail})")).unwrap_or_default();
    [
        format!("{branch}{}{detail}", node.label),
        shape_label(&node.shape),
        state_label(node.state).to_owned(),
        count_label(node.parameters),
        node.why.clone(),
    ]
}

/// Columns as wide as their widest cell, two spaces between.
fn table(rows: &[Row]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths = [0, 1, 2, 3, 4].map(width);
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        text += cells.collect::<Vec<_>>().join("  ").trim_end();
        text.push('\n');
    }
    text
}

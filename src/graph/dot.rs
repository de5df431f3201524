//! The graph for Graphviz: a cluster a group, colours for what is constant, passed through and trained.

use std::fmt::Write as _;

use super::{Edge, EdgeKind, Graph, Group, Node, node_label, state_label};
use crate::ir::Flow;

pub fn render(graph: &Graph) -> String {
    let mut text = format!("digraph {} {{\n", quoted(&graph.name));
    text += "    rankdir=BT;\n";
    text += "    node [shape=box, style=\"rounded,filled\", fontname=\"Helvetica\"];\n";
    text += "    edge [fontname=\"Helvetica\"];\n";
    for group in &graph.groups {
        write_group(&mut text, group);
    }
    for edge in &graph.edges {
        write_edge(&mut text, edge);
    }
    text + "}\n"
}

fn write_group(text: &mut String, group: &Group) {
    if let [alone] = group.nodes.as_slice() {
        return write_node(text, "    ", alone);
    }
    let id = quoted(&format!("cluster_{}", group.id));
    let label = quoted(&group.label);
    *text += &format!("    subgraph {id} {{\n        label={label};\n");
    for node in &group.nodes {
        write_node(text, "        ", node);
    }
    *text += "    }\n";
}

fn write_node(text: &mut String, indent: &str, node: &Node) {
    let id = quoted(&node.id);
    let label = quoted(&node_label(node));
    let color = quoted(match node.state {
        Flow::Constant => "#e5e7eb",
        Flow::Passed => "#dbeafe",
        Flow::Trained => "#fed7aa",
    });
    let tooltip = quoted(&format!("{}: {}", state_label(node.state), node.why));
    writeln!(text, "{indent}{id} [label={label}, fillcolor={color}, tooltip={tooltip}];")
        .expect("strings grow");
}

fn write_edge(text: &mut String, edge: &Edge) {
    let style = match edge.kind {
        EdgeKind::Data => "",
        EdgeKind::Residual => " [style=dotted]",
        EdgeKind::Condition => " [style=dashed, label=\"z\"]",
    };
    writeln!(text, "    {} -> {}{style};", quoted(&edge.from), quoted(&edge.to)).expect("strings grow");
}

/// A quoted string of dot, in which a line break is written `\n`.
fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("\"{escaped}\"")
}

//! The graph as a Mermaid flowchart, which GitHub and most Markdown viewers draw.

use std::fmt::Write as _;

use super::{Edge, EdgeKind, Graph, Group, Node, node_label};
use crate::ir::Flow;

const CLASSES: &str = "    \
    classDef constant fill:#e5e7eb,stroke:#6b7280,color:#111827
    classDef passed fill:#dbeafe,stroke:#3b82f6,color:#111827
    classDef trained fill:#fed7aa,stroke:#ea580c,color:#111827
";

pub fn render(graph: &Graph) -> String {
    let mut text = format!("---\ntitle: {}\n---\nflowchart BT\n", quoted(&graph.name));
    for group in &graph.groups {
        write_group(&mut text, group);
    }
    for edge in &graph.edges {
        write_edge(&mut text, edge);
    }
    text + CLASSES
}

fn write_group(text: &mut String, group: &Group) {
    if let [alone] = group.nodes.as_slice() {
        return write_node(text, "    ", alone);
    }
    *text += &format!("    subgraph {}[{}]\n", identifier(&group.id), quoted(&group.label));
    for node in &group.nodes {
        write_node(text, "        ", node);
    }
    *text += "    end\n";
}

fn write_node(text: &mut String, indent: &str, node: &Node) {
    let class = match node.state {
        Flow::Constant => "constant",
        Flow::Passed => "passed",
        Flow::Trained => "trained",
    };
    writeln!(text, "{indent}{}[{}]:::{class}", identifier(&node.id), quoted(&node_label(node)))
        .expect("strings grow");
}

fn write_edge(text: &mut String, edge: &Edge) {
    let arrow = match edge.kind {
        EdgeKind::Data => "-->",
        EdgeKind::Residual => "--o",
        EdgeKind::Condition => "-. z .->",
    };
    writeln!(text, "    {} {arrow} {}", identifier(&edge.from), identifier(&edge.to)).expect("strings grow");
}

/// Letters, digits and underscores only. The prefix keeps a name such as `end` from being a keyword.
fn identifier(id: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    format!("n_{}", id.chars().map(safe).collect::<String>())
}

/// A quoted label: Mermaid's own escapes, and its line break.
fn quoted(text: &str) -> String {
    let mut escaped = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => escaped.push_str("#quot;"),
            '#' => escaped.push_str("#35;"),
            '<' => escaped.push_str("#lt;"),
            '>' => escaped.push_str("#gt;"),
            '&' => escaped.push_str("#amp;"),
            '\n' => escaped.push_str("<br/>"),
            c => escaped.push(c),
        }
    }
    escaped + "\""
}

//! The graph for other programs: flat lists of nodes and edges, every layer on its own.

use serde::Serialize;

use super::{Edge, Graph, Node};

#[derive(Serialize)]
struct Document<'a> {
    model: &'a str,
    nodes: Vec<Entry<'a>>,
    edges: &'a [Edge],
}

#[derive(Serialize)]
struct Entry<'a> {
    /// The group's id: "layer_3".
    group: &'a str,
    #[serde(flatten)]
    node: &'a Node,
}

pub fn render(graph: &Graph) -> String {
    let entries =
        graph.groups.iter().flat_map(|group| group.nodes.iter().map(|node| Entry { group: &group.id, node }));
    let document = Document { model: &graph.name, nodes: entries.collect(), edges: &graph.edges };
    let mut text = serde_json::to_string_pretty(&document).expect("a graph has only string keys");
    text.push('\n');
    text
}

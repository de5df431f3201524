//! The edges between the parts of a graph, from its groups alone, so that a folded graph has them too.

use super::{Dim, Edge, EdgeKind, Group, Kind, Node};

pub fn connect(groups: &[Group]) -> Vec<Edge> {
    let mut wires = Wires::default();
    // The output of the last part, that of the last layer, and f, the ladder's.
    let mut x: Option<&str> = None;
    let mut tokens: Option<&str> = None;
    let mut f: Option<&str> = None;

    for group in groups {
        for node in group.nodes.iter().filter(|node| node.conditional) {
            wires.add("task_embedding", &node.id, EdgeKind::Condition);
        }
        if group.layers.is_some() {
            let below = f.filter(|_| group.find(Kind::LadderStep).is_none()).or(x);
            x = Some(layer(group, below, &mut wires));
            if let Some(step) = group.find(Kind::LadderStep) {
                wires.data(x, &step.id);
                wires.data(f, &step.id);
                f = Some(&step.id);
            } else {
                f = None;
            }
            continue;
        }
        for node in &group.nodes {
            match node.kind {
                Kind::TaskEmbedding => {}
                Kind::Head if reads_tokens(node) => wires.data(tokens, &node.id),
                Kind::Head => wires.data(x, &node.id),
                Kind::Pooler => {
                    tokens = f.or(x);
                    wires.data(tokens, &node.id);
                    x = Some(&node.id);
                }
                _ => {
                    wires.data(x, &node.id);
                    x = Some(&node.id);
                }
            }
        }
    }
    wires.edges
}

/// Does a head read tokens, not what the pooler makes of them?
fn reads_tokens(head: &Node) -> bool {
    matches!(head.shape.first(), Some(Dim::Named("words" | "tokens")))
}

/// Wires one layer onto the output below it; gives the layer's output.
fn layer<'a>(group: &'a Group, below: Option<&str>, wires: &mut Wires) -> &'a str {
    let mut x = below.map(str::to_owned);
    // What the next norm adds to its input.
    let mut residual = x.clone();
    let mut output = group.id.as_str();
    for node in &group.nodes {
        match node.kind {
            Kind::LadderStep => continue,
            Kind::AttentionBias => {
                if let Some(attention) = group.find(Kind::Attention) {
                    wires.add(&node.id, &attention.id, EdgeKind::Data);
                }
                continue;
            }
            _ => wires.data(x.as_deref(), &node.id),
        }
        if matches!(node.kind, Kind::AttentionNorm | Kind::OutputNorm) {
            if let Some(residual) = &residual {
                wires.add(residual, &node.id, EdgeKind::Residual);
            }
            residual = Some(node.id.clone());
        }
        x = Some(node.id.clone());
        output = &node.id;
    }
    output
}

#[derive(Default)]
struct Wires {
    edges: Vec<Edge>,
}

impl Wires {
    fn add(&mut self, from: &str, to: &str, kind: EdgeKind) {
        self.edges.push(Edge { from: from.to_owned(), to: to.to_owned(), kind });
    }

    fn data(&mut self, from: Option<&str>, to: &str) {
        if let Some(from) = from {
            self.add(from, to, EdgeKind::Data);
        }
    }
}

//! Pass: neighbouring layers that differ in nothing but their number become one group, "layers 0..6".

use super::{Graph, Group, Node, connect};

impl Graph {
    /// The same network with runs of equal layers folded; parameters are those of the whole run.
    pub fn folded(&self) -> Self {
        let mut groups: Vec<Group> = Vec::new();
        for group in &self.groups {
            match groups.last_mut() {
                Some(run) if are_equal(run, group) => extend(run, group),
                _ => groups.push(group.clone()),
            }
        }
        for group in &mut groups {
            rename(group);
        }
        let edges = connect::connect(&groups);
        Self { groups, edges, ..self.clone() }
    }
}

fn are_equal(run: &Group, next: &Group) -> bool {
    // What a part is and how gradients meet it; its size follows.
    let looks = |node: &Node| (node.kind, node.detail.clone(), node.state, node.why.clone());
    run.layers.is_some()
        && next.layers.is_some()
        && run.nodes.iter().map(looks).eq(next.nodes.iter().map(looks))
}

fn extend(run: &mut Group, next: &Group) {
    if let (Some(layers), Some(more)) = (&mut run.layers, &next.layers) {
        layers.end = more.end;
    }
    for (node, more) in run.nodes.iter_mut().zip(&next.nodes) {
        node.parameters = node.parameters + more.parameters;
    }
}

fn rename(group: &mut Group) {
    let Some(layers) = group.layers.as_ref().filter(|layers| layers.len() > 1) else { return };
    let id = format!("layers_{}_{}", layers.start, layers.end);
    group.label = format!("layers {}..{}", layers.start, layers.end);
    for node in &mut group.nodes {
        node.id = node.id.replacen(&group.id, &id, 1);
    }
    group.id = id;
}

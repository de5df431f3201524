//! What the spans add up to: a node for each, told apart by the spans around it.

use std::time::{Duration, Instant};

use crate::runner::allocator::Heap;

/// What a span is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    pub name: &'static str,
    /// An operation's half in the backward pass.
    pub backward: bool,
}

/// The spans so far; those of the same kind in the same place are one node.
#[derive(Debug, Default)]
pub struct Tree {
    nodes: Vec<Node>,
    roots: Vec<usize>,
    open: Vec<Open>,
}

#[derive(Debug)]
pub struct Node {
    pub kind: Kind,
    /// Places in the tree, in the order in which they first came.
    pub children: Vec<usize>,
    pub calls: u64,
    /// With everything inside.
    pub total: Duration,
    /// Of the call with the most live bytes.
    pub height: Height,
    /// The most bytes that a call left behind.
    pub growth: usize,
    /// Live bytes when the last call began and ended.
    pub last: [usize; 2],
}

/// The most live bytes during a span.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Height {
    pub peak: usize,
    /// Live bytes when the spans around it, outermost first, and it itself began.
    pub before: Vec<usize>,
}

#[derive(Debug)]
struct Open {
    node: usize,
    since: Instant,
    live: usize,
    /// Of the span around it, until this one began.
    peak: usize,
}

impl Tree {
    pub fn enter(&mut self, kind: Kind, heap: &Heap, now: Instant) {
        let siblings = match self.open.last() {
            Some(open) => &self.nodes[open.node].children,
            None => &self.roots,
        };
        let known = siblings.iter().copied().find(|&node| self.nodes[node].kind == kind);
        let node = known.unwrap_or_else(|| self.add(kind));
        let (live, peak) = (heap.live(), heap.peak());
        heap.set_peak(live);
        self.open.push(Open { node, since: now, live, peak });
    }

    /// Ends the innermost span.
    pub fn exit(&mut self, heap: &Heap, now: Instant) {
        let before: Vec<usize> = self.open.iter().map(|open| open.live).collect();
        let Some(Open { node, since, live, peak: outer }) = self.open.pop() else { return };
        let (after, peak) = (heap.live(), heap.peak());
        heap.set_peak(outer.max(peak));
        let node = &mut self.nodes[node];
        node.calls += 1;
        node.total += now.saturating_duration_since(since);
        node.growth = node.growth.max(after.saturating_sub(live));
        node.last = [live, after];
        if peak > node.height.peak {
            node.height = Height { peak, before };
        }
    }

    fn add(&mut self, kind: Kind) -> usize {
        let place = self.nodes.len();
        let none = Height::default();
        self.nodes.push(Node {
            kind,
            children: Vec::new(),
            calls: 0,
            total: Duration::ZERO,
            height: none,
            growth: 0,
            last: [0; 2],
        });
        match self.open.last() {
            Some(open) => self.nodes[open.node].children.push(place),
            None => self.roots.push(place),
        }
        place
    }

    pub fn roots(&self) -> impl Iterator<Item = &Node> {
        self.roots.iter().map(|&node| &self.nodes[node])
    }

    pub fn children(&self, node: &Node) -> impl Iterator<Item = &Node> {
        node.children.iter().map(|&node| &self.nodes[node])
    }

    /// Seconds in a span without those in the spans inside.
    pub fn own(&self, node: &Node) -> f64 {
        let inside: Duration = self.children(node).map(|child| child.total).sum();
        node.total.saturating_sub(inside).as_secs_f64()
    }

    /// The first node of that name, wherever it is.
    pub fn find(&self, name: &str) -> Option<&Node> {
        self.nodes.iter().find(|node| node.kind.name == name)
    }
}

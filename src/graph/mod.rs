//! The network of a [`Program`] as a picture: every part, its shape, its parameters, and how gradients meet it.
//!
//! `build` makes one [`Graph`] that all printers share; `fold` joins layers that differ in nothing, for
//! the formats that people read.

mod build;
mod connect;
mod dot;
mod fold;
mod json;
mod mermaid;
mod svg;
mod text;

use std::ops::Range;

use serde::Serialize;

use crate::ir::{Count, Flow, Program};
pub use svg::Font;

/// How a graph is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A table for a terminal.
    Text,
    /// Graphviz.
    Dot,
    /// For Markdown.
    Mermaid,
    /// Every layer on its own, for other programs.
    Json,
    /// A picture for a browser or a README.
    Svg,
}

pub fn render(program: &Program, format: Format) -> String {
    let graph = Graph::of(program);
    match format {
        Format::Text => text::render(&graph.folded()),
        Format::Dot => dot::render(&graph.folded()),
        Format::Mermaid => mermaid::render(&graph.folded()),
        Format::Json => json::render(&graph),
        Format::Svg => svg::render(&graph.folded()),
    }
}

/// The parts of a network and what flows between them.
#[derive(Clone, Debug, PartialEq)]
pub struct Graph {
    pub name: String,
    /// In the order in which they run.
    pub groups: Vec<Group>,
    pub edges: Vec<Edge>,
    /// All parameters over the plain backbone's.
    pub ratio: f64,
}

/// Parts that belong together: one layer, a run of equal layers, the heads, or one part alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    pub id: String,
    pub label: String,
    /// Which layers these are; `None` outside of them.
    pub layers: Option<Range<usize>>,
    pub nodes: Vec<Node>,
}

/// One part.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Node {
    /// Unique in the graph: `layer_3.attention`.
    pub id: String,
    pub kind: Kind,
    pub label: String,
    /// What it is like, in a few words: "12 heads of 64".
    pub detail: Option<String>,
    /// Of its output.
    pub shape: Vec<Dim>,
    pub state: Flow,
    /// Why it is in that state.
    pub why: String,
    /// Does the task embedding z modulate it?
    pub conditional: bool,
    pub parameters: Count,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Input,
    TaskEmbedding,
    Embeddings,
    Alignment,
    /// M(z), added to the scores of the attention after it.
    AttentionBias,
    Attention,
    AttentionNorm,
    FeedForward,
    Bottleneck,
    OutputNorm,
    LadderStep,
    Pooler,
    Head,
}

/// One dimension of a shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Dim {
    /// Known only when a batch is there: "tokens", "examples".
    Named(&'static str),
    Size(usize),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Edge {
    pub from: String,
    pub to: String,
    pub kind: EdgeKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EdgeKind {
    /// The main path.
    Data,
    /// Added around what lies between.
    Residual,
    /// The task embedding z.
    Condition,
}

impl Group {
    pub fn parameters(&self) -> Count {
        self.nodes.iter().map(|node| node.parameters).sum()
    }

    /// Of all its parts together, as the freezing analysis sees a layer: a step of the ladder stands beside it.
    pub fn state(&self) -> Flow {
        let inside = |node: &&Node| node.kind != Kind::LadderStep;
        let has = |flow| self.nodes.iter().filter(inside).any(|node| node.state == flow);
        if has(Flow::Trained) {
            Flow::Trained
        } else if has(Flow::Passed) {
            Flow::Passed
        } else {
            Flow::Constant
        }
    }

    fn find(&self, kind: Kind) -> Option<&Node> {
        self.nodes.iter().find(|node| node.kind == kind)
    }
}

/// "constant", "passed through", "trained".
fn state_label(state: Flow) -> &'static str {
    match state {
        Flow::Constant => "constant",
        Flow::Passed => "passed through",
        Flow::Trained => "trained",
    }
}

/// "[tokens, 768]".
fn shape_label(shape: &[Dim]) -> String {
    let dims: Vec<String> = shape
        .iter()
        .map(|dim| match dim {
            Dim::Named(name) => (*name).to_owned(),
            Dim::Size(size) => size.to_string(),
        })
        .collect();
    format!("[{}]", dims.join(", "))
}

/// "7.1 M frozen + 1.2 M new"; empty for no parameters.
fn count_label(count: Count) -> String {
    let parts = [(count.frozen, "frozen"), (count.loaded, "loaded"), (count.new, "new")];
    let words = parts.into_iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{} {what}", amount(n)));
    words.collect::<Vec<_>>().join(" + ")
}

/// "768", "12.3 k", "7.1 M".
fn amount(n: usize) -> String {
    match n {
        0..10_000 => n.to_string(),
        10_000..1_000_000 => format!("{:.1} k", n as f64 / 1e3),
        _ => format!("{:.1} M", n as f64 / 1e6),
    }
}

/// What a diagram writes into a part's box, three lines at most.
fn node_label(node: &Node) -> String {
    let detail = node.detail.as_ref().map(|detail| format!(" ({detail})")).unwrap_or_default();
    let state = state_label(node.state);
    let mut lines = vec![format!("{}{detail}", node.label), format!("{} {state}", shape_label(&node.shape))];
    lines.extend(Some(count_label(node.parameters)).filter(|count| !count.is_empty()));
    lines.join("\n")
}

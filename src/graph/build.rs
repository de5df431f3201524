//! From a [`Program`] to its [`Graph`], layer by layer.
//!
//! The program says how gradients meet a layer as a whole; here the same analysis goes on inside the layer, in
//! the order in which its parts run.

use super::{Dim, Graph, Group, Kind, Node, connect};
use crate::ir::{Component, Count, Flow, Layer, Origin, ParameterCount, Program, Task, Weights, Width};

impl Graph {
    /// Every layer on its own.
    pub fn of(program: &Program) -> Self {
        let groups = Builder::new(program).groups();
        let edges = connect::connect(&groups);
        Self { name: program.full_name(), groups, edges, ratio: ParameterCount::of(program).ratio() }
    }
}

struct Builder<'a> {
    program: &'a Program,
    count: ParameterCount,
    /// The label of the first trained part that has been passed.
    trained_before: Option<String>,
    /// That of the ladder's first step, which only the pooler hears.
    trained_beside: Option<String>,
}

/// What a part is, before it is known how gradients meet it.
struct Part {
    kind: Kind,
    label: &'static str,
    detail: Option<String>,
    shape: Vec<Dim>,
    /// Of its weights from the backbone, if any.
    base: Option<Weights>,
    conditional: bool,
    parameters: Count,
}

impl<'a> Builder<'a> {
    fn new(program: &'a Program) -> Self {
        Self { program, count: ParameterCount::of(program), trained_before: None, trained_beside: None }
    }

    fn groups(mut self) -> Vec<Group> {
        let mut groups = vec![self.input()];
        if self.program.is_conditional() {
            groups.push(self.task_embedding());
        }
        groups.push(self.embeddings());
        if self.program.embeddings.alignment {
            groups.push(self.alignment());
        }
        for (index, layer) in self.program.layers.iter().enumerate() {
            groups.push(self.layer(index, layer));
        }
        groups.push(self.pooler());
        groups.push(self.heads());
        groups
    }

    fn input(&mut self) -> Group {
        self.alone(Part {
            kind: Kind::Input,
            label: "input",
            detail: Some("word pieces".to_owned()),
            shape: vec![Dim::Named("tokens")],
            base: None,
            conditional: false,
            parameters: Count::default(),
        })
    }

    /// Beside the main path: that it is trained shows in the parts that it conditions.
    fn task_embedding(&self) -> Group {
        let (tasks, hidden) = (self.program.tasks.len(), self.program.backbone.hidden);
        let node = Node {
            id: "task_embedding".to_owned(),
            kind: Kind::TaskEmbedding,
            label: "task embedding z".to_owned(),
            detail: None,
            shape: vec![Dim::Size(tasks), Dim::Size(hidden)],
            state: Flow::Trained,
            why: "new".to_owned(),
            conditional: false,
            parameters: self.count.component(Component::TaskEmbedding),
        };
        Group { id: node.id.clone(), label: node.label.clone(), layers: None, nodes: vec![node] }
    }

    fn embeddings(&mut self) -> Group {
        self.alone(Part {
            kind: Kind::Embeddings,
            label: "embeddings",
            detail: None,
            shape: self.tokens(),
            base: Some(self.program.embeddings.weights),
            conditional: false,
            parameters: self.count.component(Component::Embeddings),
        })
    }

    fn alignment(&mut self) -> Group {
        self.alone(Part {
            kind: Kind::Alignment,
            label: "alignment",
            detail: Some("conditional".to_owned()),
            shape: self.tokens(),
            base: None,
            conditional: true,
            parameters: self.count.component(Component::Alignment),
        })
    }

    fn layer(&mut self, index: usize, layer: &Layer) -> Group {
        let backbone = &self.program.backbone;
        let (hidden, heads, ffn) = (backbone.hidden, backbone.heads, backbone.ffn);
        let owned = |n: usize| self.owned(layer.weights, n);
        let mut inner = self.inner_counts(index, layer);
        let base = Some(layer.weights);

        let mut parts = Vec::new();
        if let Some(blocks) = layer.attention {
            parts.push(Part {
                kind: Kind::AttentionBias,
                label: "attention bias",
                detail: Some(blocks.to_string()),
                shape: vec![Dim::Size(self.program.sequence); 2],
                base: None,
                conditional: true,
                parameters: inner.attention,
            });
        }
        parts.push(Part {
            kind: Kind::Attention,
            label: "attention",
            detail: Some(format!("{heads} heads of {}", hidden / heads)),
            shape: self.tokens(),
            base,
            conditional: false,
            parameters: owned(4 * linear(hidden, hidden)),
        });
        let norm = |kind: Kind, label: &'static str| Part {
            kind,
            label,
            detail: layer.norm.then(|| "conditional".to_owned()),
            shape: self.tokens(),
            base,
            conditional: layer.norm,
            parameters: owned(2 * hidden) + inner.each_norm,
        };
        parts.push(norm(Kind::AttentionNorm, "attention norm"));
        parts.push(Part {
            kind: Kind::FeedForward,
            label: "feed forward",
            detail: Some(format!("{ffn} wide")),
            shape: self.tokens(),
            base,
            conditional: false,
            parameters: owned(linear(hidden, ffn) + linear(ffn, hidden)),
        });
        let bottleneck = |kind: Kind, label: &'static str, Width(width): Width, parameters: Count| Part {
            kind,
            label,
            detail: Some(format!("{width} wide")),
            shape: self.tokens(),
            base: None,
            conditional: true,
            parameters,
        };
        if let Some(width) = layer.bottleneck {
            parts.push(bottleneck(Kind::Bottleneck, "bottleneck", width, inner.bottlenecks.remove(0)));
        }
        parts.push(norm(Kind::OutputNorm, "output norm"));
        if let Some(ladder) = self.program.ladder.as_ref().filter(|ladder| ladder.layers.contains(&index)) {
            parts.push(bottleneck(
                Kind::LadderStep,
                "ladder step",
                ladder.width,
                inner.bottlenecks.remove(0),
            ));
        }

        let (id, label) = (format!("layer_{index}"), format!("layer {index}"));
        let nodes = parts.into_iter().map(|part| self.node(&id, Some(&label), part)).collect();
        Group { id, label, layers: Some(index..index + 1), nodes }
    }

    fn pooler(&mut self) -> Group {
        self.trained_before = self.trained_before.take().or(self.trained_beside.take());
        self.alone(Part {
            kind: Kind::Pooler,
            label: "pooler",
            detail: Some("of [CLS]".to_owned()),
            shape: vec![Dim::Named("examples"), Dim::Size(self.program.backbone.hidden)],
            base: Some(self.program.pooler.weights),
            conditional: false,
            parameters: self.count.component(Component::Pooler),
        })
    }

    fn heads(&self) -> Group {
        let nodes = self.program.tasks.iter().map(|task| self.head(task)).collect();
        Group { id: "heads".to_owned(), label: "heads".to_owned(), layers: None, nodes }
    }

    fn head(&self, task: &Task) -> Node {
        let outputs = task.kind.outputs();
        let new = linear(self.program.backbone.hidden, outputs);
        Node {
            id: format!("heads.{}", task.name),
            kind: Kind::Head,
            label: task.name.clone(),
            detail: Some(match task.kind {
                crate::ir::Kind::Classify { .. } => format!("classify {outputs}"),
                crate::ir::Kind::Regress { low, high } => format!("regress {low:?} .. {high:?}"),
                crate::ir::Kind::Tag { .. } => format!("tag {outputs}"),
                crate::ir::Kind::Span { stride } => format!("span, stride {stride}"),
                crate::ir::Kind::Choose { choices } => format!("choose {choices}"),
            }),
            shape: vec![
                Dim::Named(match task.kind {
                    crate::ir::Kind::Tag { .. } => "words",
                    crate::ir::Kind::Span { .. } => "tokens",
                    crate::ir::Kind::Choose { .. } => "choices",
                    _ => "examples",
                }),
                Dim::Size(outputs),
            ],
            state: Flow::Trained,
            why: "new".to_owned(),
            conditional: false,
            parameters: Count { new, ..Count::default() },
        }
    }

    fn alone(&mut self, part: Part) -> Group {
        let label = part.label.to_owned();
        let node = self.node("", None, part);
        Group { id: node.id.clone(), label, layers: None, nodes: vec![node] }
    }

    /// Adds what is known only in order: is the part trained, or anything before it?
    fn node(&mut self, group: &str, place: Option<&str>, part: Part) -> Node {
        let Part { kind, label, detail, shape, base, conditional, parameters } = part;
        let (state, why) = match (base, &self.trained_before) {
            (Some(Weights::Trained), _) if conditional => {
                (Flow::Trained, "its weights and its module".to_owned())
            }
            (Some(Weights::Trained), _) => (Flow::Trained, "its weights".to_owned()),
            (Some(Weights::Frozen), _) if conditional => (Flow::Trained, "its module".to_owned()),
            (None, _) if conditional => (Flow::Trained, "new".to_owned()),
            (_, Some(before)) => (Flow::Passed, format!("{before} before it is trained")),
            (_, None) => (Flow::Constant, "nothing trained in or before it".to_owned()),
        };
        if state == Flow::Trained {
            let first = match kind {
                Kind::LadderStep => &mut self.trained_beside,
                _ => &mut self.trained_before,
            };
            first.get_or_insert_with(|| match place {
                Some(layer) => format!("the {label} of {layer}"),
                None => label.to_owned(),
            });
        }
        let id = match place {
            Some(_) => format!("{group}.{}", label.replace(' ', "_")),
            None => label.replace(' ', "_"),
        };
        Node { id, kind, label: label.to_owned(), detail, shape, state, why, conditional, parameters }
    }

    fn tokens(&self) -> Vec<Dim> {
        vec![Dim::Named("tokens"), Dim::Size(self.program.backbone.hidden)]
    }

    /// `n` parameters of the backbone.
    fn owned(&self, weights: Weights, n: usize) -> Count {
        match (&self.program.backbone.origin, weights) {
            (Origin::Scratch { .. }, _) => Count { new: n, ..Count::default() },
            (Origin::Checkpoint(_), Weights::Frozen) => Count { frozen: n, ..Count::default() },
            (Origin::Checkpoint(_), Weights::Trained) => Count { loaded: n, ..Count::default() },
        }
    }

    /// The counts of the modules in one layer, as the program's count has them.
    fn inner_counts(&self, index: usize, layer: &Layer) -> InnerCounts {
        let here = |component: Component| {
            let parts = self.count.parts.iter();
            parts.filter(move |part| part.0 == component && part.1 == Some(index)).map(|part| part.2)
        };
        let norms: Count = here(Component::Norm).sum();
        debug_assert_eq!(layer.norm, norms.total() > 0);
        InnerCounts {
            attention: here(Component::Attention).sum(),
            each_norm: Count { new: norms.new / 2, ..Count::default() },
            bottlenecks: here(Component::Bottleneck).collect(),
        }
    }
}

struct InnerCounts {
    attention: Count,
    each_norm: Count,
    /// The layer's own, if it has one, then its step of the ladder.
    bottlenecks: Vec<Count>,
}

/// Weight and bias.
fn linear(inputs: usize, outputs: usize) -> usize {
    inputs * outputs + outputs
}

//! Freezing, as a data-flow analysis: what is frozen, and what of it gradients still have to cross.
//!
//! Data flows through embeddings, alignment, layer 0, layer 1, ..., pooler. A part is *constant* while
//! nothing trained lies in it or before it. A ladder stands beside this chain: its steps read the layers'
//! outputs and feed only each other and the pooler, so layers inside of it stay constant and the pooler does
//! not.

use std::ops::Range;

use miette::Diagnostic;
use thiserror::Error;

use super::{
    check_layers::{Part, check_part, in_words, layers_in_words},
    check_modules::Modules,
    check_shapes::Shape,
    index_items::{FreezeChange, Items, Step},
};
use crate::{
    diagnostics::{Diagnostics, alternatives},
    ir::{Family, Flow, Origin, Weights},
    span::Span,
    syntax::ast,
};

/// What `freeze` says of every part.
#[derive(Debug)]
pub struct Freezing {
    pub embeddings: (Weights, Flow),
    pub layers: Vec<(Weights, Flow)>,
    pub pooler: (Weights, Flow),
}

pub fn flow_freezing(items: &Items, shape: &Shape, modules: &Modules, sink: &mut Diagnostics) -> Freezing {
    let mut frozen = Frozen::new(shape.layers.map_or(0, |layers| layers.value));
    for Step { depth, change } in &items.freezing {
        let parts = match change {
            FreezeChange::Freeze(freeze) => &freeze.parts,
            FreezeChange::Unfreeze(unfreeze) => &unfreeze.parts,
        };
        for part in parts {
            let Some(resolved) = check_part(part, shape.layers, sink) else { continue };
            match change {
                FreezeChange::Freeze(_) => frozen.add(resolved, (part.span, *depth), part, sink),
                FreezeChange::Unfreeze(_) => {
                    let was_frozen = frozen.remove(resolved);
                    if !was_frozen && !items.is_broken("freeze") && shape.layers.is_some() {
                        sink.push(NotFrozen {
                            part: in_words(part),
                            frozen: frozen.in_words(),
                            span: part.span,
                        });
                    }
                }
            }
        }
    }
    if let (Some(origin), Some(freeze)) = (&shape.origin, frozen.first())
        && matches!(origin.value, Origin::Scratch { .. })
    {
        sink.push(NewAndFrozen::backbone(freeze, origin.span));
    }
    if let (Some(origin), Some((freeze, _))) = (&shape.origin, frozen.pooler)
        && matches!(origin.value, Origin::Checkpoint(_))
        && shape.family == Family::Roberta
    {
        sink.push(NewAndFrozen::pooler(freeze, origin.span));
    }
    flow(&frozen, modules)
}

/// Where each part was frozen, and in which list of the form's chain.
struct Frozen {
    embeddings: Option<(Span, usize)>,
    layers: Vec<Option<(Span, usize)>>,
    pooler: Option<(Span, usize)>,
}

impl Frozen {
    fn new(layers: usize) -> Self {
        Self { embeddings: None, layers: vec![None; layers], pooler: None }
    }

    /// A variant may freeze again what is frozen before it.
    fn add(&mut self, part: Part, at: (Span, usize), written: &ast::Part, sink: &mut Diagnostics) {
        let slots = self.slots(part);
        if let Some((first, _)) = slots.iter().flatten().find(|(_, depth)| *depth == at.1) {
            sink.push(Repeated { part: in_words(written), first: *first, again: at.0 });
        }
        slots.fill(Some(at));
    }

    /// Was any of it frozen?
    fn remove(&mut self, part: Part) -> bool {
        let slots = self.slots(part);
        let was_frozen = slots.iter().any(Option::is_some);
        slots.fill(None);
        was_frozen
    }

    fn slots(&mut self, part: Part) -> &mut [Option<(Span, usize)>] {
        match part {
            Part::Embeddings => std::slice::from_mut(&mut self.embeddings),
            Part::Pooler => std::slice::from_mut(&mut self.pooler),
            // Empty only where the depth is a mistake; otherwise the range lies inside.
            Part::Layers(layers) => self.layers.get_mut(layers).unwrap_or_default(),
        }
    }

    fn first(&self) -> Option<Span> {
        let all = std::iter::once(&self.embeddings).chain(&self.layers).chain([&self.pooler]);
        all.flatten().map(|(span, _)| *span).min()
    }

    /// "`embeddings` and `layers 0..6`"
    fn in_words(&self) -> String {
        let mut parts: Vec<String> = self.embeddings.iter().map(|_| "embeddings".to_owned()).collect();
        for run in runs(&self.layers) {
            parts.push(layers_in_words(&run));
        }
        parts.extend(self.pooler.iter().map(|_| "pooler".to_owned()));
        if parts.is_empty() { "nothing".to_owned() } else { alternatives(&parts, "and") }
    }
}

/// The runs of neighbouring layers that are frozen.
fn runs(layers: &[Option<(Span, usize)>]) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for (i, _) in layers.iter().enumerate().filter(|(_, slot)| slot.is_some()) {
        match runs.last_mut() {
            Some(run) if run.end == i => run.end = i + 1,
            _ => runs.push(i..i + 1),
        }
    }
    runs
}

fn flow(frozen: &Frozen, modules: &Modules) -> Freezing {
    let weights =
        |slot: &Option<(Span, usize)>| if slot.is_some() { Weights::Frozen } else { Weights::Trained };
    let mut trained_before = false;
    let mut step = |weights: Weights, has_module: bool| {
        let trained_here = weights == Weights::Trained || has_module;
        let flow = match (trained_here, trained_before) {
            (true, _) => Flow::Trained,
            (false, true) => Flow::Passed,
            (false, false) => Flow::Constant,
        };
        trained_before |= trained_here;
        (weights, flow)
    };

    let embeddings = step(weights(&frozen.embeddings), false);
    // Alignment is a step of its own: trained, behind the tables, part of neither them nor layer 0.
    if modules.alignment.is_some() {
        step(Weights::Frozen, true);
    }
    let layers = frozen
        .layers
        .iter()
        .enumerate()
        .map(|(i, slot)| step(weights(slot), has_module(modules, i)))
        .collect();
    if modules.ladder.is_some() {
        step(Weights::Frozen, true);
    }
    let pooler = step(weights(&frozen.pooler), false);
    Freezing { embeddings, layers, pooler }
}

/// Does a module lie inside layer `i`?
fn has_module(modules: &Modules, i: usize) -> bool {
    modules.attention.iter().any(|placed| placed.layers.contains(&i))
        || modules.norm.iter().any(|placed| placed.layers.contains(&i))
        || modules.bottleneck.iter().any(|placed| placed.layers.contains(&i))
}

#[derive(Debug, Error, Diagnostic)]
#[error("{subject} cannot be frozen: nothing would ever train {pronoun}")]
#[diagnostic(code(cam::freezing::new_and_frozen), help("{help}"))]
struct NewAndFrozen {
    subject: &'static str,
    pronoun: &'static str,
    help: &'static str,
    why: &'static str,
    #[label(primary, "frozen")]
    freeze: Span,
    #[label("{why}")]
    origin: Span,
}

impl NewAndFrozen {
    /// Of a backbone without a checkpoint.
    fn backbone(freeze: Span, origin: Span) -> Self {
        Self {
            subject: "new weights",
            pronoun: "them",
            help: "without `freeze` they are trained; `checkpoint` loads weights that can be frozen",
            why: "new: starts from random weights",
            freeze,
            origin,
        }
    }

    /// Of RoBERTa's pooler, which no checkpoint holds.
    fn pooler(freeze: Span, origin: Span) -> Self {
        Self {
            subject: "RoBERTa's pooler is new: it",
            pronoun: "it",
            help: "RoBERTa is pretrained without one; embeddings and layers are loaded and can be frozen",
            why: "holds no pooler",
            freeze,
            origin,
        }
    }
}

#[derive(Debug, Error, Diagnostic)]
#[error("`{part}` is not frozen here")]
#[diagnostic(code(cam::variant::unfreeze), help("frozen before this: {frozen}"))]
struct NotFrozen {
    part: String,
    frozen: String,
    #[label("trained already")]
    span: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("`{part}` is frozen twice")]
#[diagnostic(code(cam::freezing::repeated), help("one of the two has to go, or to name other layers"))]
struct Repeated {
    part: String,
    #[label("first here")]
    first: Span,
    #[label(primary, "and again here")]
    again: Span,
}

#[cfg(test)]
mod tests {
    use crate::{analysis::compile, ir::Flow, span::Source};

    /// The flow of embeddings, four layers and pooler, a letter each: constant, passed, trained.
    fn flows(items: &str) -> String {
        let text = format!(
            "model example\n\
             backbone bert {{ checkpoint \"x\" layers 4 hidden 8 heads 2 ffn 8 vocab 8 positions 8 }}\n\
             sequence 8\n\
             tasks {{ only {{ classify 2 data tsv \"only\" }} }}\n{items}"
        );
        let (program, _) = compile(&Source::new("example.cam", text)).expect("the example is legal");
        let letter = |flow: Flow| match flow {
            Flow::Constant => 'c',
            Flow::Passed => 'p',
            Flow::Trained => 'T',
        };
        let layers: String = program.layers.iter().map(|layer| letter(layer.flow)).collect();
        format!("{} {layers} {}", letter(program.embeddings.flow), letter(program.pooler.flow))
    }

    #[test]
    fn parts_are_constant_until_something_is_trained() {
        assert_eq!(flows(""), "T TTTT T");
        assert_eq!(flows("freeze embeddings, layers 0..2"), "c ccTT T");
        assert_eq!(flows("freeze layers 0..4, pooler"), "T pppp p");
        assert_eq!(flows("freeze embeddings, layers 0..4, pooler"), "c cccc c");
        assert_eq!(flows("freeze embeddings, layer 0, layers 2..4"), "c cTpp T");
    }

    #[test]
    fn modules_are_trained_in_frozen_layers_too() {
        let all = "freeze embeddings, layers 0..4, pooler";
        assert_eq!(flows(&format!("{all} attach alignment after embeddings")), "c pppp p");
        assert_eq!(flows(&format!("{all} attach norm to layer 1")), "c cTpp p");
        assert_eq!(flows(&format!("{all} attach attention to layers 2..4")), "c ccTT p");
        assert_eq!(flows(&format!("{all} attach bottleneck to layer 3 {{ width 2 }}")), "c cccT p");
    }

    #[test]
    fn a_ladder_reaches_the_pooler_only() {
        let all = "freeze embeddings, layers 0..4, pooler";
        assert_eq!(flows(&format!("{all} attach bottleneck across layers 1..4 {{ width 2 }}")), "c cccc p");
    }

    #[test]
    fn the_pooler_of_roberta_is_new() {
        let of = |family: &str| {
            let text = format!(
                "model example\n\
                 backbone {family} {{ checkpoint \"x\" layers 1 hidden 8 heads 2 ffn 8 vocab 8 positions 10 }}\n\
                 sequence 8\n\
                 tasks {{ only {{ classify 2 data tsv \"only\" }} }}\nfreeze embeddings, layer 0, pooler"
            );
            compile(&Source::new("example.cam", text)).map_err(|found| found.codes().join(", "))
        };
        assert!(of("bert").is_ok());
        assert_eq!(of("roberta").unwrap_err(), "cam::freezing::new_and_frozen");
    }
}

//! What is legal and odd: warnings that need the whole program.

use miette::Diagnostic;
use thiserror::Error;

use super::{
    check_cache::lint_cache,
    check_layers::layers_in_words,
    check_modules::Modules,
    check_training,
    index_items::{FreezeChange, Items},
};
use crate::{
    diagnostics::Diagnostics,
    ir::{
        Flow, Program,
        cost::{Cost, Load},
    },
    span::Span,
};

/// The words that the lints point at.
#[derive(Clone, Copy, Debug)]
pub struct Places {
    alignment: Option<Span>,
    freeze: Option<Span>,
    cache: Option<Span>,
}

impl Places {
    pub fn of(items: &Items, modules: &Modules, training: &check_training::Checked) -> Self {
        // The last: in a variant, what it says itself.
        let freeze = items.freezing.iter().rev().find_map(|step| match step.change {
            FreezeChange::Freeze(freeze) => Some(freeze.span),
            FreezeChange::Unfreeze(_) => None,
        });
        let alignment = modules.alignment.map(|(span, _)| span);
        Self { alignment, freeze, cache: training.cache_span }
    }
}

pub fn lint_program(program: &Program, places: Places, sink: &mut Diagnostics) {
    if let Some(cache) = places.cache {
        lint_cache(program, cache, places.alignment, sink);
    }
    let Some(freeze) = places.freeze else { return };
    if let Some(alignment) = places.alignment {
        lint_constant_prefix(program, alignment, freeze, sink);
    }
    let is_constant = |flow: Flow| flow == Flow::Constant;
    if is_constant(program.pooler.flow) {
        sink.push(OnlyHeads { span: freeze });
    }
}

/// Alignment is trained, so gradients have to pass through the frozen layers behind it, which would be constant
/// without it.
fn lint_constant_prefix(program: &Program, alignment: Span, freeze: Span, sink: &mut Diagnostics) {
    let prefix = program.layers.iter().take_while(|layer| layer.flow == Flow::Passed).count();
    if program.embeddings.flow != Flow::Constant || prefix == 0 {
        return;
    }
    let mut without = program.clone();
    without.embeddings.alignment = false;
    for layer in &mut without.layers[..prefix] {
        layer.flow = Flow::Constant;
    }
    let giga = |program: &Program| Cost::of(program, Load::of(program)).flops.step.total() as f64 / 1e9;
    let (with, without) = (giga(program), giga(&without));
    sink.push(ConstantPrefix {
        layers: layers_in_words(&(0..prefix)),
        with: format!("{with:.0}"),
        without: format!("{without:.0}"),
        percent: format!("{:.0}", 100.0 * (with / without - 1.0)),
        alignment,
        freeze,
    });
}

#[derive(Debug, Error, Diagnostic)]
#[error(
    "alignment before frozen layers: gradients pass through {layers}, which would be constant without it"
)]
#[diagnostic(
    code(cam::freezing::constant_prefix),
    severity(Warning),
    help(
        "a training step takes {percent}% more for that, {with} GFLOP instead of {without}; \
         the paper attaches it so, which is a reason to keep it"
    )
)]
struct ConstantPrefix {
    layers: String,
    with: String,
    without: String,
    percent: String,
    #[label(primary, "trained, so gradients have to reach it")]
    alignment: Span,
    #[label("frozen")]
    freeze: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("everything but the heads is frozen")]
#[diagnostic(
    code(cam::freezing::only_heads),
    severity(Warning),
    help("no task can shape what the tasks share: leave upper layers out of `freeze`, or attach modules")
)]
struct OnlyHeads {
    #[label("all of it, and no module is attached")]
    span: Span,
}

//! `detach`: takes modules out of a variant, everywhere or from some layers.

use std::ops::Range;

use miette::Diagnostic;
use thiserror::Error;

use super::{
    check_layers::{Part, check_part, in_words},
    check_modules::{MODULES, Modules, check_module, clear, intersection},
    check_shapes::Shape,
};
use crate::{
    diagnostics::{Diagnostics, alternatives},
    span::Span,
    syntax::ast::Detach,
};

/// `is_broken`: an `attach` could not be read, so nobody knows what there is to detach.
pub fn detach_modules(
    detach: &Detach,
    is_broken: bool,
    shape: &Shape,
    modules: &mut Modules,
    sink: &mut Diagnostics,
) {
    let from = match &detach.from {
        None => None,
        Some(part) => match check_part(part, shape.layers, sink) {
            Some(resolved) => Some(resolved),
            None => return,
        },
    };
    let there = attached(modules);
    for module in &detach.modules {
        if !check_module(module, sink) {
            continue;
        }
        let was_there = remove(&module.text, from.as_ref(), modules);
        let may_be_there = is_broken || modules.unclear.contains(&module.text.as_str());
        if !was_there && !may_be_there {
            let place = detach.from.as_ref().map(|part| format!(" to {}", in_words(part)));
            sink.push(NotAttached {
                module: module.text.clone(),
                place: place.unwrap_or_default(),
                attached: there.clone(),
                span: module.span,
            });
        }
    }
}

/// Was there anything to remove? Where `from` is `None`, everything of the module is.
fn remove(module: &str, from: Option<&Part>, modules: &mut Modules) -> bool {
    let everything = 0..usize::MAX;
    let layers = match from {
        None => &everything,
        Some(Part::Layers(layers)) => layers,
        Some(Part::Embeddings) => return module == "alignment" && modules.alignment.take().is_some(),
        Some(Part::Pooler) => return false,
    };
    match module {
        "alignment" => from.is_none() && modules.alignment.take().is_some(),
        "attention" => clear(&mut modules.attention, layers),
        "norm" => clear(&mut modules.norm, layers),
        _ => {
            let is_cut = modules.ladder.as_ref().is_some_and(|ladder| {
                intersection(&ladder.layers, layers).is_some_and(|both| both != ladder.layers)
            });
            let inside = clear(&mut modules.bottleneck, layers);
            (remove_ladder(modules, layers) || inside) && !is_cut
        }
    }
}

/// A ladder goes as a whole: its steps are made of each other.
fn remove_ladder(modules: &mut Modules, layers: &Range<usize>) -> bool {
    let covers = |steps: &Range<usize>| layers.start <= steps.start && steps.end <= layers.end;
    modules.ladder.take_if(|ladder| covers(&ladder.layers)).is_some()
}

/// The modules that there are, as a help shows them.
fn attached(modules: &Modules) -> String {
    let there = [
        modules.alignment.is_some(),
        !modules.attention.is_empty(),
        !modules.norm.is_empty(),
        !modules.bottleneck.is_empty() || modules.ladder.is_some(),
    ];
    let names: Vec<&str> =
        MODULES.into_iter().zip(there).filter(|(_, there)| *there).map(|(name, _)| name).collect();
    if names.is_empty() { "nothing".to_owned() } else { alternatives(&names, "and") }
}

#[derive(Debug, Error, Diagnostic)]
#[error("no `{module}` is attached{place}")]
#[diagnostic(
    code(cam::variant::detach),
    help("attached here: {attached}; a ladder of bottlenecks is detached as a whole")
)]
struct NotAttached {
    module: String,
    place: String,
    attached: String,
    #[label("nothing to detach")]
    span: Span,
}

//! `fidelity`: whose formulas are computed where the paper and the authors' code differ, and what the authors' code
//! has no choice about: a bias in every layer's attention, a ladder across all layers, bottlenecks of a third.

use std::ops::Range;

use miette::Diagnostic;
use thiserror::Error;

use super::{
    check_layers::layers_in_words,
    check_modules::{Modules, Placed},
    check_shapes::Shape,
    index_items::Items,
};
use crate::{
    diagnostics::{Diagnostics, did_you_mean},
    ir::{Fidelity, Width},
    span::Span,
};

/// The paper's where the file is silent; `None` where a mistake was reported.
pub fn check_fidelity(items: &Items, sink: &mut Diagnostics) -> Option<Fidelity> {
    let Some(item) = items.fidelity else { return Some(Fidelity::default()) };
    match item.to.text.as_str() {
        "paper" => Some(Fidelity::Paper),
        "reference" => Some(Fidelity::Reference),
        other => {
            let help = did_you_mean(other, &["paper", "reference"]);
            sink.push(Unknown { fidelity: other.to_owned(), help, span: item.to.span });
            None
        }
    }
}

/// The width of the authors' bottlenecks: a third of hidden, rounded down.
pub fn reference_width(shape: &Shape) -> Option<Width> {
    Some(Width((shape.hidden?.value / 3).max(1)))
}

/// Reports modules that lie in some layers where the authors' code has them in all, and bottlenecks of other widths.
pub fn check_reference(
    items: &Items,
    fidelity: Option<Fidelity>,
    shape: &Shape,
    modules: &Modules,
    sink: &mut Diagnostics,
) {
    let (Some(Fidelity::Reference), Some(item), Some(layers)) = (fidelity, items.fidelity, shape.layers)
    else {
        return;
    };
    let (depth, fidelity) = (layers.value, item.span);
    let is_placed = |layer: usize| modules.attention.iter().any(|placed| placed.layers.contains(&layer));
    let without = (0..depth).find(|&layer| !is_placed(layer));
    if let (Some(placed), Some(first)) = (modules.attention.first(), without)
        && !modules.unclear.contains(&"attention")
    {
        let last = (first..depth).find(|&layer| is_placed(layer)).unwrap_or(depth);
        sink.push(Somewhere::new("attention", "to", first..last, depth, placed.span, fidelity));
    }
    if let (Some(third), Some(hidden)) = (reference_width(shape), shape.hidden) {
        for Placed { setting, span, .. } in modules.bottleneck.iter().chain(&modules.ladder) {
            if let Some(Width(wide)) = *setting
                && wide != third.0
            {
                let (size, third) = (hidden.value, third.0);
                sink.push(OtherWidth { wide, size, third, module: *span, hidden: hidden.span });
            }
        }
    }
    if let Some(ladder) = &modules.ladder
        && ladder.layers.start > 0
    {
        let without = 0..ladder.layers.start;
        sink.push(Somewhere::new("bottleneck", "across", without, depth, ladder.span, fidelity));
    }
}

#[derive(Debug, Error, Diagnostic)]
#[error("there is no fidelity to `{fidelity}`")]
#[diagnostic(code(cam::fidelity::unknown), help("{help}"))]
struct Unknown {
    fidelity: String,
    help: String,
    #[label("unknown fidelity")]
    span: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("the authors' code has this `{module}` in every layer, and it is not in {without}")]
#[diagnostic(
    code(cam::fidelity::layers),
    help("`attach {module} {preposition} layers 0..{depth}`, or `fidelity paper`")
)]
struct Somewhere {
    module: &'static str,
    preposition: &'static str,
    without: String,
    depth: usize,
    #[label(primary, "not in every layer")]
    module_span: Span,
    #[label("asks for the authors' code")]
    fidelity: Span,
}

impl Somewhere {
    fn new(
        module: &'static str,
        preposition: &'static str,
        without: Range<usize>,
        depth: usize,
        module_span: Span,
        fidelity: Span,
    ) -> Self {
        Self { module, preposition, without: layers_in_words(&without), depth, module_span, fidelity }
    }
}

#[derive(Debug, Error, Diagnostic)]
#[error("a bottleneck of the authors' code has a third of hidden {size}, which is {third}, and not {wide}")]
#[diagnostic(code(cam::fidelity::width), help("`width {third}`, or no `width`; `fidelity paper` takes any"))]
struct OtherWidth {
    wide: usize,
    size: usize,
    third: usize,
    #[label(primary, "not a third")]
    module: Span,
    #[label("of this")]
    hidden: Span,
}

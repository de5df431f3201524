//! `attach` and `detach`: which conditional modules there are, where each may lie, and that no two collide.

use std::ops::Range;

use miette::Diagnostic;
use thiserror::Error;

use super::{
    check_blocks::check_blocks,
    check_fidelity::reference_width,
    check_layers::{Part, check_part, in_words, layers_in_words},
    check_shapes::Shape,
    detach_modules::detach_modules,
    index_items::{Items, ModuleChange, Step},
    settings::Settings,
};
use crate::{
    diagnostics::{Diagnostics, did_you_mean, nearest},
    ir::{Blocks, Fidelity, Width},
    span::Span,
    syntax::ast,
};

pub const MODULES: [&str; 4] = ["alignment", "attention", "norm", "bottleneck"];
const WIDTH: usize = 1_000_000;

/// One `attach` to layers, or what a later one leaves of it. `setting` is `None` where it is itself a mistake.
#[derive(Clone, Debug)]
pub struct Placed<T> {
    pub layers: Range<usize>,
    pub setting: Option<T>,
    pub span: Span,
    /// Which list of the form's chain it stands in.
    pub depth: usize,
}

/// All modules, without collisions where no mistake was reported.
#[derive(Debug, Default)]
pub struct Modules {
    /// Where, and in which list of the form's chain.
    pub alignment: Option<(Span, usize)>,
    pub attention: Vec<Placed<Blocks>>,
    pub norm: Vec<Placed<()>>,
    pub bottleneck: Vec<Placed<Width>>,
    pub ladder: Option<Placed<Width>>,
    /// Modules that are attached where it is a mistake: somewhere, nobody knows where.
    pub unclear: Vec<&'static str>,
}

pub fn check_modules(
    items: &Items,
    shape: &Shape,
    fidelity: Option<Fidelity>,
    sink: &mut Diagnostics,
) -> Modules {
    let mut modules = Modules::default();
    for Step { depth, change } in &items.modules {
        if sink.is_full() {
            break;
        }
        match change {
            ModuleChange::Attach(attach) => {
                if place(attach, *depth, shape, fidelity, &mut modules, sink).is_none() {
                    modules.unclear.extend(nearest(&attach.module.text, &MODULES));
                }
            }
            ModuleChange::Detach(detach) => {
                let is_broken = items.is_broken("attach");
                detach_modules(detach, is_broken, shape, &mut modules, sink);
            }
        }
    }
    if let Some(ladder) = &modules.ladder {
        check_ladder(ladder, &modules.bottleneck, shape, sink);
    }
    modules
}

/// Reports a module that does not exist.
pub fn check_module(module: &ast::Word, sink: &mut Diagnostics) -> bool {
    let name = module.text.as_str();
    let is_known = MODULES.contains(&name);
    if !is_known {
        let help = did_you_mean(name, &MODULES);
        sink.push(UnknownModule { module: name.into(), help, span: module.span });
    }
    is_known
}

/// In a variant, what is attached takes the place of what the model has there.
///
/// `None` where a mistake leaves the module without a place.
fn place(
    attach: &ast::Attach,
    depth: usize,
    shape: &Shape,
    fidelity: Option<Fidelity>,
    modules: &mut Modules,
    sink: &mut Diagnostics,
) -> Option<()> {
    let name = attach.module.text.as_str();
    if !check_module(&attach.module, sink) {
        return None;
    }
    let owner = format!("`attach {name}`");
    let keys: &[&str] = match name {
        "attention" => &["blocks"],
        "bottleneck" => &["width"],
        _ => &[],
    };
    let settings = Settings::of_options(&owner, attach.body.as_ref(), keys, sink);
    // Before the place, so that a mistake there hides none here.
    let (mut blocks, mut width) = (None, None);
    match name {
        "attention" => blocks = check_blocks(attach, &settings, shape, sink),
        "bottleneck" => width = check_width(attach, &settings, shape, fidelity, sink),
        _ => {}
    }
    let part = check_part(&attach.place.part, shape.layers, sink)?;
    let span = attach.span;
    match (name, attach.place.preposition.text.as_str(), part) {
        ("alignment", "after", Part::Embeddings) => match modules.alignment {
            Some((first, before)) if before == depth => {
                sink.push(Repeated::new(name, "after embeddings".into(), first, span));
            }
            _ => modules.alignment = Some((span, depth)),
        },
        ("attention", "to", Part::Layers(layers)) => {
            add(name, &mut modules.attention, Placed { layers, setting: blocks, span, depth }, sink);
        }
        ("norm", "to", Part::Layers(layers)) => {
            add(name, &mut modules.norm, Placed { layers, setting: Some(()), span, depth }, sink);
        }
        ("bottleneck", "to", Part::Layers(layers)) => {
            modules
                .ladder
                .take_if(|ladder| ladder.depth < depth && intersection(&ladder.layers, &layers).is_some());
            add(name, &mut modules.bottleneck, Placed { layers, setting: width, span, depth }, sink);
        }
        ("bottleneck", "across", Part::Layers(layers)) => match &modules.ladder {
            Some(first) if first.depth == depth => {
                sink.push(SecondLadder { first: first.span, again: span });
            }
            _ => {
                let (before, own) = std::mem::take(&mut modules.bottleneck)
                    .into_iter()
                    .partition(|placed| placed.depth < depth);
                modules.bottleneck = before;
                clear(&mut modules.bottleneck, &layers);
                modules.bottleneck.extend::<Vec<_>>(own);
                modules.ladder = Some(Placed { layers, setting: width, span, depth });
            }
        },
        (_, preposition, _) => {
            sink.push(IllegalPlace {
                module: name.into(),
                place: format!("{preposition} {}", in_words(&attach.place.part)),
                legal: legal_places(name, shape.layers.map_or(12, |layers| layers.value)),
                span: attach.place.span,
            });
            return None;
        }
    }
    Some(())
}

/// In a backbone of so many layers.
fn legal_places(module: &str, depth: usize) -> String {
    let (last, half) = (depth - 1, depth / 2);
    match module {
        "alignment" => "`after embeddings`".to_owned(),
        "bottleneck" => format!(
            "`to layer {last}`, `to layers {half}..{depth}` or, as a ladder, `across layers {half}..{depth}`"
        ),
        _ => format!("`to layer {last}` or `to layers {half}..{depth}`"),
    }
}

/// Reports the first earlier module of this kind that lies in one of the layers.
fn add<T: Clone>(module: &str, placed: &mut Vec<Placed<T>>, new: Placed<T>, sink: &mut Diagnostics) {
    let collides =
        |first: &Placed<T>| intersection(&first.layers, &new.layers).filter(|_| first.depth == new.depth);
    if let Some((first, both)) = placed.iter().find_map(|first| Some((first, collides(first)?))) {
        let place = format!("to {}", layers_in_words(&both));
        sink.push(Repeated::new(module, place, first.span, new.span));
        return;
    }
    clear(placed, &new.layers);
    placed.push(new);
}

/// Takes modules out of some layers. Were there any?
pub fn clear<T: Clone>(placed: &mut Vec<Placed<T>>, layers: &Range<usize>) -> bool {
    if placed.iter().all(|old| intersection(&old.layers, layers).is_none()) {
        return false;
    }
    let rest = |old: &Placed<T>| {
        let below = old.layers.start..old.layers.end.min(layers.start);
        let above = old.layers.start.max(layers.end)..old.layers.end;
        [below, above].map(|layers| Placed { layers, ..old.clone() })
    };
    *placed = placed.iter().flat_map(rest).filter(|part| !part.layers.is_empty()).collect();
    true
}

pub fn intersection(a: &Range<usize>, b: &Range<usize>) -> Option<Range<usize>> {
    let both = a.start.max(b.start)..a.end.min(b.end);
    (!both.is_empty()).then_some(both)
}

fn check_width(
    attach: &ast::Attach,
    settings: &Settings,
    shape: &Shape,
    fidelity: Option<Fidelity>,
    sink: &mut Diagnostics,
) -> Option<Width> {
    if fidelity == Some(Fidelity::Reference) && settings.lacks("width") {
        return reference_width(shape);
    }
    settings.require("`attach bottleneck`", attach.module.span, &["width"], sink);
    let width = settings.size("width", WIDTH, sink)?;
    if let Some(hidden) = shape.hidden
        && width.value > hidden.value
    {
        sink.push(WideBottleneck {
            wide: width.value,
            size: hidden.value,
            width: width.span,
            hidden: hidden.span,
        });
    }
    Some(Width(width.value))
}

/// A ladder's last step is the encoder's output, and its layers have no bottleneck of their own.
fn check_ladder(
    ladder: &Placed<Width>,
    bottlenecks: &[Placed<Width>],
    shape: &Shape,
    sink: &mut Diagnostics,
) {
    for inner in bottlenecks {
        if let Some(both) = intersection(&ladder.layers, &inner.layers) {
            let layers = layers_in_words(&both);
            sink.push(LadderConflict { layers, ladder: ladder.span, inner: inner.span });
        }
    }
    if let Some(layers) = shape.layers
        && ladder.layers.end < layers.value
    {
        sink.push(LadderEnd {
            start: ladder.layers.start,
            end: ladder.layers.end,
            depth: layers.value,
            span: ladder.span,
            layers: layers.span,
        });
    }
}

#[derive(Debug, Error, Diagnostic)]
#[error("no module is called `{module}`")]
#[diagnostic(code(cam::attach::unknown_module), help("{help}"))]
struct UnknownModule {
    module: String,
    help: String,
    #[label("unknown module")]
    span: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("`{module}` cannot be attached `{place}`")]
#[diagnostic(code(cam::attach::place), help("legal for `{module}`: {legal}"))]
struct IllegalPlace {
    module: String,
    place: String,
    legal: String,
    #[label("not here")]
    span: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("`{module}` is attached twice {place}")]
#[diagnostic(code(cam::attach::repeated), help("a place holds one module of a kind"))]
struct Repeated {
    module: String,
    place: String,
    #[label("first here")]
    first: Span,
    #[label(primary, "and again here")]
    again: Span,
}

impl Repeated {
    fn new(module: &str, place: String, first: Span, again: Span) -> Self {
        Self { module: module.into(), place, first, again }
    }
}

#[derive(Debug, Error, Diagnostic)]
#[error("the model has two ladders of bottlenecks")]
#[diagnostic(code(cam::attach::second_ladder), help("one ladder, across the layers of both"))]
struct SecondLadder {
    #[label("first here")]
    first: Span,
    #[label(primary, "and again here")]
    again: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("{layers} would have a bottleneck inside and a step of the ladder after")]
#[diagnostic(
    code(cam::attach::ladder_conflict),
    help("a layer has a bottleneck of one sort: `to layer`, or `across layers`")
)]
struct LadderConflict {
    layers: String,
    #[label("the ladder")]
    ladder: Span,
    #[label(primary, "inside the layer")]
    inner: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("the ladder ends below the last layer, so nothing uses layers {end}..{depth}")]
#[diagnostic(
    code(cam::attach::ladder_end),
    help("its last step is the encoder's output: `across layers {start}..{depth}`")
)]
struct LadderEnd {
    start: usize,
    end: usize,
    depth: usize,
    #[label(primary, "ends at layer {end}")]
    span: Span,
    #[label("the backbone's depth")]
    layers: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("a bottleneck of width {wide} is wider than hidden {size}")]
#[diagnostic(
    code(cam::shape::wide_bottleneck),
    severity(Warning),
    help("it narrows nothing; below `width {size}` it does")
)]
struct WideBottleneck {
    wide: usize,
    size: usize,
    #[label(primary, "wider")]
    width: Span,
    #[label("than this")]
    hidden: Span,
}

//! Parts of the backbone as `freeze` and `attach` name them: embeddings, layers in its range, pooler.

use std::ops::Range;

use miette::Diagnostic;
use thiserror::Error;

use crate::{
    diagnostics::{Diagnostics, did_you_mean},
    span::{Span, Spanned},
    syntax::ast::{self, Amount, Extent, Number},
};

/// A part, resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    Embeddings,
    /// Not empty, and inside the backbone where its depth is known.
    Layers(Range<usize>),
    Pooler,
}

const PARTS: [&str; 4] = ["embeddings", "layer", "layers", "pooler"];

/// `layers`: the backbone's depth, `None` where that is itself a mistake.
pub fn check_part(part: &ast::Part, layers: Option<Spanned<usize>>, sink: &mut Diagnostics) -> Option<Part> {
    match (part.name.text.as_str(), &part.extent) {
        ("embeddings", None) => Some(Part::Embeddings),
        ("pooler", None) => Some(Part::Pooler),
        ("layer", Some(Extent::One(number))) => {
            let at = index(number, sink)?;
            inside(at..at + 1, number.span, layers, sink).map(Part::Layers)
        }
        ("layers", Some(Extent::Range(range))) => {
            let (low, high) = (index(&range.low, sink), index(&range.high, sink));
            let (low, high) = (low?, high?);
            if low >= high {
                sink.push(EmptyRange { low, high, most: low.saturating_add(1), span: range.span });
                return None;
            }
            inside(low..high, range.span, layers, sink).map(Part::Layers)
        }
        // Has been told as no number.
        ("layers", Some(Extent::One(number))) if number.amount == Amount::Unclear => None,
        (word, _) => {
            let help = match (word, &part.extent) {
                ("layer", Some(Extent::Range(range))) => {
                    format!(
                        "`layers {}..{}` is a range, the last not included",
                        range.low.text, range.high.text
                    )
                }
                ("layers", Some(Extent::One(number))) => format!("`layer {}` is one layer", number.text),
                ("layer" | "layers", None) => "`layer 3` is one layer, `layers 0..6` are six".to_owned(),
                ("embeddings" | "pooler", _) => format!("`{word}` takes no number"),
                (word, _) => did_you_mean(word, &PARTS),
            };
            sink.push(UnknownPart { part: in_words(part), help, span: part.span });
            None
        }
    }
}

/// `layers 0..6`, as a message quotes it.
pub fn in_words(part: &ast::Part) -> String {
    let name = &part.name.text;
    match &part.extent {
        None => name.clone(),
        Some(Extent::One(number)) => format!("{name} {}", number.text),
        Some(Extent::Range(range)) => format!("{name} {}..{}", range.low.text, range.high.text),
    }
}

/// "layer 5" or "layers 5..8".
pub fn layers_in_words(layers: &Range<usize>) -> String {
    if layers.len() == 1 {
        format!("layer {}", layers.start)
    } else {
        format!("layers {}..{}", layers.start, layers.end)
    }
}

fn index(number: &Number, sink: &mut Diagnostics) -> Option<usize> {
    // Far below `usize::MAX`, so that an end after it can be formed.
    const MOST: u64 = u32::MAX as u64;
    match number.amount {
        Amount::Whole(value) => Some(usize::try_from(value.min(MOST)).unwrap_or(usize::MAX - 1)),
        Amount::Unclear => None,
        Amount::Decimal(_) | Amount::Percent(_) => {
            sink.push(BadIndex { text: number.text.clone(), span: number.span });
            None
        }
    }
}

fn inside(
    range: Range<usize>,
    span: Span,
    layers: Option<Spanned<usize>>,
    sink: &mut Diagnostics,
) -> Option<Range<usize>> {
    match layers {
        Some(layers) if range.end > layers.value => {
            sink.push(OutsideBackbone {
                range: layers_in_words(&range),
                depth: layers.value,
                last: layers.value - 1,
                span,
                layers: layers.span,
            });
            None
        }
        _ => Some(range),
    }
}

#[derive(Debug, Error, Diagnostic)]
#[error("`{part}` is no part of the backbone")]
#[diagnostic(code(cam::layer::unknown_part), help("{help}"))]
struct UnknownPart {
    part: String,
    help: String,
    #[label("unknown part")]
    span: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("`{text}` is no layer")]
#[diagnostic(code(cam::layer::index), help("layers are counted from 0: `layer 3`, `layers 0..6`"))]
struct BadIndex {
    text: String,
    #[label("expected a whole number")]
    span: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("`layers {low}..{high}` are no layers")]
#[diagnostic(
    code(cam::layer::empty_range),
    help("the end is not included: `layers {low}..{most}` is layer {low} alone")
)]
struct EmptyRange {
    low: usize,
    high: usize,
    most: usize,
    #[label("empty")]
    span: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("`{range}` reaches beyond the backbone's {depth} layers")]
#[diagnostic(
    code(cam::layer::outside),
    help("the last layer is `layer {last}`, all are `layers 0..{depth}`")
)]
struct OutsideBackbone {
    range: String,
    depth: usize,
    last: usize,
    #[label(primary, "beyond the last layer")]
    span: Span,
    #[label("the backbone's depth")]
    layers: Span,
}

//! `cache`: how much of the constant layers' outputs is kept from epoch to epoch, and whether there are such layers.

use miette::Diagnostic;
use thiserror::Error;

use super::{check_asserts::BYTES, values};
use crate::{
    diagnostics::Diagnostics,
    ir::{Flow, Program, Weights},
    span::Span,
    syntax::ast::{Entry, Value},
};

/// A pebibyte: more than any disk holds.
const MOST: f64 = (1_u64 << 50) as f64;

/// `cache 2 GiB` or `cache off`: bytes. `None` where a mistake was reported.
pub fn read_cache(entry: &Entry, sink: &mut Diagnostics) -> Option<Option<u64>> {
    const RIGHT: &str = "`cache 2 GiB`, with MiB, GiB, TiB, MB, GB or TB, or `cache off`";
    let (number, unit) = match entry.values.as_slice() {
        [Value::Word(word)] if word.text == "off" => return Some(None),
        [Value::Number(number), Value::Word(unit)] => (number, unit),
        _ => return values::report(entry, "a size with its unit, or `off`", RIGHT, sink),
    };
    let Some((_, factor)) = BYTES.iter().find(|(name, _)| *name == unit.text) else {
        return values::report(entry, "a size with its unit, or `off`", RIGHT, sink);
    };
    let bytes = values::decimal_of("cache", number, sink)?.value * factor;
    if !(1e6..=MOST).contains(&bytes) {
        return values::report(entry, "a size from 1 MB to 1024 TiB, or `off`", RIGHT, sink);
    }
    Some(Some(bytes as u64)) // up to 2^50, so exact but for a part of a byte
}

/// Warns of a cache that nothing is kept in; `entry` is where it is asked for, `alignment` where that is attached.
pub fn lint_cache(program: &Program, entry: Span, alignment: Option<Span>, sink: &mut Diagnostics) {
    if program.training.cache.is_some() && program.constant_part() == 0 {
        let alignment = alignment.filter(|_| program.embeddings.weights == Weights::Frozen);
        sink.push(UnusedCache { why: why_not_constant(program), span: entry, alignment });
    }
}

/// What keeps the lowest layer from being constant.
fn why_not_constant(program: &Program) -> &'static str {
    let first = &program.layers[0];
    if program.embeddings.weights == Weights::Trained {
        "the embeddings before all layers are trained"
    } else if program.embeddings.alignment {
        "alignment before all layers is trained"
    } else if first.weights == Weights::Trained {
        "layer 0 is trained"
    } else if first.flow != Flow::Constant {
        "the module of layer 0 is trained"
    } else {
        "the ladder begins at layer 0"
    }
}

#[derive(Debug, Error, Diagnostic)]
#[error("`cache` has nothing to keep, as no layer is constant: {why}")]
#[diagnostic(
    code(cam::train::unused_cache),
    severity(Warning),
    help(
        "constant are the embeddings and lowest layers that are frozen, with no module in or before them; \
         `camtlc graph` shows the state of each"
    )
)]
struct UnusedCache {
    why: &'static str,
    #[label(primary, "no effect")]
    span: Span,
    #[label("trained")]
    alignment: Option<Span>,
}

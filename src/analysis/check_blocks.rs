//! `blocks` of conditional attention: M(z) is block-diagonal over the sequence, N blocks of ceil(L/N).

use miette::Diagnostic;
use thiserror::Error;

use super::{check_shapes::Shape, settings::Settings};
use crate::{
    diagnostics::{Diagnostics, enumerate},
    ir::Blocks,
    span::{Span, Spanned},
    syntax::ast,
};

const BLOCKS: usize = 100_000;

pub fn check_blocks(
    attach: &ast::Attach,
    settings: &Settings,
    shape: &Shape,
    sink: &mut Diagnostics,
) -> Option<Blocks> {
    let sequence = shape.sequence;
    let count = match settings.get("blocks") {
        Some(_) => settings.size("blocks", BLOCKS, sink)?,
        None if settings.lacks("blocks") => default_blocks(attach, sequence?, shape.hidden?, sink)?,
        None => return None,
    };
    let sequence = sequence?;
    let Some(blocks) = Blocks::new(sequence.value, count.value) else {
        sink.push(EmptyBlock {
            count: count.value,
            length: sequence.value,
            legal: nearest(sequence.value, count.value, |n| Blocks::new(sequence.value, n).is_some()),
            blocks: count.span,
            sequence: sequence.span,
        });
        return None;
    };
    if blocks.last != blocks.block {
        sink.push(UnevenBlocks {
            count: count.value,
            length: sequence.value,
            block: blocks.block,
            last: blocks.last,
            even: nearest(sequence.value, count.value, |n| sequence.value.is_multiple_of(n)),
            blocks: count.span,
            sequence: sequence.span,
        });
    }
    Some(blocks)
}

/// N = d/L, as in the paper, which has to come out whole.
fn default_blocks(
    attach: &ast::Attach,
    sequence: Spanned<usize>,
    hidden: Spanned<usize>,
    sink: &mut Diagnostics,
) -> Option<Spanned<usize>> {
    let (length, size) = (sequence.value, hidden.value);
    if size.is_multiple_of(length) {
        return Some(Spanned::new(size / length, attach.module.span));
    }
    let divides = |candidate: &usize| size.is_multiple_of(*candidate);
    let below = (1..length.min(size + 1)).rev().find(divides);
    let above = (length + 1..=size).find(divides);
    let legal: Vec<String> =
        below.into_iter().chain(above).map(|length| format!("`sequence {length}`")).collect();
    sink.push(NoDefaultBlocks {
        length,
        size,
        legal: enumerate(&legal, "or"),
        module: attach.module.span,
        sequence: sequence.span,
        hidden: hidden.span,
    });
    None
}

/// The counts next to `count`, below and above, of which `legal` holds; 1 always is.
fn nearest(sequence: usize, count: usize, legal: impl Fn(usize) -> bool) -> String {
    let below = (1..count.min(sequence + 1)).rev().find(|&n| legal(n));
    let above = (count + 1..=sequence).find(|&n| legal(n));
    let near: Vec<String> = below.into_iter().chain(above).map(|n| format!("`blocks {n}`")).collect();
    enumerate(&near, "or")
}

#[derive(Debug, Error, Diagnostic)]
#[error("{count} blocks over a sequence of {length} leave a block empty")]
#[diagnostic(code(cam::shape::blocks), help("nearest legal: {legal}"))]
struct EmptyBlock {
    count: usize,
    length: usize,
    legal: String,
    #[label(primary, "too many")]
    blocks: Span,
    #[label("for this length")]
    sequence: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("{count} blocks over a sequence of {length} are uneven: {block} positions each, the last {last}")]
#[diagnostic(code(cam::shape::uneven_blocks), severity(Warning), help("nearest even: {even}"))]
struct UnevenBlocks {
    count: usize,
    length: usize,
    block: usize,
    last: usize,
    even: String,
    #[label(primary, "uneven blocks")]
    blocks: Span,
    #[label("of this length")]
    sequence: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("`attach attention` without `blocks` takes hidden / sequence, and {length} does not divide {size}")]
#[diagnostic(code(cam::shape::default_blocks), help("nearest legal: {legal}; or `{{ blocks N }}`"))]
struct NoDefaultBlocks {
    length: usize,
    size: usize,
    legal: String,
    #[label(primary, "no `blocks` given")]
    module: Span,
    #[label("does not divide hidden")]
    sequence: Span,
    #[label("hidden")]
    hidden: Span,
}

//! The backbone's sizes and the sequence: set, in bounds, and fitting each other.

use miette::Diagnostic;
use thiserror::Error;

use super::{index_items::Items, settings::Settings, values};
use crate::{
    diagnostics::{Diagnostics, did_you_mean},
    ir::{Family, Origin},
    span::{Span, Spanned},
    syntax::ast,
};

/// The largest legal sizes. With them no count of parameters leaves a `usize`.
const LAYERS: usize = 1_000;
const HIDDEN: usize = 100_000;
const FFN: usize = 1_000_000;
const VOCAB: usize = 10_000_000;
const POSITIONS: usize = 100_000;
const TOKEN_TYPES: usize = 1_000;

const KEYS: [&str; 9] =
    ["checkpoint", "tokenizer", "layers", "hidden", "heads", "ffn", "vocab", "positions", "token_types"];

const FAMILIES: [Family; 2] = [Family::Bert, Family::Roberta];

/// What is known of the network's shape; `None` where a mistake was reported.
#[derive(Debug, Default)]
pub struct Shape {
    pub family: Family,
    pub origin: Option<Spanned<Origin>>,
    pub layers: Option<Spanned<usize>>,
    pub hidden: Option<Spanned<usize>>,
    pub heads: Option<Spanned<usize>>,
    pub ffn: Option<Spanned<usize>>,
    pub vocab: Option<Spanned<usize>>,
    pub positions: Option<Spanned<usize>>,
    /// 2 where the file is silent, as in BERT; 1 in RoBERTa.
    pub token_types: Option<usize>,
    pub sequence: Option<Spanned<usize>>,
}

pub fn check_shapes(items: &Items, sink: &mut Diagnostics) -> Shape {
    let mut shape = items.backbone.map_or_else(Shape::default, |backbone| read_backbone(backbone, sink));
    shape.sequence =
        items.sequence.and_then(|item| values::size_of("sequence", &item.length, POSITIONS, sink));
    if let (Some(sequence), Some(positions)) = (shape.sequence, shape.positions)
        && let unused = unused_positions(shape.family)
        && sequence.value + unused > positions.value
    {
        sink.push(SequenceBeyondPositions {
            length: sequence.value,
            most: positions.value.saturating_sub(unused),
            unused: if unused > 0 { ": RoBERTa's first two are of no token" } else { "" },
            sequence: sequence.span,
            positions: positions.span,
        });
    }
    shape
}

/// Rows of the position embedding that no token has: RoBERTa's first two.
fn unused_positions(family: Family) -> usize {
    match family {
        Family::Bert => 0,
        Family::Roberta => 2,
    }
}

fn read_backbone(backbone: &ast::Backbone, sink: &mut Diagnostics) -> Shape {
    let family = FAMILIES.into_iter().find(|family| family.name() == backbone.kind.text);
    if family.is_none() {
        sink.push(UnknownBackbone {
            kind: backbone.kind.text.clone(),
            help: did_you_mean(&backbone.kind.text, &FAMILIES.map(Family::name)),
            span: backbone.kind.span,
        });
    }
    // nothing is made of an unknown one
    let family = family.unwrap_or_default();
    let settings = Settings::read("`backbone`", &backbone.body.entries, &KEYS, sink);
    let needed = ["layers", "hidden", "heads", "ffn", "vocab", "positions"];
    settings.require("`backbone`", backbone.kind.span, &needed, sink);
    let token_types = match settings.get("token_types") {
        Some(_) => settings.size("token_types", TOKEN_TYPES, sink).map(|rows| rows.value),
        None => Some(if family == Family::Bert { 2 } else { 1 }),
    };
    Shape {
        family,
        origin: read_origin(backbone, &settings, sink),
        layers: settings.size("layers", LAYERS, sink),
        hidden: settings.size("hidden", HIDDEN, sink),
        heads: settings.size("heads", HIDDEN, sink),
        ffn: settings.size("ffn", FFN, sink),
        vocab: settings.size("vocab", VOCAB, sink),
        positions: settings.size("positions", POSITIONS, sink),
        token_types,
        sequence: None,
    }
}

/// `checkpoint` or `tokenizer`, never both.
fn read_origin(
    backbone: &ast::Backbone,
    settings: &Settings,
    sink: &mut Diagnostics,
) -> Option<Spanned<Origin>> {
    match (settings.get("checkpoint"), settings.get("tokenizer")) {
        (Some(checkpoint), Some(tokenizer)) => {
            sink.push(TwoOrigins { checkpoint: checkpoint.span, tokenizer: tokenizer.span });
            None
        }
        (None, None) => {
            if settings.lacks("checkpoint") && settings.lacks("tokenizer") {
                sink.push(NoOrigin { at: backbone.kind.span });
            }
            None
        }
        (Some(entry), None) => {
            let text = settings.text("checkpoint", sink)?;
            Some(Spanned::new(Origin::Checkpoint(text.text.clone()), entry.span))
        }
        (None, Some(entry)) => {
            let text = settings.text("tokenizer", sink)?;
            Some(Spanned::new(Origin::Scratch { tokenizer: text.text.clone() }, entry.span))
        }
    }
}

/// For a backbone whose right sizes nobody knows: a checkpoint's are told by `check_checkpoint`.
pub fn check_heads(shape: &Shape, sink: &mut Diagnostics) {
    let (Some(heads), Some(hidden)) = (shape.heads, shape.hidden) else { return };
    let (count, size) = (heads.value, hidden.value);
    if size.is_multiple_of(count) {
        return;
    }
    let divides = |candidate: &usize| size.is_multiple_of(*candidate);
    // 1 and the size itself divide it, so only the side above a count beyond the size is empty.
    let below = (1..count).rev().find(divides);
    let above = (count + 1..=size).find(divides);
    let legal: Vec<String> = below.into_iter().chain(above).map(|count| format!("`heads {count}`")).collect();
    let hidden_near = (size + count / 2).max(count) / count * count;
    sink.push(HeadsDoNotDivide {
        count,
        size,
        legal: legal.join(" or "),
        hidden_near,
        heads: heads.span,
        hidden: hidden.span,
    });
}

#[derive(Debug, Error, Diagnostic)]
#[error("{count} heads do not divide hidden {size}")]
#[diagnostic(code(cam::shape::heads), help("nearest legal: {legal}, or `hidden {hidden_near}`"))]
struct HeadsDoNotDivide {
    count: usize,
    size: usize,
    legal: String,
    hidden_near: usize,
    #[label(primary, "each head takes an equal share")]
    heads: Span,
    #[label("of this")]
    hidden: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("sequence {length} is longer than the backbone's {most} positions{unused}")]
#[diagnostic(code(cam::shape::positions), help("at most `sequence {most}`"))]
struct SequenceBeyondPositions {
    length: usize,
    most: usize,
    /// What becomes of the other rows, in words.
    unused: &'static str,
    #[label(primary, "too long")]
    sequence: Span,
    #[label("rows of the position embedding")]
    positions: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("no backbone is called `{kind}`")]
#[diagnostic(code(cam::backbone::unknown), help("{help}"))]
struct UnknownBackbone {
    kind: String,
    help: String,
    #[label("unknown backbone")]
    span: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("the backbone has both a checkpoint and a tokenizer of its own")]
#[diagnostic(
    code(cam::backbone::two_origins),
    help("a checkpoint brings its tokenizer; `tokenizer` alone starts from random weights")
)]
struct TwoOrigins {
    #[label("pretrained weights")]
    checkpoint: Span,
    #[label("random weights")]
    tokenizer: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("the backbone does not say where its weights come from")]
#[diagnostic(
    code(cam::backbone::no_origin),
    help("`checkpoint \"bert-base-cased\"` loads them, `tokenizer \"vocab.txt\"` starts from random ones")
)]
struct NoOrigin {
    #[label("neither `checkpoint` nor `tokenizer`")]
    at: Span,
}

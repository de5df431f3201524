//! The model's sizes against those of its checkpoint, where they are known before anything is loaded.
//!
//! The checkpoint's own `config.json` counts if it is at hand, else what is known by its name. What is in neither
//! is compared when the weights are loaded.

use miette::Diagnostic;
use thiserror::Error;

use super::{
    check_shapes::Shape,
    checkpoints::{self, Checkpoint},
    files::Files,
};
use crate::{
    diagnostics::Diagnostics,
    ir::Origin,
    span::{Span, Spanned},
};

/// Gives whether the checkpoint's sizes are known.
pub fn check_checkpoint(shape: &Shape, files: &dyn Files, sink: &mut Diagnostics) -> bool {
    let Some(Spanned { value: Origin::Checkpoint(name), span }) = &shape.origin else { return false };
    let config = files.checkpoint_config(name);
    let found = match &config {
        Some(text) => checkpoints::from_config(text),
        None => checkpoints::known(name),
    };
    let Some(Checkpoint { layers, hidden, heads, ffn, vocab, positions }) = found else { return false };
    let sizes = [
        ("layers", shape.layers, layers),
        ("hidden", shape.hidden, hidden),
        ("heads", shape.heads, heads),
        ("ffn", shape.ffn, ffn),
        ("vocab", shape.vocab, vocab),
        ("positions", shape.positions, positions),
    ];
    for (key, written, has) in sizes {
        let Some(written) = written.filter(|written| written.value != has) else { continue };
        if key == "layers" && written.value < has {
            sink.push(NotLoaded {
                name: name.clone(),
                has,
                taken: written.value,
                span: written.span,
                checkpoint: *span,
            });
        } else {
            let name = name.clone();
            sink.push(OtherSize { name, key, has, span: written.span, checkpoint: *span });
        }
    }
    true
}

#[derive(Debug, Error, Diagnostic)]
#[error("layers {taken}..{has} of `{name}` would never be loaded")]
#[diagnostic(
    code(cam::freezing::not_loaded),
    help("all that is pretrained belongs to the model: `layers {has}`")
)]
struct NotLoaded {
    name: String,
    has: usize,
    taken: usize,
    #[label(primary, "takes {taken} of them")]
    span: Span,
    #[label("has {has} layers")]
    checkpoint: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("`{name}` has another `{key}`")]
#[diagnostic(code(cam::backbone::checkpoint), help("in this checkpoint: `{key} {has}`"))]
struct OtherSize {
    name: String,
    key: &'static str,
    has: usize,
    #[label(primary, "differs")]
    span: Span,
    #[label("`{key} {has}`")]
    checkpoint: Span,
}

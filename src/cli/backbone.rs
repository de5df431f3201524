//! The folder of a model's pretrained backbone: what the arguments name, what lies here, or what a hub has.

use std::path::{Path, PathBuf};

#[cfg(not(feature = "hub"))]
use miette::Diagnostic;
#[cfg(not(feature = "hub"))]
use thiserror::Error;

use super::Outcome;
use crate::ir::{Origin, Program};

/// What to pass on as `--backbone`; `None` where the model's own program finds it, or says that it does not.
pub fn folder(program: &Program, given: Option<&Path>) -> Outcome<Option<PathBuf>> {
    if let Some(given) = given {
        return Ok(Some(given.to_owned()));
    }
    match &program.backbone.origin {
        Origin::Checkpoint(name) if !Path::new(name).is_dir() => fetched(name),
        _ => Ok(None),
    }
}

#[cfg(feature = "hub")]
fn fetched(name: &str) -> Outcome<Option<PathBuf>> {
    use crate::hub::{Hub, Id, fetch};

    let Some(id) = Id::parse(name) else { return Ok(None) };
    Ok(Some(fetch(&id, &Hub::from_environment(), &|text| eprintln!("{text}"))?))
}

/// Without the feature `hub` a name has to be a folder's, which is said before anything long is built.
#[cfg(not(feature = "hub"))]
fn fetched(name: &str) -> Outcome<Option<PathBuf>> {
    Err(NotHere { name: name.to_owned() }.into())
}

#[cfg(not(feature = "hub"))]
#[derive(Debug, Error, Diagnostic)]
#[error("the model's checkpoint `{name}` is not a folder here, and this camtlc fetches none")]
#[diagnostic(
    code(camtlc::backbone),
    help(
        "name a folder with config.json, model.safetensors and the tokenizer: --backbone DIR; a camtlc that was built with `cargo install --path . --features hub` fetches a checkpoint by its id"
    )
)]
struct NotHere {
    name: String,
}

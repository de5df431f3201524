//! The folder of a model's pretrained backbone: what the arguments name, what lies here, or what a hub has.

use std::path::{Path, PathBuf};

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

/// Without the feature `hub` a name has to be a folder's.
#[cfg(not(feature = "hub"))]
fn fetched(_: &str) -> Outcome<Option<PathBuf>> {
    Ok(None)
}

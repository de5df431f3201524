//! Where a trained model lies: a run's checkpoint, or a checkpoint's folder and a tokenizer.

use std::path::{Path, PathBuf};

use super::checkpoint::{CheckpointError, Which};
use super::run::RunError;
use crate::authors::AuthorsError;
use crate::data::TokenizerError;

/// A trained model on disk. A path alone means the best checkpoint of the run in that folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SavedModel {
    Run {
        folder: PathBuf,
        which: Which,
    },
    /// For a model that is used without the rest of its run.
    Checkpoint {
        /// With `model.safetensors`, as `step-N` of a run.
        folder: PathBuf,
        /// A `tokenizer.json`, a `vocab.txt` or a folder with one of them, as `tokenizer` of a run.
        tokenizer: PathBuf,
    },
}

impl SavedModel {
    /// A checkpoint of the run in `folder`.
    pub fn run(folder: impl Into<PathBuf>, which: Which) -> Self {
        Self::Run { folder: folder.into(), which }
    }

    /// A checkpoint's own folder, and where its tokenizer lies; both may be the same.
    pub fn checkpoint(folder: impl Into<PathBuf>, tokenizer: impl Into<PathBuf>) -> Self {
        Self::Checkpoint { folder: folder.into(), tokenizer: tokenizer.into() }
    }
}

impl From<PathBuf> for SavedModel {
    fn from(run: PathBuf) -> Self {
        Self::run(run, Which::Best)
    }
}

impl From<&Path> for SavedModel {
    fn from(run: &Path) -> Self {
        Self::run(run, Which::Best)
    }
}

impl From<&PathBuf> for SavedModel {
    fn from(run: &PathBuf) -> Self {
        Self::run(run, Which::Best)
    }
}

impl From<&str> for SavedModel {
    fn from(run: &str) -> Self {
        Self::run(run, Which::Best)
    }
}

impl From<String> for SavedModel {
    fn from(run: String) -> Self {
        Self::run(run, Which::Best)
    }
}

/// Why a saved model cannot be used.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[non_exhaustive]
pub enum SavedModelError {
    #[error(transparent)]
    #[diagnostic(transparent)]
    Run(#[from] RunError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Authors(#[from] AuthorsError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Tokenizer(#[from] TokenizerError),
}

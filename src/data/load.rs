//! A split of a task, tokenized: from the cache where one fits, else from its file.

use std::path::Path;

use super::cache;
use super::dataset::Dataset;
use super::read::{self, Expected, ReadError, Unreadable};
use super::source::{Kind, Source, Split};
use super::tokenizer::{Tokenizer, TokenizerError};

/// Which examples are wanted.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The task's name, for messages.
    pub task: &'a str,
    pub source: Source,
    pub kind: Kind,
    pub split: Split,
    /// The data folder.
    pub root: &'a Path,
    pub unreadable: Unreadable,
    /// A folder for token caches, made where it is missing; `None` to tokenize anew.
    pub cache: Option<&'a Path>,
}

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum LoadError {
    #[error(transparent)]
    #[diagnostic(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Tokenizer(#[from] TokenizerError),
}

/// Loads the examples of a request.
///
/// A cache is bound to the content of everything it was made from, never to names or dates, so that it cannot be
/// stale. A cache that is damaged, or that cannot be written, costs a warning and the time to tokenize.
///
/// # Errors
/// What reading ([`ReadError`]) and tokenizing ([`TokenizerError`]) find.
pub fn load(request: &Request<'_>, tokenizer: &Tokenizer) -> Result<Dataset, LoadError> {
    let Request { task, source, kind, split, root, unreadable, cache: folder } = *request;
    let path = read::locate(task, source, split, root)?;
    let bytes = read::read_bytes(&path)?;
    let content = blake3::hash(&bytes);
    let key = key(request, tokenizer, &content);
    if let Some(folder) = folder
        && let Some(dataset) = cache::fetch(folder, &key, content)
    {
        return Ok(dataset);
    }
    let expected = Expected { kind, labelled: split.labelled(), unreadable };
    let examples = read::parse(task, source, split, &path, &bytes, expected)?;
    let unused = examples.left_out.unused;
    if unused > 0 {
        tracing::warn!(task, file = %path.display(), rows = unused, "rows left out: the data set says that they have no label");
    }
    let dataset = Dataset::encode(&examples, tokenizer, kind, content)?;
    if let Some(folder) = folder {
        cache::store(folder, &key, &dataset);
    }
    Ok(dataset)
}

/// Of everything that the tokens and targets depend on. A new field of the request that changes them goes in here.
fn key(request: &Request<'_>, tokenizer: &Tokenizer, content: &blake3::Hash) -> blake3::Hash {
    // Debug output of a tuple quotes its strings, so that no two keys run together.
    let text = format!(
        "{:?}",
        (
            cache::FORMAT,
            content.to_hex().as_str(),
            tokenizer.fingerprint(),
            tokenizer.sequence(),
            request.source.format,
            request.split,
            request.kind,
            request.unreadable,
        )
    );
    blake3::hash(text.as_bytes())
}

//! Everything that a training reads, opened and checked before anything is written.

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::batches::Batches;
use super::plan::{Backbone, Origin, Plan};
use crate::data::{Dataset, LoadError, Request, Split, Tokenizer, TokenizerError, Unreadable, load};
use crate::nn::pretrained::{self, Checkpoint, Expected, PretrainedError};

/// Tokenizer, data and pretrained weights of a training.
#[derive(Debug)]
pub struct Inputs {
    pub tokenizer: Tokenizer,
    /// The file or folder that it was read from.
    pub tokenizer_path: PathBuf,
    pub train: Batches,
    pub dev: Batches,
    /// `None` for a backbone that starts from random weights.
    pub backbone: Option<(PathBuf, Checkpoint)>,
}

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[non_exhaustive]
pub enum InputError {
    #[error(transparent)]
    #[diagnostic(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Tokenizer(#[from] TokenizerError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Pretrained(#[from] PretrainedError),

    #[error("there is no data folder `{}`", .folder.display())]
    #[diagnostic(
        code(data::root),
        help("the folder that the tasks' folders lie in is named with --data DIR")
    )]
    NoData { folder: PathBuf },

    #[error("the model's checkpoint `{checkpoint}` is not a folder here")]
    #[diagnostic(
        code(backbone::folder),
        help(
            "`camtlc train` fetches a checkpoint by the id that a hub knows it by; a model's own program takes a folder with config.json, model.safetensors and the tokenizer: --backbone DIR"
        )
    )]
    NoBackbone { checkpoint: String },

    #[error("the model starts its backbone from random weights, so that --backbone has no use")]
    #[diagnostic(code(backbone::unused), help("leave --backbone out, or write `checkpoint` in the model"))]
    UnusedBackbone,

    #[error("the {split} split of task `{task}` has no labels")]
    #[diagnostic(
        code(data::unlabelled),
        help("`predict` works without labels; `eval` takes --split dev or train")
    )]
    Unlabelled { task: &'static str, split: Split },
}

impl Inputs {
    /// Opens what `plan` names; `backbone` overrides where the pretrained weights lie.
    pub fn open(
        plan: &Plan,
        data: &Path,
        backbone: Option<&Path>,
        cache: Option<&Path>,
    ) -> Result<Self, InputError> {
        let tokenizer_path = tokenizer_path(plan, data, backbone)?;
        let backbone = match plan.backbone.origin {
            Origin::Scratch { .. } => None,
            Origin::Checkpoint(_) => Some((tokenizer_path.clone(), Checkpoint::open(&tokenizer_path)?)),
        };
        Self::with(plan, data, tokenizer_path, backbone, cache)
    }

    /// For a training that takes over another's weights, with its tokenizer.
    pub fn from_run(
        plan: &Plan,
        data: &Path,
        tokenizer: PathBuf,
        cache: Option<&Path>,
    ) -> Result<Self, InputError> {
        if !data.is_dir() {
            return Err(InputError::NoData { folder: data.to_owned() });
        }
        Self::with(plan, data, tokenizer, None, cache)
    }

    fn with(
        plan: &Plan,
        data: &Path,
        tokenizer_path: PathBuf,
        backbone: Option<(PathBuf, Checkpoint)>,
        cache: Option<&Path>,
    ) -> Result<Self, InputError> {
        let tokenizer = Tokenizer::open(&tokenizer_path, plan.backbone.vocab, plan.sequence)?;
        let train = split(plan, Split::Train, data, &tokenizer, cache)?;
        let dev = split(plan, Split::Dev, data, &tokenizer, cache)?;
        Ok(Self { tokenizer, tokenizer_path, train, dev, backbone })
    }
}

/// The file or folder of the tokenizer: a checkpoint's own folder, or a file of the data.
///
/// # Errors
/// A data folder or a checkpoint that is not there, and a `backbone` that has no use.
pub fn tokenizer_path(plan: &Plan, data: &Path, backbone: Option<&Path>) -> Result<PathBuf, InputError> {
    if !data.is_dir() {
        return Err(InputError::NoData { folder: data.to_owned() });
    }
    match (plan.backbone.origin, backbone) {
        (Origin::Scratch { .. }, Some(_)) => Err(InputError::UnusedBackbone),
        (Origin::Scratch { tokenizer }, None) => Ok(data.join(tokenizer)),
        (Origin::Checkpoint(_), Some(given)) => Ok(given.to_owned()),
        (Origin::Checkpoint(name), None) if Path::new(name).is_dir() => Ok(PathBuf::from(name)),
        (Origin::Checkpoint(name), None) => Err(InputError::NoBackbone { checkpoint: name.to_owned() }),
    }
}

/// One split of every task, tokenized. Every task has at least one example.
///
/// # Errors
/// What reading finds, and a split without labels.
pub fn split(
    plan: &Plan,
    split: Split,
    data: &Path,
    tokenizer: &Tokenizer,
    cache: Option<&Path>,
) -> Result<Batches, InputError> {
    let of = |task: &super::plan::Task| -> Result<Dataset, InputError> {
        let request = Request {
            task: task.name,
            source: task.data,
            kind: task.kind,
            split,
            root: data,
            unreadable: Unreadable::Fail,
            cache,
        };
        let dataset = load(&request, tokenizer)?;
        if !dataset.labelled() {
            return Err(InputError::Unlabelled { task: task.name, split });
        }
        Ok(dataset)
    };
    // all at once, and of several mistakes the first task's
    let datasets: Vec<Result<Dataset, InputError>> = plan.tasks.par_iter().map(of).collect();
    Ok(Batches::new(datasets.into_iter().collect::<Result<_, _>>()?))
}

/// The sizes that a pretrained checkpoint must have.
pub fn expected(backbone: &Backbone) -> pretrained::Expected {
    let Backbone { family, layers, hidden, heads, ffn, vocab, positions, token_types, .. } = *backbone;
    Expected { family, layers, hidden, heads, ffn, vocab, positions, token_types }
}

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

/// Where the data of all tasks lie, and how they are read.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'a> {
    /// The folder that the tasks' folders lie in.
    pub data: &'a Path,
    pub unreadable: Unreadable,
    /// A folder for token caches; `None` to tokenize anew.
    pub cache: Option<&'a Path>,
}

impl<'a> Reading<'a> {
    /// A row that cannot be read is an error.
    pub fn strict(data: &'a Path, cache: Option<&'a Path>) -> Self {
        Self { data, unreadable: Unreadable::Fail, cache }
    }
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
    pub fn open(plan: &Plan, reading: Reading<'_>, backbone: Option<&Path>) -> Result<Self, InputError> {
        let tokenizer_path = tokenizer_path(plan, reading.data, backbone)?;
        let backbone = match plan.backbone.origin {
            Origin::Scratch { .. } => None,
            Origin::Checkpoint(_) => Some((tokenizer_path.clone(), Checkpoint::open(&tokenizer_path)?)),
        };
        Self::with(plan, reading, tokenizer_path, backbone)
    }

    /// For a training that takes over another's weights, with its tokenizer.
    pub fn from_run(plan: &Plan, reading: Reading<'_>, tokenizer: PathBuf) -> Result<Self, InputError> {
        if !reading.data.is_dir() {
            return Err(InputError::NoData { folder: reading.data.to_owned() });
        }
        Self::with(plan, reading, tokenizer, None)
    }

    fn with(
        plan: &Plan,
        reading: Reading<'_>,
        tokenizer_path: PathBuf,
        backbone: Option<(PathBuf, Checkpoint)>,
    ) -> Result<Self, InputError> {
        let tokenizer = Tokenizer::open(&tokenizer_path, plan.backbone.vocab, plan.sequence)?;
        let train = split(plan, Split::Train, reading, &tokenizer)?;
        let dev = split(plan, Split::Dev, reading, &tokenizer)?;
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
    reading: Reading<'_>,
    tokenizer: &Tokenizer,
) -> Result<Batches, InputError> {
    let of = |task: &super::plan::Task| -> Result<Dataset, InputError> {
        let request = Request {
            task: task.name,
            source: task.data,
            kind: task.kind,
            split,
            root: reading.data,
            unreadable: reading.unreadable,
            cache: reading.cache,
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

/// What is to be told of rows that could not be read, a paragraph a task; `None` where all could.
pub fn left_out(plan: &Plan, split: Split, batches: &Batches) -> Option<String> {
    let sets = plan.tasks.iter().zip(batches.datasets());
    let told: Vec<String> = sets
        .filter(|(_, set)| set.left_out().unreadable > 0)
        .map(|(task, set)| format!("{}, {split}: {}", task.name, set.left_out()))
        .collect();
    (!told.is_empty()).then(|| told.join("\n"))
}

/// The sizes that a pretrained checkpoint must have.
pub fn expected(backbone: &Backbone) -> pretrained::Expected {
    let Backbone { family, layers, hidden, heads, ffn, vocab, positions, token_types, .. } = *backbone;
    Expected { family, layers, hidden, heads, ffn, vocab, positions, token_types }
}

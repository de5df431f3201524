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
            "hub downloads are not there yet: put config.json, model.safetensors and the tokenizer into a folder and name it with --backbone DIR"
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
        if !data.is_dir() {
            return Err(InputError::NoData { folder: data.to_owned() });
        }
        let (tokenizer_path, backbone) = match (plan.backbone.origin, backbone) {
            (Origin::Scratch { .. }, Some(_)) => return Err(InputError::UnusedBackbone),
            (Origin::Scratch { tokenizer }, None) => (data.join(tokenizer), None),
            (Origin::Checkpoint(name), given) => {
                let folder = given.map_or_else(|| PathBuf::from(name), Path::to_owned);
                if given.is_none() && !folder.is_dir() {
                    return Err(InputError::NoBackbone { checkpoint: name.to_owned() });
                }
                let checkpoint = Checkpoint::open(&folder)?;
                (folder.clone(), Some((folder, checkpoint)))
            }
        };
        let tokenizer = Tokenizer::open(&tokenizer_path, plan.backbone.vocab, plan.sequence)?;
        let train = split(plan, Split::Train, data, &tokenizer, cache)?;
        let dev = split(plan, Split::Dev, data, &tokenizer, cache)?;
        Ok(Self { tokenizer, tokenizer_path, train, dev, backbone })
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

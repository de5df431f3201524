//! What can be wrong with a checkpoint.

use std::path::PathBuf;

use miette::Diagnostic;
use thiserror::Error;

#[derive(Debug, Diagnostic, Error)]
pub enum PretrainedError {
    #[error("no checkpoint folder at {}", directory.display())]
    #[diagnostic(
        code(cam::checkpoint::missing),
        help(
            "a Hugging Face folder holds config.json, model.safetensors, and tokenizer.json, vocab.txt, or vocab.json with merges.txt; name it with --backbone DIR"
        )
    )]
    NoDirectory { directory: PathBuf },

    #[error("{} holds no model.safetensors", directory.display())]
    #[diagnostic(
        code(cam::checkpoint::weights),
        help(
            "a checkpoint in another format (pytorch_model.bin, shards) can be saved anew with `model.save_pretrained(dir, safe_serialization=True)`"
        )
    )]
    NoWeights { directory: PathBuf },

    #[error("cannot read {}: {cause}", path.display())]
    #[diagnostic(
        code(cam::checkpoint::unreadable),
        help("the file may be cut short, or not what its name says")
    )]
    File { path: PathBuf, cause: String },

    #[error("the checkpoint in {} is of another size than the model:\n  {}", directory.display(), differences.join("\n  "))]
    #[diagnostic(
        code(cam::checkpoint::size),
        help(
            "change the `backbone` block of the model to the checkpoint's sizes, or name another checkpoint with --backbone DIR"
        )
    )]
    OtherSize { directory: PathBuf, differences: Vec<String> },

    #[error("{} does not fit the model:\n  {}", path.display(), problems.join("\n  "))]
    #[diagnostic(
        code(cam::checkpoint::tensors),
        help(
            "every tensor of the checkpoint and every parameter of the backbone must meet: a tensor left over or missing would silently change the network"
        )
    )]
    Mismatch { path: PathBuf, problems: Vec<String> },
}

//! A run: the folder in which everything of one training is kept.
//!
//! | in it | holds |
//! |---|---|
//! | `model.cam` | the model as it was written |
//! | `run.json` | [`Record`]: fingerprints, seed, settings, versions, paths, counts, time |
//! | `tokenizer/` | the tokenizer, so that a run is asked without the backbone's folder |
//! | `events.jsonl`, `eval.jsonl` | see [`events`](super::events) |
//! | `picks.jsonl` | see [`picks`](super::picks), where `--log-picks` asked for it |
//! | `checkpoints/` | see [`checkpoint`](super::checkpoint) |
//! | `profile.json` | where time and memory went, where `--profile` asked for it |
//! | `report.html` | see [`report`](super::report) |
//! | `.lock` | nothing: held by the process that trains |

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::batches::Batches;
use super::checkpoint::Best;
use super::files::{self, FileError};
use super::plan::{Plan, Training};
use super::transfer::Transfer;
use crate::data::{Dataset, Tokenizer, TokenizerError};

/// An existing run.
#[derive(Clone, Debug)]
pub struct Run {
    pub folder: PathBuf,
    pub record: Record,
}

/// `run.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    /// The model's name.
    pub model: String,
    /// Which variant of it; absent for the model itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// The file that it was built from, where that is known.
    pub model_path: Option<PathBuf>,
    /// Version of the runtime.
    pub camtl: String,
    pub fingerprints: Fingerprints,
    pub seed: u64,
    /// What the model says, with what the command line changed.
    pub settings: Value,
    /// Steps that were planned.
    pub steps: usize,
    pub parameters: Counts,
    pub paths: Paths,
    /// By the tasks' names.
    pub data: Value,
    /// Of a training that started from another run: what it took over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transfer: Option<Transfer>,
    /// The log whose picks it replayed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replayed: Option<PathBuf>,
    /// The device and the precision that it began on; absent in runs of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// Seconds since 1970.
    pub started: u64,
    /// Where it was interrupted and went on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resumed: Vec<Resumed>,
    /// `None` while the training runs, or where it was killed.
    pub finished: Option<Finished>,
}

impl Record {
    /// Where it was trained last, as far as that is known.
    pub fn last_device(&self) -> Option<&str> {
        self.resumed.last().map(|resumed| resumed.device.as_str()).or(self.device.as_deref())
    }

    /// `camtl_base`, or `camtl_base.baseline` for a variant.
    pub fn full_name(&self) -> String {
        match &self.variant {
            Some(variant) => format!("{}.{variant}", self.model),
            None => self.model.clone(),
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Fingerprints {
    pub program: String,
    pub tokenizer: String,
    /// Of the pretrained weights; `None` for a random start.
    pub backbone: Option<String>,
    /// Of the log that is replayed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replayed: Option<String>,
}

/// Numbers, not tensors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub all: usize,
    pub trained: usize,
    /// Of the trained: in no pretrained checkpoint.
    pub new: usize,
}

/// Absolute, so that the run is asked from anywhere.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Paths {
    pub data: PathBuf,
    pub backbone: Option<PathBuf>,
    /// Of the authors' code, where the training started from one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<PathBuf>,
}

/// A training that went on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resumed {
    /// The last step before.
    pub step: usize,
    /// As in [`Record`].
    pub device: String,
    /// Seconds since 1970.
    pub at: u64,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Finished {
    /// The last step that was made.
    pub step: usize,
    pub interrupted: bool,
    pub best: Option<Best>,
    pub data_used: f64,
    pub seconds: f64,
}

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[non_exhaustive]
pub enum RunError {
    #[error(transparent)]
    #[diagnostic(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Tokenizer(#[from] TokenizerError),

    #[error("`{}` already holds a run", .folder.display())]
    #[diagnostic(
        code(run::exists),
        help("a run is never overwritten: name another folder with --out, or remove this one")
    )]
    Exists { folder: PathBuf },

    #[error("`{}` exists and is not an empty folder", .folder.display())]
    #[diagnostic(code(run::taken), help("name another folder with --out"))]
    Taken { folder: PathBuf },

    #[error("the run in `{}` is being trained by another process", .folder.display())]
    #[diagnostic(code(run::busy), help("wait for it, or end it with Ctrl-C, which saves a checkpoint"))]
    Busy { folder: PathBuf },

    #[error("`{}` is not a run", .folder.display())]
    #[diagnostic(code(run::missing), help("a run is a folder with a run.json, made by `train`"))]
    Missing { folder: PathBuf },

    #[error("`{}` cannot be understood: {cause}", .path.display())]
    #[diagnostic(code(run::format), help("the run may be of another version of camtl"))]
    Format { path: PathBuf, cause: String },

    #[error("`{}` is a run of the model `{found}`, this is `{model}`", .folder.display())]
    #[diagnostic(code(run::model), help("a run is asked with the program that made it"))]
    OtherModel { folder: PathBuf, found: String, model: &'static str },

    #[error("the tokenizer in `{}` is not the one that the run was trained with", .folder.display())]
    #[diagnostic(
        code(run::tokenizer),
        help("the folder `tokenizer` of a run is part of its model: restore it")
    )]
    OtherTokenizer { folder: PathBuf },
}

/// Refuses a folder that a new run cannot take.
pub fn check_free(folder: &Path) -> Result<(), RunError> {
    if folder.join("run.json").exists() {
        return Err(RunError::Exists { folder: folder.to_owned() });
    }
    let empty = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none());
    if folder.exists() && !empty {
        return Err(RunError::Taken { folder: folder.to_owned() });
    }
    Ok(())
}

/// `runs/NAME`, or the first free of `runs/NAME-2`, `runs/NAME-3`, ..
pub fn free_folder(name: &str) -> PathBuf {
    let runs = Path::new("runs");
    let first = runs.join(name);
    if !first.exists() {
        return first;
    }
    let mut number = 2;
    loop {
        let folder = runs.join(format!("{name}-{number}"));
        if !folder.exists() {
            return folder;
        }
        number += 1;
    }
}

impl Run {
    /// Makes the folder of a new run, whole or not at all.
    pub fn create(folder: &Path, source: &str, tokenizer: &Path, record: Record) -> Result<Self, RunError> {
        check_free(folder)?;
        files::folder(folder, |at| {
            files::write(&at.join("model.cam"), source.as_bytes())?;
            copy_tokenizer(tokenizer, &at.join("tokenizer"))?;
            write_record(at, &record)
        })?;
        Ok(Self { folder: folder.to_owned(), record })
    }

    /// Opens a run of `plan`.
    pub fn open(folder: &Path, plan: &Plan) -> Result<Self, RunError> {
        let run = Self::of_any(folder)?;
        if run.record.model != plan.name {
            let (folder, found) = (run.folder, run.record.model);
            return Err(RunError::OtherModel { folder, found, model: plan.name });
        }
        Ok(run)
    }

    /// Opens a run of whatever model.
    pub fn of_any(folder: &Path) -> Result<Self, RunError> {
        let path = folder.join("run.json");
        if !path.is_file() {
            return Err(RunError::Missing { folder: folder.to_owned() });
        }
        let bytes = files::at(&path, "read", fs::read(&path))?;
        let record: Record = serde_json::from_slice(&bytes)
            .map_err(|cause| RunError::Format { path, cause: cause.to_string() })?;
        Ok(Self { folder: folder.to_owned(), record })
    }

    /// Keeps other processes from training it, until the file is dropped or this process ends.
    pub fn hold(&self) -> Result<File, RunError> {
        let path = self.folder.join(".lock");
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let file = files::at(&path, "written", file)?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(RunError::Busy { folder: self.folder.clone() }),
            Err(TryLockError::Error(error)) => {
                tracing::debug!(%error, "a file system without locks: two trainings of one run would not see each other");
                Ok(file)
            }
        }
    }

    /// The run's own copy of its tokenizer.
    pub fn tokenizer(&self, plan: &Plan) -> Result<Tokenizer, RunError> {
        let tokenizer = Tokenizer::open(&self.folder.join("tokenizer"), plan.backbone.vocab, plan.sequence)?;
        if tokenizer.fingerprint() != self.record.fingerprints.tokenizer {
            return Err(RunError::OtherTokenizer { folder: self.folder.clone() });
        }
        Ok(tokenizer)
    }

    pub fn checkpoints(&self) -> PathBuf {
        self.folder.join("checkpoints")
    }

    pub fn events(&self) -> PathBuf {
        self.folder.join("events.jsonl")
    }

    pub fn evaluations(&self) -> PathBuf {
        self.folder.join("eval.jsonl")
    }

    /// See [`picks`](super::picks).
    pub fn picks(&self) -> PathBuf {
        self.folder.join("picks.jsonl")
    }

    pub fn profile(&self) -> PathBuf {
        self.folder.join("profile.json")
    }

    /// What it was trained with.
    pub fn training(&self, plan: &Plan) -> Result<Training, RunError> {
        let wrong = |cause| RunError::Format {
            path: self.folder.join("run.json"),
            cause: format!("settings: {cause}"),
        };
        let training: Training =
            serde_json::from_value(self.record.settings.clone()).map_err(|cause| wrong(cause.to_string()))?;
        training.check(plan.sequence, plan.tasks.len()).map_err(|cause| wrong(cause.to_string()))?;
        Ok(training)
    }

    /// Takes up a run that had stopped.
    pub fn resume(&mut self, from: Resumed) -> Result<(), RunError> {
        self.record.finished = None;
        self.record.resumed.push(from);
        write_record(&self.folder, &self.record)
    }

    pub fn finish(&mut self, finished: Finished) -> Result<(), RunError> {
        self.record.finished = Some(finished);
        write_record(&self.folder, &self.record)
    }
}

/// What `run.json` says of the data.
pub fn describe_data(plan: &Plan, train: &Batches, dev: &Batches) -> Value {
    let split = |set: &Dataset| {
        json!({
            "examples": set.examples(),
            "items": set.len(), // a context may be read in several windows
            "tokens": set.total_tokens(),
            "truncated": set.truncated(),
            "left_out": set.left_out().count(), // rows that are no examples
            "fingerprint": set.fingerprint(),
        })
    };
    plan.tasks
        .iter()
        .zip(train.datasets().iter().zip(dev.datasets()))
        .map(|(task, (train, dev))| {
            (task.name.to_owned(), json!({ "train": split(train), "dev": split(dev) }))
        })
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn write_record(folder: &Path, record: &Record) -> Result<(), RunError> {
    let text = format!("{:#}\n", json!(record));
    Ok(files::write(&folder.join("run.json"), text.as_bytes())?)
}

/// Copies what [`Tokenizer::open`] reads of a file or folder.
fn copy_tokenizer(from: &Path, to: &Path) -> Result<(), RunError> {
    const CONFIG: &str = "tokenizer_config.json";
    const BYTE_LEVEL: [&str; 2] = ["vocab.json", "merges.txt"];
    files::at(to, "made", fs::create_dir_all(to))?;
    let copy = |from: &Path, name: &str| files::at(from, "copied", fs::copy(from, to.join(name)).map(drop));
    if from.is_dir() {
        for name in ["tokenizer.json", BYTE_LEVEL[0], BYTE_LEVEL[1], "vocab.txt", CONFIG] {
            let file = from.join(name);
            if file.is_file() {
                copy(&file, name)?;
            }
        }
    } else if from.file_name().is_some_and(|name| name == BYTE_LEVEL[0]) {
        for name in BYTE_LEVEL {
            copy(&from.with_file_name(name), name)?;
        }
    } else {
        let json = from.extension().is_some_and(|extension| extension == "json");
        copy(from, if json { "tokenizer.json" } else { "vocab.txt" })?;
        let config = from.with_file_name(CONFIG);
        if config.is_file() {
            copy(&config, CONFIG)?;
        }
    }
    Ok(())
}

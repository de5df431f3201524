//! `train --from RUN`: a training that starts from what another run learned, for a model with other tasks or modules.
//!
//! Loading is an account, as from a pretrained checkpoint: every parameter is taken over or new, every tensor of the
//! run is taken over or left, and all of what is new or left is named.
//!
//! | parameter | is taken over where |
//! |---|---|
//! | of a head | the run has a task of that name and kind: the same labels, in the same order |
//! | the task embedding | row by row, those of the tasks that the run has |
//! | any other | the run has one of its name and shape |

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, TensorView};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::checkpoint::{self, CheckpointError, Stored, Which};
use super::plan::Plan;
use super::run::{Run, RunError};
use crate::kernels::Kernels;
use crate::nn::Parameter;

const TASK_EMBEDDING: &str = "task_embedding.weight";

/// What became of every parameter and every tensor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// The run's folder.
    pub from: PathBuf,
    /// Of the run's checkpoint.
    pub step: usize,
    /// Parameters that took over their values.
    pub loaded: usize,
    /// Parameters that start anew, with the reason; also rows of the task embedding.
    pub new: Vec<String>,
    /// Tensors of the run that the model has no place for.
    pub left: Vec<String>,
}

impl std::fmt::Display for Transfer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { from, step, loaded, new, left } = self;
        write!(f, "{}, step {step}: {loaded} tensors taken over", from.display())?;
        for (what, names) in [("new", new), ("left in the run", left)] {
            if !names.is_empty() {
                write!(f, "\n{what}:")?;
                names.iter().try_for_each(|name| write!(f, "\n  {name}"))?;
            }
        }
        Ok(())
    }
}

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[non_exhaustive]
pub enum TransferError {
    #[error(transparent)]
    #[diagnostic(transparent)]
    Run(#[from] RunError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Checkpoint(#[from] CheckpointError),

    #[error("the run in `{}` has another backbone:\n  {}", .folder.display(), .differences.join("\n  "))]
    #[diagnostic(
        code(transfer::backbone),
        help(
            "tasks and modules may differ, the backbone may not: its sizes are those of model.cam of the run"
        )
    )]
    Backbone { folder: PathBuf, differences: Vec<String> },

    #[error("`{}` lacks weights of the backbone:\n  {}", .folder.display(), .missing.join("\n  "))]
    #[diagnostic(
        code(transfer::missing),
        help("the backbone is taken from the run alone; the run's checkpoint may be damaged")
    )]
    Missing { folder: PathBuf, missing: Vec<String> },
}

/// Fills the parameters from the best checkpoint of a run, as far as they fit; the others keep their values.
///
/// # Errors
/// A checkpoint that is unreadable or of another backbone. Nothing is changed then.
pub fn take_over<D: Kernels>(
    run: &Run,
    plan: &Plan,
    parameters: &mut [&mut dyn Parameter<D>],
) -> Result<Transfer, TransferError> {
    let folder = checkpoint::find(&run.checkpoints(), Which::Best)?;
    let stored = Stored::open(&folder)?;
    let (theirs, ours) = (stored.program()?, checkpoint::program(plan));
    let mut differences = Vec::new();
    checkpoint::compare("backbone", &theirs["backbone"], &ours["backbone"], &mut differences);
    if !differences.is_empty() {
        return Err(TransferError::Backbone { folder: run.folder.clone(), differences });
    }

    let tensors = stored.tensors()?;
    let mut left: BTreeMap<String, TensorView> = tensors.tensors().into_iter().collect();
    let mut transfer = Transfer { from: run.folder.clone(), step: stored.step()?, ..Transfer::default() };
    let (mut values, mut missing) = (Vec::new(), Vec::new());
    for (i, parameter) in parameters.iter().enumerate() {
        let (name, dims) = (parameter.meta().name.as_str(), parameter.dims());
        let found = left.remove(name);
        if name == TASK_EMBEDDING
            && let Some(rows) = found.as_ref().and_then(|found| rows_of(found, &theirs, dims[1]))
        {
            let mut own = parameter.read();
            for (row, task) in plan.tasks.iter().enumerate() {
                match rows.get(task.name) {
                    Some(values) => own[row * dims[1]..][..dims[1]].copy_from_slice(values),
                    None => transfer.new.push(format!("{name}, row of {}", task.name)),
                }
            }
            let gone = rows.keys().filter(|name| plan.task(name).is_none());
            transfer.left.extend(gone.map(|task| format!("{name}, row of {task}")));
            values.push((i, own));
            continue;
        }
        let reason = match &found {
            None => Some("not in the run".to_owned()),
            Some(found) if found.dtype() != Dtype::F32 => Some(format!("{:?} in the run", found.dtype())),
            Some(found) if found.shape() != dims => {
                Some(format!("{dims:?} here, {:?} in the run", found.shape()))
            }
            Some(_) => other_kind(name, &theirs, &ours),
        };
        match (reason, found) {
            (None, Some(found)) => values.push((i, checkpoint::floats(found.data()))),
            (Some(reason), _) if parameter.meta().loaded => missing.push(format!("{name}: {reason}")),
            (reason, _) => transfer.new.push(format!("{name}: {}", reason.unwrap_or_default())),
        }
    }
    if !missing.is_empty() {
        return Err(TransferError::Missing { folder, missing });
    }
    transfer.left.extend(left.into_keys());
    transfer.loaded = values.len();
    for (i, values) in values {
        parameters[i].write(&values);
    }
    Ok(transfer)
}

/// The run's rows of the task embedding by its tasks' names; `None` where they are not as wide.
fn rows_of(found: &TensorView, theirs: &Value, width: usize) -> Option<BTreeMap<String, Vec<f32>>> {
    let tasks = theirs["tasks"].as_object()?;
    if found.dtype() != Dtype::F32 || found.shape() != [tasks.len(), width] {
        return None;
    }
    let values = checkpoint::floats(found.data());
    Some(tasks.keys().cloned().zip(values.chunks_exact(width).map(<[f32]>::to_vec)).collect())
}

/// Why a head's parameter of this name does not fit although its shape does.
fn other_kind(name: &str, theirs: &Value, ours: &Value) -> Option<String> {
    let (task, _) = name.strip_prefix("heads.")?.split_once('.')?;
    let same = theirs["tasks"][task] == ours["tasks"][task];
    (!same).then(|| format!("task `{task}` is of another kind, or has other labels, in the run"))
}

/// Where a run keeps its tokenizer.
pub fn tokenizer(run: &Run) -> PathBuf {
    Path::new(&run.folder).join("tokenizer")
}

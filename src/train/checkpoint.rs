//! `checkpoints/step-N/` of a run: all parameters, and the optimizer's state.
//!
//! | file | holds |
//! |---|---|
//! | `model.safetensors` | every parameter, frozen ones too: a run predicts without the backbone's folder; in its metadata, what program it is of |
//! | `state.safetensors` | both moments of each trained parameter that had an update; which training examples were used; where several steps share a scoring, the entropies |
//! | `state.json` | step, seed, updates of each parameter, draws of the sampler: the order of examples follows from seed and draws |
//!
//! `checkpoints/best.json` names the best one. The best and the last are kept.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use memmap2::Mmap;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};

use super::files::{self, FileError};
use super::plan::Plan;
use super::remarked;
use crate::kernels::Kernels;
use crate::nn::Parameter;

mod state;

pub use state::State;

const MODEL: &str = "model.safetensors";

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[non_exhaustive]
pub enum CheckpointError {
    #[error(transparent)]
    #[diagnostic(transparent)]
    File(#[from] FileError),

    #[error("`{}` is not a checkpoint: {cause}", .path.display())]
    #[diagnostic(code(checkpoint::format), help("the file may be cut short, or not what its name says"))]
    Format { path: PathBuf, cause: String },

    #[error("there is no checkpoint in `{}`", .folder.display())]
    #[diagnostic(
        code(checkpoint::missing),
        help(
            "a run has its first checkpoint after its first evaluation; `last`, `best` and `step-N` can be asked for"
        )
    )]
    Missing { folder: PathBuf },

    #[error("the checkpoint in `{}` is of another program:\n  {}", .folder.display(), .differences.join("\n  "))]
    #[diagnostic(
        code(checkpoint::program),
        help("a checkpoint fits the program that it was trained with; that is `model.cam` of its run")
    )]
    Program { folder: PathBuf, differences: Vec<String> },
}

/// The best evaluation so far, as `best.json` holds it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Best {
    pub step: usize,
    /// Mean over the tasks of their main figure.
    #[serde(deserialize_with = "number")]
    pub mean: f64,
}

/// JSON has no NaN, so that it is written as null.
fn number<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or(f64::NAN))
}

impl Best {
    /// The better one of this and an earlier one. A mean that is not a number is never better, and the first is better
    /// than none.
    pub fn or(self, earlier: Option<Self>) -> Self {
        match earlier {
            Some(earlier) if !(self.mean > earlier.mean || earlier.mean.is_nan()) => earlier,
            _ => self,
        }
    }
}

/// One of a run's checkpoints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Which {
    /// Of the best evaluation; without one yet, the last.
    #[default]
    Best,
    Last,
    Step(usize),
}

/// `best`, `last` or `step-N`.
impl FromStr for Which {
    type Err = UnknownCheckpoint;

    fn from_str(text: &str) -> Result<Self, UnknownCheckpoint> {
        match text {
            "best" => Ok(Self::Best),
            "last" => Ok(Self::Last),
            _ => {
                let step = text.strip_prefix("step-").and_then(|step| step.parse().ok());
                step.map(Self::Step).ok_or(UnknownCheckpoint)
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a checkpoint is `best`, `last` or `step-N`")]
pub struct UnknownCheckpoint;

/// Writes `step-N` below `checkpoints`, whole or not at all, and returns its path.
pub fn save<D: Kernels>(
    checkpoints: &Path,
    plan: &Plan,
    parameters: &[&mut dyn Parameter<D>],
    state: &State,
) -> Result<PathBuf, CheckpointError> {
    let folder = checkpoints.join(format!("step-{}", state.step));
    if folder.is_dir() {
        return Ok(folder); // of this step, so it is the same
    }
    files::folder(&folder, |folder| {
        let remarks = BTreeMap::from([
            ("format", "pt".to_owned()), // what readers in Python ask for
            ("fingerprint", plan.fingerprint.to_owned()),
            ("program", program(plan).to_string()),
            ("step", state.step.to_string()),
        ]);
        let values = parameters
            .iter()
            .map(|p| (p.meta().name.clone(), Dtype::F32, p.dims(), bytes(&p.read())))
            .collect();
        remarked::write(&folder.join(MODEL), values, &remarks)?;

        state.write(folder, plan.tasks, parameters)
    })?;
    Ok(folder)
}

/// Records the best checkpoint.
pub fn save_best(checkpoints: &Path, best: Best) -> Result<(), CheckpointError> {
    let json = json!(best);
    Ok(files::write(&checkpoints.join("best.json"), format!("{json}\n").as_bytes())?)
}

/// Removes all checkpoints but those of the given steps.
pub fn prune(checkpoints: &Path, keep: &[usize]) -> Result<(), CheckpointError> {
    for step in steps(checkpoints)?.into_iter().filter(|step| !keep.contains(step)) {
        let folder = checkpoints.join(format!("step-{step}"));
        files::at(&folder, "removed", fs::remove_dir_all(&folder))?;
    }
    Ok(())
}

/// Removes what a process left that was killed while it wrote a checkpoint.
pub fn clear(checkpoints: &Path) -> Result<(), CheckpointError> {
    let entries = files::at(checkpoints, "read", fs::read_dir(checkpoints))?;
    for entry in entries.filter_map(Result::ok) {
        if entry.file_name().to_str().is_some_and(|name| name.starts_with(".step-")) {
            let folder = entry.path();
            files::at(&folder, "removed", fs::remove_dir_all(&folder))?;
        }
    }
    Ok(())
}

/// What `best.json` holds; `None` without one.
pub fn best(checkpoints: &Path) -> Result<Option<Best>, CheckpointError> {
    let path = checkpoints.join("best.json");
    let Ok(bytes) = fs::read(&path) else { return Ok(None) };
    let best = serde_json::from_slice(&bytes);
    best.map(Some).map_err(|cause| CheckpointError::Format { path, cause: cause.to_string() })
}

/// The folder of a checkpoint.
pub fn find(checkpoints: &Path, which: Which) -> Result<PathBuf, CheckpointError> {
    let step = match which {
        Which::Step(step) => Some(step),
        Which::Last => steps(checkpoints)?.pop(),
        Which::Best => match best(checkpoints)? {
            Some(best) => Some(best.step),
            None => steps(checkpoints)?.pop(),
        },
    };
    let step = step.ok_or_else(|| CheckpointError::Missing { folder: checkpoints.to_owned() })?;
    let folder = checkpoints.join(format!("step-{step}"));
    if folder.is_dir() { Ok(folder) } else { Err(CheckpointError::Missing { folder }) }
}

/// Fills all parameters from a checkpoint and returns its step.
///
/// # Errors
/// A checkpoint that is unreadable, or of another program: every difference is named. Nothing is changed then.
pub fn load<D: Kernels>(
    folder: &Path,
    plan: &Plan,
    parameters: &mut [&mut dyn Parameter<D>],
) -> Result<usize, CheckpointError> {
    let stored = Stored::open(folder)?;
    let mut differences = Vec::new();
    compare("", &stored.program()?, &program(plan), &mut differences);
    let tensors = stored.tensors()?;
    let mut left: BTreeMap<String, TensorView> = tensors.tensors().into_iter().collect();
    let mut values = Vec::with_capacity(parameters.len());
    for parameter in parameters.iter() {
        let (name, dims) = (&parameter.meta().name, parameter.dims());
        match left.remove(name) {
            None => differences.push(format!("`{name}` is in the model only")),
            Some(tensor) if tensor.dtype() != Dtype::F32 || tensor.shape() != dims => differences
                .push(format!("`{name}` is {:?} in the checkpoint, {dims:?} in the model", tensor.shape())),
            Some(tensor) => values.push(tensor.data().to_vec()),
        }
    }
    differences.extend(left.keys().map(|name| format!("`{name}` is in the checkpoint only")));
    let fingerprint = stored.field("fingerprint")?;
    if differences.is_empty() && fingerprint != plan.fingerprint {
        // the same tensors, yet not the same computation
        differences.push(format!("the fingerprint is {fingerprint}, of the model {}", plan.fingerprint));
    }
    if !differences.is_empty() {
        return Err(CheckpointError::Program { folder: folder.to_owned(), differences });
    }
    for (parameter, bytes) in parameters.iter_mut().zip(values) {
        parameter.write(&floats(&bytes));
    }
    stored.step()
}

/// A checkpoint's `model.safetensors`, open.
pub(super) struct Stored {
    path: PathBuf,
    map: Mmap,
    metadata: HashMap<String, String>,
}

impl Stored {
    pub(super) fn open(folder: &Path) -> Result<Self, CheckpointError> {
        let path = folder.join(MODEL);
        let file = files::at(&path, "read", fs::File::open(&path))?;
        // SAFETY: the map is only read. A file that another process truncates meanwhile would fault; a checkpoint is
        // written once, under another name, and never changed.
        let map = files::at(&path, "read", unsafe { Mmap::map(&file) })?;
        let read = SafeTensors::read_metadata(&map);
        let (_, header) =
            read.map_err(|cause| CheckpointError::Format { path: path.clone(), cause: cause.to_string() })?;
        let metadata = header.metadata().clone().unwrap_or_default();
        Ok(Self { path, map, metadata })
    }

    pub(super) fn tensors(&self) -> Result<SafeTensors<'_>, CheckpointError> {
        SafeTensors::deserialize(&self.map).map_err(|cause| self.format(cause.to_string()))
    }

    /// What [`program`] was of the plan that it was trained with.
    pub(super) fn program(&self) -> Result<Value, CheckpointError> {
        serde_json::from_str(self.field("program")?).map_err(|cause| self.format(cause.to_string()))
    }

    pub(super) fn step(&self) -> Result<usize, CheckpointError> {
        self.field("step")?.parse().map_err(|_| self.format("its step is not a number".to_owned()))
    }

    fn field(&self, key: &str) -> Result<&str, CheckpointError> {
        let value = self.metadata.get(key).map(String::as_str);
        value.ok_or_else(|| self.format(format!("its metadata has no `{key}`")))
    }

    fn format(&self, cause: String) -> CheckpointError {
        CheckpointError::Format { path: self.path.clone(), cause }
    }
}

/// Of a tensor's bytes.
pub(super) fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
}

/// What of a plan a checkpoint depends on; its origin and training may differ.
pub(super) fn program(plan: &Plan) -> Value {
    let mut backbone = json!(plan.backbone);
    if let Value::Object(fields) = &mut backbone {
        fields.remove("origin");
    }
    let tasks: serde_json::Map<String, Value> =
        plan.tasks.iter().map(|task| (task.name.to_owned(), json!(task.kind))).collect();
    json!({ "backbone": backbone, "sequence": plan.sequence, "tasks": tasks })
}

/// Names every field in which two values differ.
pub(super) fn compare(path: &str, found: &Value, wanted: &Value, differences: &mut Vec<String>) {
    match (found, wanted) {
        (Value::Object(a), Value::Object(b)) => {
            let keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
            for key in keys {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                match (a.get(key), b.get(key)) {
                    (Some(a), Some(b)) => compare(&path, a, b, differences),
                    (Some(_), None) => differences.push(format!("`{path}` is in the checkpoint only")),
                    _ => differences.push(format!("`{path}` is in the model only")),
                }
            }
        }
        (a, b) if a != b => {
            differences.push(format!("`{path}` is {a} in the checkpoint and {b} in the model"));
        }
        _ => {}
    }
}

/// The steps of which there are checkpoints, ascending.
fn steps(checkpoints: &Path) -> Result<Vec<usize>, CheckpointError> {
    if !checkpoints.is_dir() {
        return Ok(Vec::new());
    }
    let entries = files::at(checkpoints, "read", fs::read_dir(checkpoints))?;
    let mut steps: Vec<usize> = entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.strip_prefix("step-")?.parse().ok())
        .collect();
    steps.sort_unstable();
    Ok(steps)
}

fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_is_named_in_three_ways() {
        assert_eq!("best".parse(), Ok(Which::Best));
        assert_eq!("last".parse(), Ok(Which::Last));
        assert_eq!("step-20".parse(), Ok(Which::Step(20)));
        for wrong in ["", "bset", "step-", "step-x", "../step-1"] {
            assert_eq!(wrong.parse::<Which>(), Err(UnknownCheckpoint), "{wrong}");
        }
    }

    #[test]
    fn a_best_mean_that_is_not_a_number_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(best(folder.path()).unwrap(), None);
        save_best(folder.path(), Best { step: 3, mean: f64::NAN }).unwrap();
        let found = best(folder.path()).unwrap().unwrap();
        assert!(found.step == 3 && found.mean.is_nan());
        fs::write(folder.path().join("best.json"), "{\"step\":").unwrap();
        assert!(best(folder.path()).unwrap_err().to_string().contains("best.json` is not a checkpoint"));
    }

    #[test]
    fn every_difference_is_named_by_its_path() {
        let a = json!({ "backbone": { "layers": 2, "hidden": 16 }, "tasks": { "x": 1, "y": 1 } });
        let b = json!({ "backbone": { "layers": 3, "hidden": 16 }, "tasks": { "y": 1, "z": 1 } });
        let mut differences = Vec::new();
        compare("", &a, &b, &mut differences);
        assert_eq!(
            differences,
            [
                "`backbone.layers` is 2 in the checkpoint and 3 in the model",
                "`tasks.x` is in the checkpoint only",
                "`tasks.z` is in the model only"
            ]
        );
    }
}

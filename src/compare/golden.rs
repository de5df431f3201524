//! A folder with numbers of the authors' code.
//!
//! | file | holds |
//! |---|---|
//! | `params.safetensors` | every parameter, by the authors' names |
//! | `inputs.safetensors` | `input_ids`, `attention_mask`, `token_type_ids` `[examples, length]`, `task_id`, `labels` `[examples]` |
//! | `acts.safetensors` | activations, logits, entropies and losses of that batch |
//! | `grads.safetensors` | the gradient of the loss, of every parameter that has one |
//! | `meta.json` | `tasks`: their names, in the order of the ids |

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::authors::{Tensor, Tensors, TensorsError};
use crate::data::Goal;
use crate::nn::Batch;
use crate::train::plan::{Kind, Plan};

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[non_exhaustive]
pub enum GoldenError {
    #[error(transparent)]
    #[diagnostic(transparent)]
    Tensors(#[from] TensorsError),

    #[error("there is no folder `{}`", folder.display())]
    #[diagnostic(
        code(compare::folder),
        help("--golden names a folder with params, inputs, acts and grads.safetensors, and meta.json")
    )]
    NoFolder { folder: PathBuf },

    #[error("cannot read {}: {cause}", path.display())]
    #[diagnostic(
        code(compare::meta),
        help("it holds `\"tasks\": [..]`, their names in the order of their ids")
    )]
    Meta { path: PathBuf, cause: String },

    #[error("{} does not fit the model: {problem}", path.display())]
    #[diagnostic(
        code(compare::inputs),
        help("sizes, vocabulary and tasks of the model have to be those that the numbers were made with")
    )]
    Inputs { path: PathBuf, problem: String },
}

/// The folder, read.
#[derive(Clone, Debug)]
pub struct Golden {
    folder: PathBuf,
    pub parameters: Tensors,
    inputs: Tensors,
    pub activations: Tensors,
    pub gradients: Tensors,
    /// The authors' names, in the order of the ids.
    pub tasks: Vec<String>,
}

#[derive(Deserialize)]
struct Meta {
    tasks: Vec<String>,
}

impl Golden {
    /// # Errors
    /// A folder or file that is missing or unreadable.
    pub fn read(folder: &Path) -> Result<Self, GoldenError> {
        if !folder.is_dir() {
            return Err(GoldenError::NoFolder { folder: folder.to_owned() });
        }
        let path = folder.join("meta.json");
        let meta = |cause: String| GoldenError::Meta { path: path.clone(), cause };
        let text = std::fs::read_to_string(&path).map_err(|error| meta(error.to_string()))?;
        let Meta { tasks } = serde_json::from_str(&text).map_err(|error| meta(error.to_string()))?;
        let read = |name: &str| Tensors::read(&folder.join(name));
        Ok(Self {
            folder: folder.to_owned(),
            parameters: read("params.safetensors")?,
            inputs: read("inputs.safetensors")?,
            activations: read("acts.safetensors")?,
            gradients: read("grads.safetensors")?,
            tasks,
        })
    }

    /// A file of the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The batch, checked against the model.
    pub fn inputs(&self, plan: &Plan) -> Result<Inputs, GoldenError> {
        Inputs::of(&self.inputs, plan, self.tasks.len())
            .map_err(|problem| GoldenError::Inputs { path: self.path("inputs.safetensors"), problem })
    }
}

/// A padded batch of mixed tasks.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// Positions of an example, with its padding.
    pub length: usize,
    examples: Vec<(Vec<u32>, Vec<u8>, usize)>,
    pub goals: Vec<Goal<'static>>,
}

impl Inputs {
    /// Of `input_ids`, `attention_mask`, `token_type_ids`, `task_id` and, where it is there, `labels`.
    fn of(tensors: &Tensors, plan: &Plan, tasks: usize) -> Result<Self, String> {
        let get = |name: &str| tensors.get(name).ok_or_else(|| format!("it has no `{name}`"));
        let (ids, mask, types) = (get("input_ids")?, get("attention_mask")?, get("token_type_ids")?);
        let (task, labels) = (get("task_id")?, get("labels")?);
        let &[count, length] = ids.dims.as_slice() else {
            return Err(format!("`input_ids` is {:?}, [examples, length] is needed", ids.dims));
        };
        for (name, tensor, dims) in [
            ("attention_mask", mask, vec![count, length]),
            ("token_type_ids", types, vec![count, length]),
            ("task_id", task, vec![count]),
            ("labels", labels, vec![count]),
        ] {
            if tensor.dims != dims {
                return Err(format!("`{name}` is {:?}, `input_ids` {:?}", tensor.dims, ids.dims));
            }
        }
        if count == 0 || length == 0 || length > plan.sequence {
            return Err(format!(
                "`input_ids` is {:?}: at least one example, of at most {} positions",
                ids.dims, plan.sequence
            ));
        }
        if tasks != plan.tasks.len() {
            return Err(format!("it has {tasks} tasks and the model {}", plan.tasks.len()));
        }
        let backbone = plan.backbone;
        whole("input_ids", ids, backbone.vocab)?;
        whole("attention_mask", mask, 2)?;
        whole("token_type_ids", types, backbone.token_types.min(256))?;
        whole("task_id", task, plan.tasks.len())?;

        let mut examples = Vec::with_capacity(count);
        let mut goals = Vec::with_capacity(count);
        for example in 0..count {
            let row = example * length..(example + 1) * length;
            let mask = &mask.values[row.clone()];
            let used = mask.iter().take_while(|mask| **mask == 1.0).count();
            if used == 0 || mask[used..].contains(&1.0) {
                return Err(format!("`attention_mask` of example {example} is not ones, then zeros"));
            }
            let row = row.start..row.start + used;
            let task = task.values[example] as usize;
            examples.push((
                ids.values[row.clone()].iter().map(|id| *id as u32).collect(),
                types.values[row].iter().map(|kind| *kind as u8).collect(),
                task,
            ));
            goals.push(goal(plan, task, labels.values[example])?);
        }
        Ok(Self { length, examples, goals })
    }

    pub fn batch(&self) -> Batch {
        Batch::new(self.examples.iter().map(|(ids, types, task)| (ids.as_slice(), types.as_slice(), *task)))
            .whole()
    }

    /// The task of each example.
    pub fn tasks(&self) -> impl ExactSizeIterator<Item = usize> {
        self.examples.iter().map(|(_, _, task)| *task)
    }

    /// Positions of each example that are not padding.
    pub fn lengths(&self) -> impl ExactSizeIterator<Item = usize> {
        self.examples.iter().map(|(ids, _, _)| ids.len())
    }
}

fn goal(plan: &Plan, task: usize, label: f32) -> Result<Goal<'static>, String> {
    let name = plan.tasks[task].name;
    match plan.tasks[task].kind {
        Kind::Regress { .. } => Ok(Goal::Value(label)),
        Kind::Classify { labels } if (0..labels.len()).any(|class| class as f32 == label) => {
            Ok(Goal::Class(label as u32))
        }
        Kind::Classify { labels } => {
            Err(format!("`labels` has {label} for task `{name}`, which has {} classes", labels.len()))
        }
        _ => Err(format!("task `{name}` neither classifies nor regresses")),
    }
}

/// Whole numbers below a limit.
fn whole(name: &str, tensor: &Tensor, below: usize) -> Result<(), String> {
    let wrong = |value: &&f32| !(value.fract() == 0.0 && (0.0..below as f32).contains(*value));
    match tensor.values.iter().find(wrong) {
        Some(value) => Err(format!("`{name}` holds {value}, which is not one of 0..{below}")),
        None => Ok(()),
    }
}

//! What a checkpoint holds besides the parameters: all that a training needs to go on as if it had never stopped.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{CheckpointError, bytes, floats};
use crate::kernels::Kernels;
use crate::nn::Parameter;
use crate::train::files;
use crate::train::loss_scale::LossScale;
use crate::train::optimizer::Saved;
use crate::train::plan::Task;
use crate::train::remarked;
use crate::train::sampler::{Left, Position};

const TENSORS: &str = "state.safetensors";
const NOTES: &str = "state.json";

/// Where a training stands after a step.
#[derive(Clone, Debug)]
pub struct State {
    pub step: usize,
    pub seed: u64,
    /// Of the trained parameters, in the network's order.
    pub optimizer: Vec<Saved>,
    /// In mixed precision.
    pub loss_scale: Option<LossScale>,
    /// Of each task: which training examples entered a gradient step.
    pub used: Vec<Vec<bool>>,
    pub sampler: Position,
}

/// `state.json`.
#[derive(Debug, Serialize, Deserialize)]
struct Notes {
    step: usize,
    seed: u64,
    /// Of each trained parameter, by its name.
    updates: BTreeMap<String, u64>,
    /// That the sampler has taken.
    draws: usize,
    /// Where several steps share a scoring and some of them are to come.
    ranked: Option<Ranked>,
    loss_scale: Option<LossScale>,
}

/// Without the entropies, which are tensors.
#[derive(Debug, Serialize, Deserialize)]
struct Ranked {
    taken: usize,
    steps: usize,
}

impl State {
    pub(super) fn write<D: Kernels>(
        &self,
        folder: &Path,
        tasks: &[Task],
        parameters: &[&mut dyn Parameter<D>],
    ) -> Result<(), CheckpointError> {
        let mut tensors = Vec::new();
        let mut updates = BTreeMap::new();
        for (parameter, Saved { updates: count, first, second }) in trained(parameters).zip(&self.optimizer) {
            let (name, dims) = (&parameter.meta().name, parameter.dims());
            updates.insert(name.clone(), *count);
            if *count > 0 {
                tensors.push((format!("{name}.first"), Dtype::F32, dims.clone(), bytes(first)));
                tensors.push((format!("{name}.second"), Dtype::F32, dims, bytes(second)));
            }
        }
        for (task, used) in tasks.iter().zip(&self.used) {
            let used: Vec<u8> = used.iter().map(|used| u8::from(*used)).collect();
            tensors.push((format!("used.{}", task.name), Dtype::U8, vec![used.len()], used));
        }
        let left = self.sampler.left.as_ref();
        for (task, entropies) in tasks.iter().zip(left.into_iter().flat_map(|left| &left.entropies)) {
            let bytes = entropies.iter().flat_map(|entropy| entropy.to_le_bytes()).collect();
            tensors.push((format!("entropies.{}", task.name), Dtype::F64, vec![entropies.len()], bytes));
        }
        remarked::write(&folder.join(TENSORS), tensors, &BTreeMap::new())?;
        let notes = Notes {
            step: self.step,
            seed: self.seed,
            updates,
            draws: self.sampler.draws,
            ranked: left.map(|left| Ranked { taken: left.taken, steps: left.steps }),
            loss_scale: self.loss_scale,
        };
        files::write(&folder.join(NOTES), format!("{:#}\n", json!(notes)).as_bytes())?;
        Ok(())
    }

    /// Of a checkpoint whose parameters are those of this network.
    ///
    /// # Errors
    /// Files that are unreadable, damaged, or of other parameters or tasks.
    pub fn read<D: Kernels>(
        folder: &Path,
        tasks: &[Task],
        parameters: &[&mut dyn Parameter<D>],
    ) -> Result<Self, CheckpointError> {
        let path = folder.join(NOTES);
        let text = files::at(&path, "read", fs::read(&path))?;
        let wrong = |cause: String| CheckpointError::Format { path: path.clone(), cause };
        let notes: Notes = serde_json::from_slice(&text).map_err(|cause| wrong(cause.to_string()))?;
        let path = folder.join(TENSORS);
        let content = files::at(&path, "read", fs::read(&path))?;
        let tensors = Tensors::of(&path, &content)?;

        let saved = |parameter: &&mut dyn Parameter<D>| {
            let (name, dims) = (&parameter.meta().name, parameter.dims());
            let updates = notes.updates.get(name).copied();
            let updates = updates.ok_or_else(|| wrong(format!("it knows nothing of `{name}`")))?;
            let moment = |which: &str| match updates {
                0 => Ok::<_, CheckpointError>(Vec::new()),
                _ => Ok(floats(tensors.get(&format!("{name}.{which}"), Dtype::F32, Some(&dims))?.data())),
            };
            Ok(Saved { updates, first: moment("first")?, second: moment("second")? })
        };
        let used = |task: &Task| {
            let found = tensors.get(&format!("used.{}", task.name), Dtype::U8, None)?;
            Ok(found.data().iter().map(|&used| used != 0).collect())
        };
        let entropies = |task: &Task| {
            let found = tensors.get(&format!("entropies.{}", task.name), Dtype::F64, None)?;
            let (numbers, _) = found.data().as_chunks();
            Ok(numbers.iter().map(|&number| f64::from_le_bytes(number)).collect())
        };
        let left = notes.ranked.map(|Ranked { taken, steps }| {
            let entropies = tasks.iter().map(entropies).collect::<Result<_, CheckpointError>>()?;
            Ok::<_, CheckpointError>(Left { entropies, taken, steps })
        });
        Ok(Self {
            step: notes.step,
            seed: notes.seed,
            optimizer: trained(parameters).map(saved).collect::<Result<_, CheckpointError>>()?,
            loss_scale: notes.loss_scale,
            used: tasks.iter().map(used).collect::<Result<_, CheckpointError>>()?,
            sampler: Position { draws: notes.draws, left: left.transpose()? },
        })
    }
}

fn trained<'a, 'b, D: Kernels>(
    parameters: &'a [&'b mut dyn Parameter<D>],
) -> impl Iterator<Item = &'a &'b mut dyn Parameter<D>> {
    parameters.iter().filter(|parameter| parameter.meta().trained)
}

/// The tensors of a file, and its name for messages.
struct Tensors<'a> {
    path: PathBuf,
    tensors: SafeTensors<'a>,
}

impl<'a> Tensors<'a> {
    fn of(path: &Path, content: &'a [u8]) -> Result<Self, CheckpointError> {
        let wrong = |cause| CheckpointError::Format { path: path.to_owned(), cause };
        let tensors = SafeTensors::deserialize(content).map_err(|cause| wrong(cause.to_string()))?;
        Ok(Self { path: path.to_owned(), tensors })
    }

    /// Of this type, and of these sides if they are known.
    fn get(
        &self,
        name: &str,
        dtype: Dtype,
        dims: Option<&[usize]>,
    ) -> Result<TensorView<'a>, CheckpointError> {
        let found = self.tensors.tensor(name).map_err(|cause| self.wrong(format!("`{name}`: {cause}")))?;
        if found.dtype() != dtype || dims.is_some_and(|dims| dims != found.shape()) {
            let (found, shape) = (found.dtype(), found.shape());
            return Err(self.wrong(format!("`{name}` is {found:?} {shape:?}, which is not what was written")));
        }
        Ok(found)
    }

    fn wrong(&self, cause: String) -> CheckpointError {
        CheckpointError::Format { path: self.path.clone(), cause }
    }
}

#[cfg(test)]
mod tests {
    use dfdx::prelude::Cpu;

    use super::*;
    use crate::train::plan::{Kind, Metric, Source, Uncertainty};

    #[test]
    fn what_is_written_is_read() {
        let task = |name| Task {
            name,
            kind: Kind::Span { stride: 2 },
            metric: Metric::ExactMatchF1,
            data: Source::tsv(""),
            weight: 1.0,
            uncertainty: Uncertainty::Entropy,
        };
        let tasks = [task("a"), task("b")];
        let mut scale = LossScale::new();
        scale.overflowed();
        scale.held();
        let left =
            Left { entropies: vec![vec![0.1, 1.0 / 3.0], vec![f64::MIN_POSITIVE]], taken: 2, steps: 1 };
        let state = State {
            step: 7,
            seed: u64::MAX,
            optimizer: Vec::new(),
            loss_scale: Some(scale),
            used: vec![vec![true, false, true], vec![false]],
            sampler: Position { draws: 5, left: Some(left) },
        };
        let folder = tempfile::tempdir().unwrap();
        state.write::<Cpu>(folder.path(), &tasks, &[]).unwrap();
        let found = State::read::<Cpu>(folder.path(), &tasks, &[]).unwrap();
        assert_eq!((found.step, found.seed, found.loss_scale), (7, u64::MAX, Some(scale)));
        assert_eq!((found.used, found.sampler), (state.used, state.sampler));

        let error = State::read::<Cpu>(folder.path(), &[task("a"), task("c")], &[]).unwrap_err().to_string();
        assert!(error.contains("used.c"), "{error}");
    }
}

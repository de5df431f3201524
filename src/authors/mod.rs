//! Checkpoints of the authors' published code: their parameters by their names, read into a network of
//! `fidelity reference` and written from one.
//!
//! | file | holds |
//! |---|---|
//! | `names` | which of their tensors, or which half of one, a parameter is |
//! | `tensors` | a safetensors file of floats, in memory |
//! | [`load()`], [`tensors_of`] | from their tensors to the parameters, and back; every tensor is accounted for |

mod names;
mod tensors;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::kernels::Kernels;
use crate::nn::Parameter;

pub use names::{Half, Place, Theirs};
pub use tensors::{Tensor, Tensors, TensorsError, to_bytes};

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[non_exhaustive]
pub enum AuthorsError {
    #[error(transparent)]
    #[diagnostic(transparent)]
    Tensors(#[from] TensorsError),

    #[error("`{model}` is of `fidelity paper`, and {} is of the authors' code", path.display())]
    #[diagnostic(
        code(weights::fidelity),
        help("the same numbers mean something else there: a model with `fidelity reference` takes them")
    )]
    Fidelity { path: PathBuf, model: String },

    #[error("{} does not fit the model:\n  {}", path.display(), problems.join("\n  "))]
    #[diagnostic(
        code(weights::tensors),
        help(
            "these are the names of the authors' code: the model has to say `fidelity reference`, attach what that code has, and list its tasks in its order"
        )
    )]
    Mismatch { path: PathBuf, problems: Vec<String> },
}

/// Fills every parameter from a safetensors file of the authors' code. `tasks` are the model's, in order: their head
/// of task i is `decoders.i`.
///
/// # Errors
/// A file that cannot be read; a parameter without a tensor, or with one of another shape; a tensor that no parameter
/// takes. All are named, and nothing is changed then.
pub fn load<D: Kernels>(
    parameters: &mut [&mut dyn Parameter<D>],
    tasks: &[&str],
    path: &Path,
) -> Result<(), AuthorsError> {
    fill(parameters, tasks, &Tensors::read(path)?, path)
}

/// [`load()`] of what was read from `path`.
pub fn fill<D: Kernels>(
    parameters: &mut [&mut dyn Parameter<D>],
    tasks: &[&str],
    tensors: &Tensors,
    path: &Path,
) -> Result<(), AuthorsError> {
    let theirs = Theirs::of(parameters.iter().map(|parameter| parameter.meta().name.as_str()), tasks);
    let mut left: BTreeSet<&str> = tensors.names().collect();
    let mut problems = Vec::new();
    let mut values = Vec::with_capacity(parameters.len());
    for parameter in parameters.iter() {
        let (name, dims) = (&parameter.meta().name, parameter.dims());
        let Some(Place { tensor: key, half }) = theirs.place(name) else {
            problems.push(format!("`{name}` is not a parameter of the authors' code"));
            continue;
        };
        let Some(tensor) = tensors.get(&key) else {
            problems.push(format!("`{key}` {:?} is not in the file", half.of_whole(&dims)));
            continue;
        };
        left.remove(key.as_str());
        if tensor.dims != half.of_whole(&dims) {
            problems.push(format!(
                "`{key}` is {:?} in the file and {:?} in the model",
                tensor.dims,
                half.of_whole(&dims)
            ));
        } else if let Some(at) = tensor.values.iter().position(|value| !value.is_finite()) {
            problems.push(format!("`{key}` holds {} at place {at}", tensor.values[at]));
        } else {
            values.push(half.cut(&tensor.values).to_vec());
        }
    }
    problems.extend(
        left.into_iter().map(|key| format!("`{key}` is in the file, but the model has no place for it")),
    );
    problems.dedup(); // both halves of a tensor have the same to say
    if !problems.is_empty() {
        return Err(AuthorsError::Mismatch { path: path.to_owned(), problems });
    }
    parameters.iter_mut().zip(values).for_each(|(parameter, values)| parameter.write(&values));
    Ok(())
}

/// The parameters as the authors' code names them, by name; the inverse of [`load()`].
///
/// # Errors
/// The parameters that their code does not have.
pub fn tensors_of<D: Kernels>(
    parameters: &[&mut dyn Parameter<D>],
    tasks: &[&str],
) -> Result<BTreeMap<String, Tensor>, Vec<String>> {
    let theirs = Theirs::of(parameters.iter().map(|parameter| parameter.meta().name.as_str()), tasks);
    let mut tensors: BTreeMap<String, Tensor> = BTreeMap::new();
    let mut unknown = Vec::new();
    for parameter in parameters {
        let name = &parameter.meta().name;
        match theirs.place(name) {
            // gamma comes before beta, so that the first half is there when the second comes
            Some(Place { tensor, half }) => {
                let whole = tensors.entry(tensor).or_default();
                whole.dims = half.of_whole(&parameter.dims());
                whole.values.extend(parameter.read());
            }
            None => unknown.push(name.clone()),
        }
    }
    if unknown.is_empty() { Ok(tensors) } else { Err(unknown) }
}

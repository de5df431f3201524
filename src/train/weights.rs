//! Weights of the authors' code, for models that compute what that code computes.

use std::path::Path;

use super::plan::{Fidelity, Plan};
use crate::authors::{self, AuthorsError};
use crate::kernels::Kernels;
use crate::nn::Parameter;

/// [`authors::load`] of the parameters of a model of `plan`.
///
/// # Errors
/// A model of `fidelity paper`, even where all names and shapes fit: its formulas give the same numbers another
/// meaning. What [`authors::load`] finds.
pub fn load<D: Kernels>(
    plan: &Plan,
    parameters: &mut [&mut dyn Parameter<D>],
    path: &Path,
) -> Result<(), AuthorsError> {
    if plan.training.fidelity != Fidelity::Reference {
        return Err(AuthorsError::Fidelity { path: path.to_owned(), model: plan.full_name() });
    }
    let tasks: Vec<&str> = plan.tasks.iter().map(|task| task.name).collect();
    authors::load(parameters, &tasks, path)
}

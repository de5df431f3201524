//! `compare`: a network of `fidelity reference` held against numbers of the authors' code, tensor by tensor.
//!
//! | file | holds |
//! |---|---|
//! | `golden` | a folder of such numbers: parameters, inputs, activations, gradients |
//! | `results` | what the network makes of the same parameters and inputs, by the golden's names |
//! | `report` | the largest difference of each tensor, as a table and as JSON |

mod golden;
mod report;
mod results;

use dfdx::prelude::{Backward, PutTape};

use crate::authors::{self, AuthorsError};
use crate::kernels::{Kernels, Pass};
use crate::nn::{Encode, Model, Predict};
use crate::train::losses;
use crate::train::network::Network;
use crate::train::plan::{Fidelity, Plan};

pub use golden::{Golden, GoldenError, Inputs};
pub use report::{Comparison, Finding, Row, Sort};
pub use results::{Layout, Results};

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[non_exhaustive]
pub enum CompareError {
    #[error(transparent)]
    #[diagnostic(transparent)]
    Golden(#[from] GoldenError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Authors(#[from] AuthorsError),

    #[error("`{model}` is of `fidelity paper`, and the numbers are of the authors' code")]
    #[diagnostic(
        code(compare::fidelity),
        help("the two compute different things: a model with `fidelity reference` is compared")
    )]
    Fidelity { model: String },
}

/// Gives `model` the golden's parameters, runs its batch forward and backward without dropout, and holds every tensor
/// of the golden against what came of it.
///
/// # Errors
/// A model of the paper's formulas; a golden that does not fit it.
pub fn compare<const HIDDEN: usize, E, P, D>(
    plan: &Plan,
    model: &mut Model<HIDDEN, E, P, D>,
    golden: &Golden,
) -> Result<Comparison, CompareError>
where
    E: Encode<HIDDEN, D>,
    P: Predict<HIDDEN, D>,
    D: Kernels,
{
    if plan.training.fidelity != Fidelity::Reference {
        return Err(CompareError::Fidelity { model: plan.full_name() });
    }
    let names: Vec<&str> = plan.tasks.iter().map(|task| task.name).collect();
    authors::fill(&mut model.parameters(), &names, &golden.parameters, &golden.path("params.safetensors"))?;
    let inputs = golden.inputs(plan)?;
    let batch = inputs.batch();

    let mut scoring = Pass::scoring(model.device());
    scoring.watch();
    let constant = model.encoder.constant(&batch, &mut scoring);
    let mut pass = Pass::training(model.device(), 0.0, 0);
    pass.watch();
    let heads = model.logits(constant, &batch, &batch.tasks(), &mut pass);
    let shown = [scoring.shown(), pass.shown()].concat();
    let logits = heads.iter().map(|head| (head.head, head.examples.clone(), head.logits.as_vec())).collect();

    let weights: Vec<f64> = plan.tasks.iter().map(|task| task.weight).collect();
    let (total, task_losses) =
        losses::objective(heads, &weights, &inputs.goals, plan.training.fidelity, &mut pass);
    let loss = f64::from(total.as_vec()[0]);
    let mut gradients = total.put_tape(pass.tape).backward();

    let mut results = Results::new(plan, &golden.tasks, &inputs);
    results.activations(&shown, &model.parameters());
    results.logits(logits);
    results.losses(loss, &task_losses);
    results.gradients(&mut model.parameters(), &names, &mut gradients);
    Ok(report::hold(&results, golden, &inputs))
}

//! Activations, gradients, picks and optimizer steps against golden numbers.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use camtl::authors::{self, Tensors, Theirs};
use camtl::compare::{Golden, compare};
use camtl::nn::{Batch, Encode, Model, Predict};
use camtl::train::Network;
use camtl::train::learner::Learner;
use camtl::train::plan::{Plan, Task, Uncertainty};
use camtl::train::uncertainty::{self, Candidates, reference};
use dfdx::prelude::Cpu;
use serde_json::Value;

use crate::{small_base, small_large, tiny_base, tiny_large};

/// For activations and gradients.
fn tolerance() -> f64 {
    if is_exact() { 1e-5 } else { 1e-4 }
}

/// Of parameters after five steps.
fn after_steps() -> f64 {
    if is_exact() { 1e-4 } else { 1e-3 }
}

/// A tile unit's products, where there is one, leave ten times as much.
fn is_exact() -> bool {
    std::env::var_os("CAMTL_MATMUL").is_some_and(|engine| engine == "gemm")
}

/// Our own numbers.
fn own(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/reference").join(name)
}

/// The authors', where `CAMTL_GOLDEN` says.
fn theirs(name: &str) -> PathBuf {
    let folder = std::env::var_os("CAMTL_GOLDEN");
    PathBuf::from(folder.expect("CAMTL_GOLDEN names the folder of tiny-base and tiny-large")).join(name)
}

macro_rules! agreement {
    ($($name:ident, $model:ident, $hidden:literal, $folder:expr $(, $ignore:meta)?;)*) => {$(
        mod $name {
            use super::*;

            fn build() -> Model<$hidden, $model::network::Encoder<Cpu>, $model::network::Heads<Cpu>, Cpu> {
                Model::build(Cpu::default())
            }

            #[test]
            $(#[$ignore])?
            fn activations_and_gradients_agree() {
                activations_and_gradients(&$model::tasks::PLAN, build(), &$folder);
            }

            #[test]
            $(#[$ignore])?
            fn the_same_candidates_are_picked() {
                picks(&$model::tasks::PLAN, build(), &$folder);
            }

            #[test]
            $(#[$ignore])?
            fn five_optimizer_steps_agree() {
                steps(&$model::tasks::PLAN, build(), &$folder);
            }
        }
    )*};
}

agreement! {
    base, small_base, 12, own("base");
    large, small_large, 12, own("large");
    authors_base, tiny_base, 48, super::theirs("tiny-base"), ignore = "needs the authors' numbers: CAMTL_GOLDEN";
    authors_large, tiny_large, 48, super::theirs("tiny-large"), ignore = "needs the authors' numbers: CAMTL_GOLDEN";
}

type Built<const HIDDEN: usize, E, P> = Model<HIDDEN, E, P, Cpu>;

fn activations_and_gradients<const HIDDEN: usize, E, P>(
    plan: &Plan,
    mut model: Built<HIDDEN, E, P>,
    folder: &Path,
) where
    E: Encode<HIDDEN, Cpu>,
    P: Predict<HIDDEN, Cpu>,
{
    let golden = Golden::read(folder).unwrap();
    let comparison = compare(plan, &mut model, &golden).unwrap();
    let table = comparison.table(tolerance());
    let tensors = golden.activations.names().count() + golden.gradients.names().count();
    assert!(comparison.rows.len() >= tensors, "{table}");
    assert_eq!(comparison.failures(tolerance()), 0, "\n{table}");

    // a formula that is slightly off is seen
    let mut other = golden.clone();
    other.gradients = other.activations.clone();
    assert!(compare(plan, &mut model, &other).unwrap().failures(1.0) > 0, "gradients are looked at");
}

fn fill<const HIDDEN: usize, E, P>(plan: &Plan, model: &mut Built<HIDDEN, E, P>, folder: &Path)
where
    E: Encode<HIDDEN, Cpu>,
    P: Predict<HIDDEN, Cpu>,
{
    authors::load(&mut model.parameters(), &names(plan), &folder.join("params.safetensors")).unwrap();
}

fn names(plan: &Plan) -> Vec<&'static str> {
    plan.tasks.iter().map(|task| task.name).collect()
}

/// The candidates of one step of MT-Uncertainty: the same are picked, whose formula ever it is.
fn picks<const HIDDEN: usize, E, P>(plan: &Plan, mut model: Built<HIDDEN, E, P>, folder: &Path)
where
    E: Encode<HIDDEN, Cpu>,
    P: Predict<HIDDEN, Cpu>,
{
    fill(plan, &mut model, folder);
    let golden = Tensors::read(&folder.join("mtu.safetensors")).unwrap();
    let get = |name: &str| &golden.get(name).unwrap().values;
    let (batch, tasks) = candidates(&golden);
    let logits = model.score(model.constant(&batch), &batch);

    let own = |task: &Task, index: usize| Candidates {
        entropies: tasks
            .iter()
            .zip(&logits)
            .filter(|(at, _)| **at == index)
            .map(|(_, logits)| uncertainty::of_item(task.kind, logits))
            .collect(),
        uniform: uncertainty::scale(task.kind),
    };
    let by_task: Vec<Candidates> = plan.tasks.iter().enumerate().map(|(i, task)| own(task, i)).collect();
    let donors: Vec<Option<usize>> = plan
        .tasks
        .iter()
        .map(|task| match task.uncertainty {
            Uncertainty::As(donor) => Some(donor),
            Uncertainty::Entropy => None,
        })
        .collect();

    // candidates lie task by task
    let first = |task: usize| tasks.iter().position(|at| *at == task).unwrap();
    let count = get("selected_code").len();
    let picked = |scores: &[Vec<f64>]| -> BTreeSet<usize> {
        uncertainty::select(scores, count).iter().map(|pick| first(pick.task) + pick.candidate).collect()
    };
    let selected = |name: &str| -> BTreeSet<usize> { get(name).iter().map(|at| *at as usize).collect() };
    let scores = reference::scores(&by_task, &donors);
    for (found, expected) in scores.iter().flatten().zip(get("score_code")) {
        assert!((found - f64::from(*expected)).abs() < 3e-5, "{found} is not {expected}");
    }
    assert_eq!(scores.iter().flatten().count(), get("score_code").len());
    assert_eq!(picked(&scores), selected("selected_code"));
    assert_eq!(picked(&uncertainty::scores(&by_task)), selected("selected_paper"));
}

fn candidates(golden: &Tensors) -> (Batch, Vec<usize>) {
    let get = |name: &str| golden.get(&format!("cand.{name}")).unwrap();
    let tasks: Vec<usize> = get("task_id").values.iter().map(|task| *task as usize).collect();
    let length = get("input_ids").dims[1];
    let rows = |name: &str| -> Vec<Vec<f32>> {
        get(name).values.chunks_exact(length).map(<[f32]>::to_vec).collect()
    };
    let (ids, types, mask) = (rows("input_ids"), rows("token_type_ids"), rows("attention_mask"));
    let sequences: Vec<(Vec<u32>, Vec<u8>)> = ids
        .iter()
        .zip(&types)
        .zip(&mask)
        .map(|((ids, types), mask)| {
            let used = mask.iter().filter(|mask| **mask == 1.0).count();
            (
                ids[..used].iter().map(|id| *id as u32).collect(),
                types[..used].iter().map(|t| *t as u8).collect(),
            )
        })
        .collect();
    let items = sequences.iter().zip(&tasks);
    (Batch::new(items.map(|((ids, types), task)| (ids.as_slice(), types.as_slice(), *task))).whole(), tasks)
}

/// Five steps of AdamW with warm-up and clipping on the golden's batch.
fn steps<const HIDDEN: usize, E, P>(plan: &Plan, mut model: Built<HIDDEN, E, P>, folder: &Path)
where
    E: Encode<HIDDEN, Cpu>,
    P: Predict<HIDDEN, Cpu>,
{
    fill(plan, &mut model, folder);
    let golden = Golden::read(folder).unwrap();
    let inputs = golden.inputs(plan).unwrap();
    let batch = inputs.batch();
    let text = std::fs::read_to_string(folder.join("meta.json")).unwrap();
    let meta: Value = serde_json::from_str(&text).unwrap();
    let expected = |key: &str, step: usize| meta["traj"][key][step].as_f64().unwrap();

    let mut learner = Learner::new(model, plan.training, plan.training.steps.unwrap());
    let weights = vec![1.0; plan.tasks.len()];
    for step in 0..5 {
        let constant = learner.network.constant(&batch);
        let stepped = learner.step(step + 1, &weights, &batch, constant, &inputs.goals).unwrap();
        assert!((stepped.loss / expected("losses", step) - 1.0).abs() < after_steps(), "loss of step {step}");
        assert!((stepped.applied.lr - expected("lrs", step)).abs() < 1e-12, "learning rate of step {step}");
        let norm = stepped.applied.grad_norm / expected("grad_norms", step);
        assert!((norm - 1.0).abs() < after_steps(), "norm of step {step}: {norm}");
    }

    let after = Tensors::read(&folder.join("traj.safetensors")).unwrap();
    let mut parameters = learner.network.parameters();
    let found = authors::tensors_of(&parameters, &names(plan)).unwrap();
    assert_eq!(found.keys().map(String::as_str).collect::<Vec<_>>(), after.names().collect::<Vec<_>>());
    for (name, expected) in after.iter() {
        // their gradient is rounding alone, which Adam makes steps of
        if name.ends_with(".key.bias") {
            continue;
        }
        let found = &found[name];
        assert_eq!(found.dims, expected.dims, "{name}");
        let largest = expected.values.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
        let difference = found.values.iter().zip(&expected.values).map(|(a, b)| (a - b).abs());
        let difference = f64::from(difference.fold(0.0, f32::max) / largest);
        assert!(difference <= after_steps(), "{name} differs by {difference:e}");
    }
    assert!(
        Theirs::of(parameters.iter_mut().map(|p| p.meta().name.as_str()), &names(plan))
            .place("new")
            .is_none()
    );
}

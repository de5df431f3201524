//! Checkpoints of the authors' code, read and written.

use std::collections::BTreeMap;
use std::path::Path;

use camtl::authors::{self, AuthorsError, Tensors};
use camtl::nn::pretrained::{self, Checkpoint};
use camtl::nn::{Encode, Model, Predict};
use camtl::train::export::{ExportError, Exported, Format, export};
use camtl::train::inputs::expected;
use camtl::train::plan::{Fidelity, Plan, Training};
use camtl::train::weights;
use dfdx::prelude::Cpu;

use crate::{small_base, small_large};

type Base = Model<12, small_base::network::Encoder<Cpu>, small_base::network::Heads<Cpu>, Cpu>;

const BASE: Plan = small_base::tasks::PLAN;

fn golden(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/reference").join(name).join("params.safetensors")
}

fn filled() -> Base {
    let mut model = Base::build(Cpu::default());
    authors::load(&mut model.parameters(), &names(&BASE), &golden("base")).unwrap();
    model
}

fn names(plan: &Plan) -> Vec<&'static str> {
    plan.tasks.iter().map(|task| task.name).collect()
}

fn values<E: Encode<12, Cpu>, P: Predict<12, Cpu>>(
    model: &mut Model<12, E, P, Cpu>,
) -> BTreeMap<String, Vec<f32>> {
    model.parameters().iter().map(|p| (p.meta().name.clone(), p.read())).collect()
}

/// A run's `tokenizer` folder.
fn tokenizer(folder: &Path) -> std::path::PathBuf {
    let tokenizer = folder.join("tokenizer");
    std::fs::create_dir(&tokenizer).unwrap();
    std::fs::write(tokenizer.join("vocab.txt"), "[PAD]\n").unwrap();
    tokenizer
}

#[test]
fn what_was_read_is_written_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("theirs");
    let (mut model, tokenizer) = (filled(), tokenizer(folder.path()));
    let done = export(&BASE, &model.parameters(), &tokenizer, Format::Reference, &out).unwrap();
    let (before, after) =
        (Tensors::read(&golden("base")).unwrap(), Tensors::read(&out.join("model.safetensors")).unwrap());
    assert_eq!(done, Exported { tensors: before.names().count(), left_out: 0 });
    assert!(before.iter().eq(after.iter()), "the same tensors");

    let again = export(&BASE, &model.parameters(), &tokenizer, Format::Reference, &out);
    assert!(matches!(again, Err(ExportError::Taken { .. })), "nothing is overwritten");
}

/// Names and shapes may fit a model of the paper, as those of a norm do; what the numbers mean does not.
#[test]
fn a_model_of_the_paper_neither_takes_nor_writes_them() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("theirs");
    let paper = Plan { training: Training { fidelity: Fidelity::Paper, ..BASE.training }, ..BASE };
    let mut model = filled();
    let written = export(&paper, &model.parameters(), &tokenizer(folder.path()), Format::Reference, &out);
    assert!(matches!(written, Err(ExportError::Fidelity { .. })), "{written:?}");
    assert!(!out.exists());
    let taken = weights::load(&paper, &mut model.parameters(), &golden("base"));
    assert!(matches!(taken, Err(AuthorsError::Fidelity { .. })), "{taken:?}");
    weights::load(&BASE, &mut model.parameters(), &golden("base")).unwrap();
}

#[test]
fn a_backbone_is_written_as_hugging_face_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("hf");
    let mut model = filled();
    let done = export(&BASE, &model.parameters(), &tokenizer(folder.path()), Format::Hf, &out).unwrap();
    assert_eq!(done.tensors, 5 + 2 * 16 + 2);
    assert!(done.left_out > 0);
    assert!(out.join("vocab.txt").is_file());

    let mut other = Base::build(Cpu::default());
    let checkpoint = Checkpoint::open(&out).unwrap();
    let report = pretrained::load(&mut other.parameters(), &checkpoint, &expected(&BASE.backbone)).unwrap();
    assert_eq!(report.loaded.len(), done.tensors);
    let (model, other) = (values(&mut model), values(&mut other));
    assert!(report.loaded.iter().all(|name| model[name] == other[name]));
}

#[test]
fn a_checkpoint_that_does_not_fit_changes_nothing() {
    let mut model = filled();
    let before = values(&mut model);
    let large = authors::load(&mut model.parameters(), &names(&BASE), &golden("large"));
    let Err(AuthorsError::Mismatch { problems, .. }) = large else { panic!("{large:?}") };
    let has = |text: &str| problems.iter().any(|problem| problem.contains(text));
    assert!(
        has("`bert.encoder.layer.1.adapter.condlayernorm.weight` [12] is not in the file"),
        "{problems:?}"
    );
    assert!(has("`bert.encoder.adapter_layer.0.up_proj_layer.bias` is in the file"), "{problems:?}");

    // the heads of two tasks of different classes, in the other order
    let tasks = ["mnli", "cola", "stsb", "mrpc"];
    let other = authors::load(&mut model.parameters(), &tasks, &golden("base"));
    let Err(AuthorsError::Mismatch { problems, .. }) = other else { panic!("{other:?}") };
    assert!(problems.iter().all(|problem| problem.contains("decoders.")), "{problems:?}");
    assert_eq!(values(&mut model), before);

    let missing = authors::load(&mut model.parameters(), &tasks, Path::new("no/such.safetensors"));
    assert!(matches!(missing, Err(AuthorsError::Tensors(_))));
    assert_eq!(small_large::tasks::PLAN.tasks.len(), BASE.tasks.len());
}

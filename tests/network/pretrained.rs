//! Loading a checkpoint: every tensor accounted for, and each way in which one can be wrong.

use std::path::Path;

use camtl::nn::prelude::*;
use camtl::nn::pretrained::{self, Checkpoint, Expected, PretrainedError, Report};
use dfdx::prelude::Cpu;
use safetensors::{SafeTensors, tensor::TensorView};

use crate::pytorch::{Bert, SIZES, folder};

fn load_from(directory: &Path, sizes: &Expected) -> Result<Report, PretrainedError> {
    let mut bert: Bert<Cpu> = Build::build(&Scope::root(Cpu::default()));
    let mut parameters = Vec::new();
    bert.parameters(&mut parameters);
    pretrained::load(&mut parameters, &Checkpoint::open(directory)?, sizes)
}

/// A copy of the golden checkpoint whose tensors `change` may rename, drop or reshape.
fn changed(change: impl Fn(&str, Vec<usize>) -> Option<(String, Vec<usize>)>) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    std::fs::copy(folder().join("config.json"), directory.path().join("config.json")).unwrap();
    let bytes = std::fs::read(folder().join("model.safetensors")).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let kept: Vec<(String, TensorView)> = tensors
        .iter()
        .filter_map(|(name, tensor)| {
            let (name, shape) = change(name, tensor.shape().to_vec())?;
            Some((name, TensorView::new(tensor.dtype(), shape, tensor.data()).unwrap()))
        })
        .collect();
    safetensors::serialize_to_file(kept, None, &directory.path().join("model.safetensors")).unwrap();
    directory
}

#[test]
fn the_bert_prefix_and_heads_of_pretraining_are_understood() {
    let directory = changed(|name, shape| Some((format!("bert.{name}"), shape)));
    assert_eq!(load_from(directory.path(), &SIZES).unwrap().ignored, []);
    let directory = changed(|name, shape| {
        let name = if name == "pooler.dense.bias" { "cls.predictions.bias" } else { name };
        Some((name.into(), shape))
    });
    let error = load_from(directory.path(), &SIZES).unwrap_err().to_string();
    assert!(error.contains("`pooler.dense.bias` [32] is not in the checkpoint"), "{error}");
    assert!(!error.contains("cls.predictions"), "{error}");
}

#[test]
fn a_tensor_that_is_missing_left_over_or_misshapen_is_named() {
    let directory = changed(|name, shape| match name {
        "encoder.layer.1.output.dense.weight" => Some((name.into(), vec![48, 32])),
        "encoder.layer.2.output.dense.bias" => Some(("encoder.layer.3.output.dense.bias".into(), shape)),
        _ => Some((name.into(), shape)),
    });
    let error = load_from(directory.path(), &SIZES).unwrap_err().to_string();
    for part in [
        "`encoder.layer.1.output.dense.weight` is [48, 32] in the checkpoint and [32, 48] in the model",
        "`encoder.layer.2.output.dense.bias` [32] is not in the checkpoint",
        "`encoder.layer.3.output.dense.bias` is in the checkpoint, but the model has no place for it",
    ] {
        assert!(error.contains(part), "{part:?} is not in {error}");
    }
}

#[test]
fn a_checkpoint_of_another_size_names_every_field_that_differs() {
    let error = load_from(&folder(), &Expected { layers: 6, hidden: 64, ..SIZES }).unwrap_err().to_string();
    assert!(error.contains("`layers` is 3 in the checkpoint and 6 in the model"), "{error}");
    assert!(error.contains("`hidden` is 32 in the checkpoint and 64 in the model"), "{error}");
}

#[test]
fn a_missing_folder_a_missing_file_and_a_cut_file_are_three_errors() {
    let missing = load_from(Path::new("no/such/folder"), &SIZES).unwrap_err();
    assert!(matches!(missing, PretrainedError::NoDirectory { .. }), "{missing}");

    let directory = changed(|name, shape| Some((name.into(), shape)));
    let weights = directory.path().join("model.safetensors");
    let bytes = std::fs::read(&weights).unwrap();
    std::fs::write(&weights, &bytes[..bytes.len() / 2]).unwrap();
    let cut = load_from(directory.path(), &SIZES).unwrap_err();
    assert!(matches!(cut, PretrainedError::File { .. }), "{cut}");

    std::fs::remove_file(&weights).unwrap();
    let missing = load_from(directory.path(), &SIZES).unwrap_err();
    assert!(matches!(missing, PretrainedError::NoWeights { .. }), "{missing}");
}

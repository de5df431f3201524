//! RoBERTa against PyTorch transformers (`tests/golden/roberta.py`): hidden states and gradients to the tolerance of BERT's.

use std::path::{Path, PathBuf};

use camtl::kernels::Training;
use camtl::nn::prelude::*;
use camtl::nn::pretrained::{self, Checkpoint, Expected, Family, PretrainedError, Report};
use dfdx::prelude::Cpu;
use safetensors::SafeTensors;

use crate::support::{assert_close, backward};

const TOLERANCE: f32 = 3e-5;
const LAYERS: usize = 2;

const SIZES: Expected = Expected {
    family: Family::Roberta,
    layers: LAYERS,
    hidden: 32,
    heads: 4,
    ffn: 48,
    vocab: 300,
    positions: 26,
    token_types: 1,
};

/// The backbone alone, nothing frozen; `P` says where the pooler comes from.
struct Roberta<P, D: Kernels> {
    embeddings: RobertaEmbeddings<32, 300, 26, 1, Trained, D>,
    layers: [EncoderLayer<32, 4, 48, Trained, PlainAttention, PlainNorm, NoBottleneck, D>; LAYERS],
    pooler: Pooler<32, P, D>,
}

impl<P: camtl::nn::Weights, D: Kernels> Build<D> for Roberta<P, D> {
    fn build(at: &Scope<D>) -> Self {
        let at = &at.with_epsilon(ROBERTA_EPSILON);
        Self {
            embeddings: Build::build(&at.child("embeddings")),
            layers: at.layers(0),
            pooler: Build::build(&at.child("pooler")),
        }
    }
}

camtl::parameters!([P: camtl::nn::Weights, D: Kernels] Roberta<P, D> { embeddings, layers, pooler });

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/roberta")
}

fn loaded<P: camtl::nn::Weights>(sizes: &Expected) -> (Roberta<P, Cpu>, Result<Report, PretrainedError>) {
    let mut network: Roberta<P, Cpu> = Build::build(&Scope::root(Cpu::default()));
    let mut parameters = Vec::new();
    network.parameters(&mut parameters);
    let report = pretrained::load(&mut parameters, &Checkpoint::open(&folder()).unwrap(), sizes);
    (network, report)
}

#[test]
fn hidden_states_and_gradients_agree_with_pytorch() {
    let bytes = std::fs::read(folder().join("golden.safetensors")).unwrap();
    let golden = SafeTensors::deserialize(&bytes).unwrap();
    let words = |name: &str| -> Vec<[u8; 4]> {
        golden.tensor(name).unwrap().data().chunks_exact(4).map(|b| b.try_into().unwrap()).collect()
    };
    let floats = |name: &str| -> Vec<f32> { words(name).into_iter().map(f32::from_le_bytes).collect() };
    let of_both =
        |name: &dyn Fn(usize) -> String| -> Vec<f32> { (0..2).flat_map(|i| floats(&name(i))).collect() };

    let (mut network, report) = loaded::<Trained>(&SIZES);
    let report = report.unwrap();
    assert_eq!((report.new.len(), report.loaded.len()), (0, 5 + 16 * LAYERS + 2));
    assert_eq!(report.ignored, [("lm_head.bias".to_owned(), "a head of pretraining")]);

    // Types that a pair of BERT has must not matter, and the longer sequence has the last position.
    let sequences: Vec<(Vec<u32>, Vec<u8>)> = (0..2)
        .map(|i| {
            let ids: Vec<u32> = words(&format!("word_ids.{i}")).into_iter().map(u32::from_le_bytes).collect();
            let types = (0..ids.len()).map(|at| u8::from(at > 3)).collect();
            (ids, types)
        })
        .collect();
    assert_eq!(sequences[1].0.len() + 2, SIZES.positions);
    let batch =
        Batch::new(sequences.iter().map(|(ids, types)| (ids.as_slice(), types.as_slice(), 0))).whole();

    let mut pass = Training::training(Cpu::default(), 0.0, 0);
    let mut x = network.embeddings.forward(&batch, &mut pass);
    assert_close("embeddings", &x.as_vec(), &of_both(&|i| format!("hidden.{i}.0")), TOLERANCE);
    for (k, layer) in network.layers.iter().enumerate() {
        x = camtl::nn::Layer::forward(
            layer,
            x,
            &camtl::nn::NoTask,
            &batch.segments,
            &batch.segments,
            &mut pass,
        );
        let expected = of_both(&|i| format!("hidden.{i}.{}", k + 1));
        assert_close(&format!("layer {k}"), &x.as_vec(), &expected, TOLERANCE);
    }
    let pooled = network.pooler.forward(x, &batch, &mut pass).pooled;
    assert_close("pooled", &pooled.as_vec(), &of_both(&|i| format!("pooled.{i}")), TOLERANCE);

    let (_, mut gradients) = backward(pass, &pooled, &of_both(&|i| format!("probe.{i}")));
    let mut parameters = Vec::new();
    network.parameters(&mut parameters);
    let mut checked = 0;
    for parameter in parameters {
        let name = format!("gradient.{}", parameter.meta().name);
        if golden.tensor(&name).is_ok() {
            assert_close(&name, &parameter.gradient(&mut gradients), &floats(&name), TOLERANCE);
            checked += 1;
        }
    }
    assert_eq!(checked, 6);
}

#[test]
fn a_new_pooler_leaves_that_of_the_checkpoint() {
    let report = loaded::<New>(&SIZES).1.unwrap();
    assert_eq!(report.new, ["pooler.dense.weight", "pooler.dense.bias"]);
    let ignored: Vec<&str> = report.ignored.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(ignored, ["lm_head.bias", "pooler.dense.bias", "pooler.dense.weight"]);
}

#[test]
fn another_family_is_refused() {
    let error = loaded::<Trained>(&Expected { family: Family::Bert, ..SIZES }).1.unwrap_err().to_string();
    assert!(error.contains("`model_type` is `roberta` in config.json, only `bert` is supported"), "{error}");
    assert!(error.contains("`layer_norm_eps` is 1e-5 in config.json, only 1e-12 is supported"), "{error}");
}

//! The plain encoder against PyTorch transformers (`tests/golden/bert.py`): hidden states and gradients to 3e-5, which is
//! what products on a tile unit leave of them; those by `gemm` agree to 1e-5.

use std::path::Path;

use camtl::kernels::Training;
use camtl::nn::prelude::*;
use camtl::nn::pretrained::{self, Checkpoint, Expected, Family};
use dfdx::prelude::Cpu;
use safetensors::SafeTensors;

use crate::support::{assert_close, backward};

const TOLERANCE: f32 = 3e-5;
const LAYERS: usize = 3;

pub const SIZES: Expected = Expected {
    family: Family::Bert,
    layers: 3,
    hidden: 32,
    heads: 4,
    ffn: 48,
    vocab: 40,
    positions: 24,
    token_types: 2,
};

/// The backbone alone, nothing frozen.
pub struct Bert<D: Kernels> {
    pub embeddings: Embeddings<32, 40, 24, 2, Trained, D>,
    pub layers: [EncoderLayer<32, 4, 48, Trained, PlainAttention, PlainNorm, NoBottleneck, D>; LAYERS],
    pub pooler: Pooler<32, Trained, D>,
}

impl<D: Kernels> Build<D> for Bert<D> {
    fn build(at: &Scope<D>) -> Self {
        Self {
            embeddings: Build::build(&at.child("embeddings")),
            layers: at.layers(0),
            pooler: Build::build(&at.child("pooler")),
        }
    }
}

camtl::parameters!(Bert { embeddings, layers, pooler });

pub fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/bert")
}

struct Golden(Vec<u8>);

impl Golden {
    fn floats(&self, name: &str) -> Vec<f32> {
        self.data(name).chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect()
    }

    fn integers(&self, name: &str) -> Vec<i32> {
        self.data(name).chunks_exact(4).map(|b| i32::from_le_bytes(b.try_into().unwrap())).collect()
    }

    fn data(&self, name: &str) -> Vec<u8> {
        SafeTensors::deserialize(&self.0).unwrap().tensor(name).unwrap().data().to_vec()
    }
}

#[test]
fn hidden_states_and_gradients_agree_with_pytorch() {
    let golden = Golden(std::fs::read(folder().join("golden.safetensors")).unwrap());
    let mut bert: Bert<Cpu> = Build::build(&Scope::root(Cpu::default()));
    let mut parameters = Vec::new();
    bert.parameters(&mut parameters);
    let report = pretrained::load(&mut parameters, &Checkpoint::open(&folder()).unwrap(), &SIZES).unwrap();
    assert_eq!((report.new.len(), report.loaded.len()), (0, 5 + 16 * LAYERS + 2));

    // both sequences in one flat batch
    let sequences: Vec<(Vec<u32>, Vec<u8>)> = (0..2)
        .map(|i| {
            let ids = golden.integers(&format!("word_ids.{i}")).iter().map(|&v| v as u32).collect();
            let types = golden.integers(&format!("token_types.{i}")).iter().map(|&v| v as u8).collect();
            (ids, types)
        })
        .collect();
    let batch =
        Batch::new(sequences.iter().map(|(ids, types)| (ids.as_slice(), types.as_slice(), 0))).whole();
    let expected =
        |k: usize| -> Vec<f32> { (0..2).flat_map(|i| golden.floats(&format!("hidden.{i}.{k}"))).collect() };

    let mut pass = Training::training(Cpu::default(), 0.0, 0);
    let mut x = bert.embeddings.forward(&batch, &mut pass);
    assert_close("embeddings", &x.as_vec(), &expected(0), TOLERANCE);
    for (k, layer) in bert.layers.iter().enumerate() {
        x = camtl::nn::Layer::forward(
            layer,
            x,
            &camtl::nn::NoTask,
            &batch.segments,
            &batch.segments,
            &mut pass,
        );
        assert_close(&format!("layer {k}"), &x.as_vec(), &expected(k + 1), TOLERANCE);
    }
    let pooled = bert.pooler.forward(x, &batch, &mut pass).pooled;
    let expected: Vec<f32> = (0..2).flat_map(|i| golden.floats(&format!("pooled.{i}"))).collect();
    assert_close("pooled", &pooled.as_vec(), &expected, TOLERANCE);

    let probe: Vec<f32> = (0..2).flat_map(|i| golden.floats(&format!("probe.{i}"))).collect();
    let (_, mut gradients) = backward(pass, &pooled, &probe);
    let mut parameters = Vec::new();
    bert.parameters(&mut parameters);
    let mut checked = 0;
    for parameter in parameters {
        let name = parameter.meta().name.clone();
        let golden_name = format!("gradient.{name}");
        if SafeTensors::deserialize(&golden.0).unwrap().tensor(&golden_name).is_ok() {
            let found = parameter.gradient(&mut gradients);
            let mut expected = golden.floats(&golden_name);
            let mut found_rows = found.clone();
            if name == "embeddings.word_embeddings.weight" {
                // PyTorch gives the [PAD] row no gradient; it does not occur here
                expected.drain(..32);
                found_rows.drain(..32);
            }
            assert_close(&golden_name, &found_rows, &expected, TOLERANCE);
            checked += 1;
        }
    }
    assert_eq!(checked, 6);
}

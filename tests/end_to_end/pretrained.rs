//! On a pretrained backbone: what is frozen stays bit for bit, what is trained moves.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView, serialize_to_file};

use crate::scratch::its_parameters_are_those_of_the_model;
use crate::support::{Place, VOCAB, vocabulary};

const LAYERS: usize = 2;
const FFN: usize = 32;
const POSITIONS: usize = 16;

#[test]
fn frozen_tensors_stay_and_trained_ones_move() {
    let place = Place::new();
    write_bert(&place.path("bert"), 16);
    let binary = place.build("tuned.cam");
    its_parameters_are_those_of_the_model(&place, "tuned.cam", None, &binary);

    let arguments = ["train", "tuned.cam", "--data", "data", "--backbone", "bert", "--out", "run"];
    place.succeed(&[&arguments[..], &["--steps", "3", "--set", "lr=1e-3"]].concat());
    let given = fs::read(place.path("bert/model.safetensors")).unwrap();
    let given = SafeTensors::deserialize(&given).unwrap();
    let saved = fs::read(place.path("run/checkpoints/step-3/model.safetensors")).unwrap();
    let saved = SafeTensors::deserialize(&saved).unwrap();
    let (mut frozen, mut trained) = (0, 0);
    for (name, tensor) in given.iter() {
        let Some(name) = name.strip_prefix("bert.") else { continue };
        let (before, after) = (tensor.data(), saved.tensor(name).unwrap());
        assert_eq!(after.dtype(), Dtype::F32);
        if name.starts_with("embeddings.") || name.starts_with("encoder.layer.0.") {
            assert!(before == after.data(), "`{name}` is frozen, but has changed");
            frozen += 1;
        } else if !name.ends_with("key.bias") {
            // A bias of the keys moves all of a query's scores alike: softmax does not see it.
            assert!(before != after.data(), "`{name}` is trained, but has not moved");
            trained += 1;
        }
    }
    assert_eq!((frozen, trained), (5 + 16, 15 + 2));
    place.succeed(&["eval", "run"]);
}

/// A Hugging Face BERT folder with random weights.
pub fn write_bert(folder: &Path, hidden: usize) {
    let config = serde_json::json!({
        "model_type": "bert",
        "num_hidden_layers": LAYERS,
        "hidden_size": hidden,
        "num_attention_heads": 2,
        "intermediate_size": FFN,
        "vocab_size": VOCAB,
        "max_position_embeddings": POSITIONS,
        "type_vocab_size": 2,
        "hidden_act": "gelu",
        "layer_norm_eps": 1e-12,
    });
    let tables = [("word", VOCAB), ("position", POSITIONS), ("token_type", 2)];
    let mut tensors = shapes("bert.", &tables, hidden);
    tensors.extend(pooler("bert.", hidden));
    tensors.push(("cls.predictions.bias".to_owned(), vec![VOCAB]));
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join("config.json"), config.to_string()).unwrap();
    fs::write(folder.join("vocab.txt"), vocabulary()).unwrap();
    write_weights(folder, tensors);
}

/// A RoBERTa, as its authors gave it away: without a pooler, and with `vocab` pieces, which are single bytes.
pub fn write_roberta(folder: &Path, vocab: usize) {
    const POSITIONS: usize = 34;
    let config = serde_json::json!({
        "model_type": "roberta",
        "num_hidden_layers": LAYERS,
        "hidden_size": 16,
        "num_attention_heads": 2,
        "intermediate_size": FFN,
        "vocab_size": vocab,
        "max_position_embeddings": POSITIONS,
        "type_vocab_size": 1,
        "hidden_act": "gelu",
        "layer_norm_eps": 1e-5,
        "pad_token_id": 1,
    });
    let mut tensors = shapes("roberta.", &[("word", vocab), ("position", POSITIONS), ("token_type", 1)], 16);
    tensors.push(("lm_head.bias".to_owned(), vec![vocab]));
    let special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"].map(str::to_owned);
    // a space is the letter \u{120} there
    let joined = ["th", "\u{120}th"].map(str::to_owned);
    let bytes = ('a'..='z').chain(['\u{120}', '.']).map(String::from);
    let pieces = special.into_iter().chain(bytes).chain(joined).zip(0..);
    let pieces: serde_json::Map<String, serde_json::Value> =
        pieces.map(|(piece, id): (String, usize)| (piece, id.into())).collect();
    assert!(pieces.len() <= vocab);
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join("config.json"), config.to_string()).unwrap();
    fs::write(folder.join("vocab.json"), serde_json::json!(pieces).to_string()).unwrap();
    fs::write(folder.join("merges.txt"), "#version: 0.2\nt h\n\u{120} th\n").unwrap();
    write_weights(folder, tensors);
}

/// Random weights of these names and shapes.
fn write_weights(folder: &Path, shapes: Vec<(String, Vec<usize>)>) {
    let mut state = 1_u32;
    let tensors: HashMap<String, (Vec<usize>, Vec<u8>)> = shapes
        .into_iter()
        .map(|(name, shape)| {
            let norm = name.ends_with("LayerNorm.weight");
            let values = (0..shape.iter().product()).flat_map(|_| {
                // Numerical Recipes' generator; its upper bits do for weights in -0.05 .. 0.05.
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let value = (state >> 8) as f32 / (1 << 24) as f32 * 0.1 - 0.05;
                (if norm { 1.0 + value } else { value }).to_le_bytes()
            });
            (name, (shape.clone(), values.collect()))
        })
        .collect();
    let views = tensors
        .iter()
        .map(|(name, (shape, bytes))| (name, TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap()));
    serialize_to_file(views, None, &folder.join("model.safetensors")).unwrap();
}

/// Names and shapes as `transformers` saves a network that was pretrained, but for its pooler.
fn shapes(prefix: &str, tables: &[(&str, usize)], hidden: usize) -> Vec<(String, Vec<usize>)> {
    let mut shapes = Vec::new();
    for (name, rows) in tables {
        shapes.push((format!("{prefix}embeddings.{name}_embeddings.weight"), vec![*rows, hidden]));
    }
    let norm =
        |name: &str| [(format!("{name}.weight"), vec![hidden]), (format!("{name}.bias"), vec![hidden])];
    let parts = |layer: usize| {
        let at = |part: &str| format!("{prefix}encoder.layer.{layer}.{part}");
        [
            linear(&at("attention.self.query"), hidden, hidden),
            linear(&at("attention.self.key"), hidden, hidden),
            linear(&at("attention.self.value"), hidden, hidden),
            linear(&at("attention.output.dense"), hidden, hidden),
            norm(&at("attention.output.LayerNorm")),
            linear(&at("intermediate.dense"), hidden, FFN),
            linear(&at("output.dense"), FFN, hidden),
            norm(&at("output.LayerNorm")),
        ]
    };
    let rest = (0..LAYERS).flat_map(parts).chain([norm(&format!("{prefix}embeddings.LayerNorm"))]);
    shapes.extend(rest.flatten());
    shapes
}

fn pooler(prefix: &str, hidden: usize) -> [(String, Vec<usize>); 2] {
    linear(&format!("{prefix}pooler.dense"), hidden, hidden)
}

fn linear(name: &str, from: usize, to: usize) -> [(String, Vec<usize>); 2] {
    [(format!("{name}.weight"), vec![to, from]), (format!("{name}.bias"), vec![to])]
}

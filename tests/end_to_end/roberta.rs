//! On a pretrained RoBERTa: byte-level pieces, its positions, its checkpoint's names, and the way back to Hugging Face.

use std::fs;

use safetensors::SafeTensors;
use serde_json::{Value, json};

use crate::pretrained::write_roberta;
use crate::support::{Place, values};

/// Ids of `vocab.json`.
pub const VOCAB: usize = 64;

fn model() -> String {
    let sizes = format!("layers 2 hidden 16 heads 2 ffn 32 vocab {VOCAB} positions 34");
    format!(
        r#"model tiny_roberta

backbone roberta {{ checkpoint "tiny-roberta" {sizes} }}
freeze embeddings
sequence 32

tasks {{
    sentiment {{ classify negative, positive       data tsv "sentiment" }}
    agree     {{ classify same, opposite           data tsv "agree" }}
    warmth    {{ regress 0.0 .. 5.0                data tsv "warmth"   uncertainty as sentiment }}
}}

attach attention to layer 1 {{ blocks 4 }}
attach norm to layer 1

train {{ sampler mt_uncertainty   batch 8   steps 6   evaluate every 3   seed 3 }}
"#
    )
}

#[test]
fn it_is_trained_measured_asked_and_given_back() {
    let place = Place::new();
    place.write("roberta.cam", &model());
    write_roberta(&place.path("checkpoint"), VOCAB);
    let arguments = ["train", "roberta.cam", "--data", "data", "--backbone", "checkpoint", "--out", "run"];
    place.succeed(&[&arguments[..], &["--set", "lr=1e-3"]].concat());

    let figures = values(&place.succeed(&["eval", "run", "--json"])).remove(0);
    assert!(figures["tasks"]["agree"]["accuracy"].as_f64().is_some_and(f64::is_finite), "{figures}");
    let answer =
        ["predict", "run", "--task", "agree", "--text", "a book is fine", "--text-b", "this is poor"];
    let answer = values(&place.succeed(&answer)).remove(0);
    assert!(answer["label"] == "same" || answer["label"] == "opposite", "{answer}");

    place.succeed(&["export", "run", "--format", "hf", "--out", "hf", "--checkpoint", "last"]);
    let config: Value = serde_json::from_str(&place.read("hf/config.json")).unwrap();
    let expected = json!({
        "model_type": "roberta", "architectures": ["RobertaModel"], "layer_norm_eps": 1e-5, "pad_token_id": 1,
        "max_position_embeddings": 34, "type_vocab_size": 1, "vocab_size": VOCAB, "hidden_size": 16
    });
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&config[key], value, "{key}");
    }
    for file in ["vocab.json", "merges.txt"] {
        assert_eq!(place.read(&format!("hf/{file}")), place.read(&format!("checkpoint/{file}")));
    }
    let [given, saved] = ["checkpoint", "hf"]
        .map(|folder| fs::read(place.path(&format!("{folder}/model.safetensors"))).unwrap());
    let (given, saved) =
        (SafeTensors::deserialize(&given).unwrap(), SafeTensors::deserialize(&saved).unwrap());
    let mut frozen = 0;
    for (name, tensor) in
        given.iter().filter_map(|(name, tensor)| Some((name.strip_prefix("roberta.")?, tensor)))
    {
        let after = saved.tensor(name).unwrap();
        assert_eq!(after.shape(), tensor.shape(), "{name}");
        if name.starts_with("embeddings.") {
            assert!(after.data() == tensor.data(), "`{name}` is frozen, but has changed");
            frozen += 1;
        }
    }
    assert_eq!((frozen, saved.len()), (5, 5 + 2 * 16 + 2), "and the pooler, which was new");

    // what was given back is a checkpoint again
    place.succeed(&[
        "train",
        "roberta.cam",
        "--data",
        "data",
        "--backbone",
        "hf",
        "--out",
        "again",
        "--steps",
        "2",
    ]);
}

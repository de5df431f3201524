//! `config.json` of a Hugging Face BERT or RoBERTa, held against the model's backbone.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::PretrainedError;
use crate::nn::{EPSILON, FIRST_POSITION, ROBERTA_EPSILON};

/// Which network the backbone is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    Bert,
    Roberta,
}

impl Family {
    /// `model_type` in a `config.json`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bert => "bert",
            Self::Roberta => "roberta",
        }
    }

    /// What its norms add to the variance.
    pub fn epsilon(self) -> f32 {
        match self {
            Self::Bert => EPSILON,
            Self::Roberta => ROBERTA_EPSILON,
        }
    }
}

/// The backbone as the model states it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    pub family: Family,
    pub layers: usize,
    pub hidden: usize,
    pub heads: usize,
    pub ffn: usize,
    pub vocab: usize,
    pub positions: usize,
    pub token_types: usize,
}

/// The fields that decide what is computed; others are not read.
#[derive(Debug, Deserialize)]
pub struct Config {
    #[serde(default = "bert")]
    model_type: String,
    num_hidden_layers: usize,
    hidden_size: usize,
    num_attention_heads: usize,
    intermediate_size: usize,
    vocab_size: usize,
    max_position_embeddings: usize,
    #[serde(default = "two")]
    type_vocab_size: usize,
    #[serde(default = "gelu")]
    hidden_act: String,
    /// BERT's where it is not said.
    layer_norm_eps: Option<f64>,
    pad_token_id: Option<usize>,
    #[serde(default = "absolute")]
    position_embedding_type: String,
}

fn bert() -> String {
    "bert".into()
}
fn gelu() -> String {
    "gelu".into()
}
fn absolute() -> String {
    "absolute".into()
}
fn two() -> usize {
    2
}

impl Config {
    pub fn read(path: &Path) -> Result<Self, PretrainedError> {
        let failed = |cause: String| PretrainedError::File { path: path.into(), cause };
        let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
        serde_json::from_str(&text).map_err(|error| failed(error.to_string()))
    }

    /// Every field in which the checkpoint and the model differ, at once.
    pub fn check(&self, expected: &Expected, directory: &Path) -> Result<(), PretrainedError> {
        let sizes = [
            ("layers", self.num_hidden_layers, expected.layers),
            ("hidden", self.hidden_size, expected.hidden),
            ("heads", self.num_attention_heads, expected.heads),
            ("ffn", self.intermediate_size, expected.ffn),
            ("vocab", self.vocab_size, expected.vocab),
            ("positions", self.max_position_embeddings, expected.positions),
            ("token_types", self.type_vocab_size, expected.token_types),
        ];
        let mut differences: Vec<String> = sizes
            .iter()
            .filter(|(_, found, wanted)| found != wanted)
            .map(|(name, found, wanted)| {
                format!("`{name}` is {found} in the checkpoint and {wanted} in the model")
            })
            .collect();
        let words = [
            ("model_type", &self.model_type, expected.family.name()),
            ("hidden_act", &self.hidden_act, "gelu"),
            ("position_embedding_type", &self.position_embedding_type, "absolute"),
        ];
        for (name, found, wanted) in words {
            if found != wanted {
                differences
                    .push(format!("`{name}` is `{found}` in config.json, only `{wanted}` is supported"));
            }
        }
        let epsilon = expected.family.epsilon();
        // transformers' default is BERT's for both
        let found = self.layer_norm_eps.unwrap_or(f64::from(EPSILON));
        if (found - f64::from(epsilon)).abs() > 1e-3 * f64::from(epsilon) {
            differences
                .push(format!("`layer_norm_eps` is {found:e} in config.json, only {epsilon:e} is supported"));
        }
        if let (Family::Roberta, Some(padding)) = (expected.family, self.pad_token_id)
            && padding + 1 != FIRST_POSITION
        {
            let right = FIRST_POSITION - 1;
            differences
                .push(format!("`pad_token_id` is {padding} in config.json, only {right} is supported"));
        }
        if differences.is_empty() {
            Ok(())
        } else {
            Err(PretrainedError::OtherSize { directory: directory.into(), differences })
        }
    }
}

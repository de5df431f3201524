//! The shapes of checkpoints of BERT and RoBERTa: of well-known ones by their names, of others by their `config.json`.

use serde::Deserialize;

/// What a `config.json` says of its shape, under the names that Hugging Face gives them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Checkpoint {
    #[serde(rename = "num_hidden_layers")]
    pub layers: usize,
    #[serde(rename = "hidden_size")]
    pub hidden: usize,
    #[serde(rename = "num_attention_heads")]
    pub heads: usize,
    #[serde(rename = "intermediate_size")]
    pub ffn: usize,
    #[serde(rename = "vocab_size")]
    pub vocab: usize,
    #[serde(rename = "max_position_embeddings")]
    pub positions: usize,
}

const fn bert(layers: usize, hidden: usize, heads: usize, ffn: usize, vocab: usize) -> Checkpoint {
    Checkpoint { layers, hidden, heads, ffn, vocab, positions: 512 }
}

const CASED: usize = 28_996;
const UNCASED: usize = 30_522;

/// The first two positions are of no token.
const fn roberta(layers: usize, hidden: usize, heads: usize, ffn: usize) -> Checkpoint {
    Checkpoint { layers, hidden, heads, ffn, vocab: 50_265, positions: 514 }
}

/// By the last part of the id: `google-bert/bert-base-cased`, `bert-base-cased` and `bert-base-cased@main` are one.
const KNOWN: [(&str, Checkpoint); 17] = [
    ("bert-base-cased", bert(12, 768, 12, 3072, CASED)),
    ("bert-base-uncased", bert(12, 768, 12, 3072, UNCASED)),
    ("bert-large-cased", bert(24, 1024, 16, 4096, CASED)),
    ("bert-large-uncased", bert(24, 1024, 16, 4096, UNCASED)),
    ("bert-large-cased-whole-word-masking", bert(24, 1024, 16, 4096, CASED)),
    ("bert-large-uncased-whole-word-masking", bert(24, 1024, 16, 4096, UNCASED)),
    ("bert-tiny", bert(2, 128, 2, 512, UNCASED)),
    ("bert-mini", bert(4, 256, 4, 1024, UNCASED)),
    ("bert-small", bert(4, 512, 8, 2048, UNCASED)),
    ("bert-medium", bert(8, 512, 8, 2048, UNCASED)),
    ("all-MiniLM-L6-v2", bert(6, 384, 12, 1536, UNCASED)),
    ("all-MiniLM-L12-v2", bert(12, 384, 12, 1536, UNCASED)),
    ("roberta-base", roberta(12, 768, 12, 3072)),
    ("roberta-large", roberta(24, 1024, 16, 4096)),
    ("distilroberta-base", roberta(6, 768, 12, 3072)),
    ("all-distilroberta-v1", roberta(6, 768, 12, 3072)),
    ("MiniLM-L12-H384-uncased", bert(12, 384, 12, 1536, UNCASED)),
];

/// The shape of a well-known checkpoint.
pub fn known(name: &str) -> Option<Checkpoint> {
    let name = name.split_once('@').map_or(name, |(id, _)| id);
    let last = name.trim_end_matches('/').rsplit('/').next()?;
    KNOWN.iter().find(|(known, _)| *known == last).map(|(_, checkpoint)| *checkpoint)
}

/// From the text of a `config.json`; `None` where it is of something else, which loading will tell.
pub fn from_config(text: &str) -> Option<Checkpoint> {
    serde_json::from_str(text).ok()
}

//! RoBERTa's two files, `vocab.json` and `merges.txt`, as the `tokenizer.json` that they stand for.
//!
//! Byte-level pair encoding (Radford et al., 2019): a text is cut into words with the space before them, each word into
//! bytes, and these are joined pair by pair in the order of the merges.

use std::collections::HashMap;
use std::path::Path;
use std::{fs, io};

use serde_json::{Value, json};

use super::TokenizerError;

pub const VOCAB: &str = "vocab.json";
const MERGES: &str = "merges.txt";

/// The marks of RoBERTa's input. A space before `<mask>` belongs to it.
const SPECIAL: [&str; 5] = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"];

/// The tokenizer of the `vocab.json` at `path`, whose content is `bytes`, and the content of the merges beside it.
pub fn read(path: &Path, bytes: &[u8]) -> Result<(Value, Vec<u8>), TokenizerError> {
    let vocab: HashMap<String, u32> = serde_json::from_slice(bytes)
        .map_err(|cause| TokenizerError::Format { path: path.to_owned(), cause: cause.to_string() })?;
    let path = path.with_file_name(MERGES);
    let merges = match fs::read(&path) {
        Ok(merges) => merges,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
            return Err(TokenizerError::NoMerges { path });
        }
        Err(cause) => return Err(TokenizerError::Io { path, cause }),
    };
    let failed = |cause: String| TokenizerError::Format { path: path.clone(), cause };
    let text = std::str::from_utf8(&merges).map_err(|cause| failed(cause.to_string()))?;
    let pairs = text
        .lines()
        .enumerate()
        .filter(|(at, line)| !(line.is_empty() || *at == 0 && line.starts_with("#version")))
        .map(|(at, line)| match line.trim_end().split_once(' ') {
            Some((left, right)) if !right.contains(' ') => Ok([left, right]),
            _ => Err(failed(format!("line {} is not two parts with a space between", at + 1))),
        })
        .collect::<Result<Vec<_>, _>>()?;
    Ok((tokenizer(&vocab, &pairs), merges))
}

fn tokenizer(vocab: &HashMap<String, u32>, merges: &[[&str; 2]]) -> Value {
    let added: Vec<Value> = SPECIAL
        .iter()
        .filter_map(|token| {
            let id = vocab.get(*token)?;
            Some(json!({
                "id": id, "content": token, "single_word": false, "lstrip": *token == "<mask>", "rstrip": false,
                "normalized": false, "special": true
            }))
        })
        .collect();
    json!({
        "version": "1.0",
        "added_tokens": added,
        "normalizer": null,
        "pre_tokenizer": {
            "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true
        },
        "post_processor": null,
        "decoder": null,
        "model": {
            "type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": "",
            "end_of_word_suffix": "", "fuse_unk": false, "byte_fallback": false, "vocab": vocab, "merges": merges
        }
    })
}

//! Text to token ids: BERT's WordPiece from a `tokenizer.json` or a `vocab.txt`, laid out as `[CLS] a [SEP] b [SEP]`.
//!
//! The layout is made here and not by the file's post-processor, and padding and truncation that a
//! `tokenizer.json` carries (sentence encoders ship with "pad to 128") are dropped: sequences are cut at the
//! model's own length and never padded.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use serde_json::{Value, json};

mod places;
mod words;

pub use places::Placed;
pub use words::Words;

/// The marks of BERT's input, where a vocabulary has them.
const SPECIAL: [&str; 5] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

/// A loaded tokenizer, bound to a model's vocabulary and sequence length.
#[derive(Clone)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    cls: u32,
    sep: u32,
    sequence: usize,
    /// Whether the tokens of a text are those of its words, one after the other.
    by_words: bool,
    fingerprint: blake3::Hash,
}

/// The ids of one example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// At most the tokenizer's sequence length, specials included.
    pub ids: Vec<u32>,
    /// How many of them, from the start, are of token type 0; the others, the second text, are of type 1.
    pub first: usize,
    /// Tokens that did not fit.
    pub cut: usize,
}

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[non_exhaustive]
pub enum TokenizerError {
    #[error("there is no tokenizer at `{}`", .path.display())]
    #[diagnostic(
        code(tokenizer::missing),
        help("a tokenizer is a `tokenizer.json` or a `vocab.txt`, or a folder with one of them")
    )]
    Missing { path: PathBuf },

    #[error("`{}` cannot be read", .path.display())]
    #[diagnostic(code(tokenizer::io))]
    Io {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },

    #[error("`{}` is not a tokenizer: {cause}", .path.display())]
    #[diagnostic(code(tokenizer::format))]
    Format { path: PathBuf, cause: String },

    #[error("the vocabulary of `{}` has no `{token}`", .path.display())]
    #[diagnostic(code(tokenizer::special), help("BERT's vocabularies hold [UNK], [CLS] and [SEP]"))]
    Special { path: PathBuf, token: &'static str },

    #[error("`{}` numbers its tokens up to {largest}, the model has {vocab} embeddings", .path.display())]
    #[diagnostic(
        code(tokenizer::vocabulary),
        help("the tokenizer is of another model, or the model's vocab should be {}", .largest + 1)
    )]
    Vocabulary { path: PathBuf, largest: u32, vocab: usize },

    #[error("a sequence of {sequence} tokens has no room for text")]
    #[diagnostic(code(tokenizer::sequence), help("[CLS], [SEP] and [SEP] take three, so the least is 4"))]
    Sequence { sequence: usize },

    #[error("a text cannot be tokenized: {cause}")]
    #[diagnostic(code(tokenizer::text))]
    Text { cause: String },
}

impl Tokenizer {
    /// Reads the tokenizer at `path`: a file, or a folder in which `tokenizer.json` goes before `vocab.txt`.
    ///
    /// A `vocab.txt` does not say whether text is lower-cased. `do_lower_case` of a `tokenizer_config.json` beside
    /// it does; without one, text is lower-cased exactly if no token holds an upper-case letter (the bracketed
    /// specials aside), since such a vocabulary could not represent any.
    ///
    /// # Errors
    /// A file that is missing or malformed, specials that are missing, and ids that reach `vocab`, the number of
    /// the model's embeddings; `sequence` (in tokens) below 4.
    pub fn open(path: &Path, vocab: usize, sequence: usize) -> Result<Self, TokenizerError> {
        if sequence < 4 {
            return Err(TokenizerError::Sequence { sequence });
        }
        let (path, bytes) = find(path)?;
        let format = |cause: String| TokenizerError::Format { path: path.clone(), cause };
        let mut hasher = blake3::Hasher::new();
        let mut inner = if is_json(&path) {
            hasher.update(b"tokenizer.json\0");
            tokenizers::Tokenizer::from_bytes(&bytes).map_err(|cause| format(cause.to_string()))?
        } else {
            let text = std::str::from_utf8(&bytes).map_err(|cause| format(cause.to_string()))?;
            let tokens: Vec<&str> = text.lines().map(str::trim_end).collect();
            let lowercase = match configured_case(&path)? {
                Some(lowercase) => lowercase,
                None => is_uncased(&tokens),
            };
            hasher.update(if lowercase { b"vocab.txt uncased\0" } else { b"vocab.txt cased\0" });
            let json = word_piece(&tokens, lowercase).to_string();
            tokenizers::Tokenizer::from_bytes(json).map_err(|cause| format(cause.to_string()))?
        };
        hasher.update(&bytes);
        inner.with_padding(None);
        inner.with_truncation(None).map_err(|cause| format(cause.to_string()))?;

        let id = |token| {
            inner.token_to_id(token).ok_or_else(|| TokenizerError::Special { path: path.clone(), token })
        };
        let (cls, sep, _) = (id("[CLS]")?, id("[SEP]")?, id("[UNK]")?);
        let largest = inner.get_vocab(true).into_values().max().unwrap_or(0);
        if largest as usize >= vocab {
            return Err(TokenizerError::Vocabulary { path, largest, vocab });
        }
        let by_words = words::are_apart(&inner);
        Ok(Self { inner, cls, sep, sequence, by_words, fingerprint: hasher.finalize() })
    }

    /// The most tokens an example has.
    pub fn sequence(&self) -> usize {
        self.sequence
    }

    /// Of the file's content and the case rule; the place of the file does not matter.
    pub fn fingerprint(&self) -> String {
        self.fingerprint.to_hex().to_string()
    }

    /// `[CLS] a [SEP]` or `[CLS] a [SEP] b [SEP]`; what does not fit is cut off the end of the longer text.
    ///
    /// # Errors
    /// [`TokenizerError::Text`] if the tokenizer's own rules fail.
    pub fn encode(&self, text_a: &str, text_b: Option<&str>) -> Result<Encoded, TokenizerError> {
        let a = self.pieces(text_a)?;
        let b = text_b.map(|text| self.pieces(text)).transpose()?;
        Ok(self.lay_out(a.get_ids(), b.as_ref().map(|pieces| pieces.get_ids())))
    }

    fn lay_out(&self, a: &[u32], b: Option<&[u32]>) -> Encoded {
        let specials = if b.is_some() { 3 } else { 2 };
        let pair = (a.len(), b.map_or(0, <[u32]>::len));
        let keep = fit(pair, self.sequence - specials);

        let mut ids = Vec::with_capacity(keep.0 + keep.1 + specials);
        ids.push(self.cls);
        ids.extend(&a[..keep.0]);
        ids.push(self.sep);
        let first = ids.len();
        if let Some(b) = b {
            ids.extend(&b[..keep.1]);
            ids.push(self.sep);
        }
        Encoded { ids, first, cut: pair.0 + pair.1 - keep.0 - keep.1 }
    }

    /// The token of an id, for showing; `None` for an id that the vocabulary lacks.
    pub fn token(&self, id: u32) -> Option<String> {
        self.inner.id_to_token(id)
    }

    fn pieces(&self, text: &str) -> Result<tokenizers::Encoding, TokenizerError> {
        self.inner.encode_fast(text, false).map_err(|cause| TokenizerError::Text { cause: cause.to_string() })
    }
}

impl std::fmt::Debug for Tokenizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokenizer")
            .field("sequence", &self.sequence)
            .field("fingerprint", &self.fingerprint)
            .finish_non_exhaustive()
    }
}

/// How many tokens of two texts are kept so that together they have at most `room`: the longer one is cut first,
/// and of two that are both too long the second gets the odd token, unless the first was longer.
fn fit((a, b): (usize, usize), room: usize) -> (usize, usize) {
    if a + b <= room {
        return (a, b);
    }
    let (short, long) = (a.min(b), a.max(b));
    let kept = if short <= room / 2 { (short, room - short) } else { (room / 2, room - room / 2) };
    if a > b { (kept.1, kept.0) } else { (kept.0, kept.1.min(long)) }
}

fn find(path: &Path) -> Result<(PathBuf, Vec<u8>), TokenizerError> {
    let candidates = if path.is_dir() {
        vec![path.join("tokenizer.json"), path.join("vocab.txt")]
    } else {
        vec![path.to_owned()]
    };
    for candidate in candidates {
        match fs::read(&candidate) {
            Ok(bytes) => return Ok((candidate, bytes)),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
            Err(cause) => return Err(TokenizerError::Io { path: candidate, cause }),
        }
    }
    Err(TokenizerError::Missing { path: path.to_owned() })
}

fn is_json(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "json")
}

/// `do_lower_case` of the `tokenizer_config.json` beside a `vocab.txt`, if there is one and it says.
fn configured_case(vocab: &Path) -> Result<Option<bool>, TokenizerError> {
    let path = vocab.with_file_name("tokenizer_config.json");
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(TokenizerError::Io { path, cause }),
    };
    let config: Value = serde_json::from_slice(&bytes)
        .map_err(|cause| TokenizerError::Format { path, cause: cause.to_string() })?;
    Ok(config["do_lower_case"].as_bool())
}

fn is_uncased(tokens: &[&str]) -> bool {
    let bracketed = |token: &str| token.starts_with('[') && token.ends_with(']');
    tokens.iter().filter(|token| !bracketed(token)).all(|token| !token.chars().any(char::is_uppercase))
}

/// The `tokenizer.json` that says what a `vocab.txt` means: a token's id is its line, from 0.
fn word_piece(tokens: &[&str], lowercase: bool) -> Value {
    let vocab: HashMap<&str, usize> = tokens.iter().enumerate().map(|(id, token)| (*token, id)).collect();
    let added: Vec<Value> = SPECIAL
        .iter()
        .filter_map(|token| {
            let id = vocab.get(token)?;
            Some(json!({
                "id": id, "content": token, "single_word": false, "lstrip": false, "rstrip": false,
                "normalized": false, "special": true
            }))
        })
        .collect();
    json!({
        "version": "1.0",
        "added_tokens": added,
        // Accents go exactly if case goes, as in BERT's own tokenization.
        "normalizer": {
            "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
            "strip_accents": null, "lowercase": lowercase
        },
        "pre_tokenizer": { "type": "BertPreTokenizer" },
        "post_processor": null,
        "decoder": null,
        "model": {
            "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100, "vocab": vocab
        }
    })
}

#[cfg(test)]
mod tests;

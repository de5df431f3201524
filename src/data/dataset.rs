//! The tokenized examples of one split of one task, in flat arrays.

use rayon::prelude::*;

use super::example::{Example, Target};
use super::ids::Ids;
use super::read::Examples;
use super::tokenizer::{Tokenizer, TokenizerError};

/// Examples as token ids. Immutable; example `i` keeps the order of its file.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// Of all examples, one after the other.
    pub(super) ids: Ids, // [tokens]
    /// Example `i` is `ids[offsets[i]..offsets[i + 1]]`.
    pub(super) offsets: Vec<usize>, // [examples + 1]
    /// Tokens of type 0.
    pub(super) firsts: Vec<u32>, // [examples]
    pub(super) targets: Vec<Target>, // [examples]
    pub(super) lines: Vec<u32>,      // [examples]
    pub(super) skipped: usize,
    pub(super) truncated: usize,
    pub(super) fingerprint: blake3::Hash,
}

impl Dataset {
    /// Tokenizes examples on all cores. `fingerprint` is of what they were read from.
    ///
    /// # Errors
    /// The tokenizer's, for the first text that it refuses.
    pub fn encode(
        examples: &Examples,
        tokenizer: &Tokenizer,
        fingerprint: blake3::Hash,
    ) -> Result<Self, TokenizerError> {
        let texts = examples.rows.par_iter().flat_map_iter(|example| {
            let (a, b) = pair(example);
            std::iter::once(a).chain(b)
        });
        let words = tokenizer.words(texts)?;
        let encoded = examples
            .rows
            .par_iter()
            .map(|example| {
                let (a, b) = pair(example);
                tokenizer.encode_from(&words, a, b)
            })
            .collect::<Vec<_>>();
        let mut ids = Vec::with_capacity(encoded.iter().map(|one| one.ids.len()).sum());
        let mut dataset = Self {
            ids: Ids::default(),
            offsets: Vec::with_capacity(encoded.len() + 1),
            firsts: Vec::with_capacity(encoded.len()),
            targets: examples.rows.iter().map(|example| example.target.clone()).collect(),
            lines: examples.rows.iter().map(|example| example.line).collect(),
            skipped: examples.skipped,
            truncated: encoded.iter().filter(|one| one.cut > 0).count(),
            fingerprint,
        };
        dataset.offsets.push(0);
        for one in encoded {
            ids.extend(&one.ids);
            dataset.offsets.push(ids.len());
            // A sequence is far below 2^32 tokens: positions are a table in memory.
            dataset.firsts.push(one.first as u32);
        }
        dataset.ids = ids.into();
        Ok(dataset)
    }

    /// Examples.
    pub fn len(&self) -> usize {
        self.targets.len()
    }

    pub fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }

    /// The token ids of an example, specials included, without padding.
    ///
    /// # Panics
    /// Like all accessors by index: if there is no example `i`.
    pub fn ids(&self, i: usize) -> &[u32] {
        &self.ids[self.offsets[i]..self.offsets[i + 1]]
    }

    /// How many of an example's tokens, from the start, are of type 0. The rest is of type 1.
    pub fn first(&self, i: usize) -> usize {
        self.firsts[i] as usize
    }

    /// The token type of each token of an example: 0 for the first text with its specials, 1 for the second.
    pub fn types(&self, i: usize) -> impl ExactSizeIterator<Item = u32> + use<> {
        let (first, length) = (self.firsts[i], (self.offsets[i + 1] - self.offsets[i]) as u32);
        (0..length).map(move |at| u32::from(at >= first))
    }

    /// Tokens of an example.
    pub fn tokens(&self, i: usize) -> usize {
        self.offsets[i + 1] - self.offsets[i]
    }

    pub fn target(&self, i: usize) -> Target {
        self.targets[i].clone()
    }

    /// The line of the file, from 1, that an example was read from.
    pub fn line(&self, i: usize) -> u32 {
        self.lines[i]
    }

    /// Whether every example has a target.
    pub fn labelled(&self) -> bool {
        self.targets.iter().all(|target| *target != Target::None)
    }

    /// Tokens of all examples together.
    pub fn total_tokens(&self) -> usize {
        self.ids.len()
    }

    /// Examples that did not fit the sequence and were cut.
    pub fn truncated(&self) -> usize {
        self.truncated
    }

    /// Rows of the file that could not be read and were left out.
    pub fn skipped(&self) -> usize {
        self.skipped
    }

    /// Of the content that the examples were read from, in hexadecimal; for `run.json`.
    pub fn fingerprint(&self) -> String {
        self.fingerprint.to_hex().to_string()
    }
}

/// The texts of an example.
fn pair(example: &Example) -> (&str, Option<&str>) {
    example.input.pair().unwrap_or_else(|| unreachable!("kinds of text alone have a data set"))
}

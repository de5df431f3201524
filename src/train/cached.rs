//! A network whose constant part is computed once for each text: its output is kept on disk for later steps,
//! evaluations and runs.
//!
//! | file | holds |
//! |---|---|
//! | `store` | rows of sequences in two files, appended to and mapped |
//! | `index` | the file that says what the other one holds |
//! | `room` | what caches of other networks take, and removing them |
//!
//! Sequences are found by their content, token ids and types, so that tasks, splits, seeds and trainings share them
//! and no two are taken for each other. Those that come first have a place, until the bytes are used up; the others
//! are computed whenever they come. Under MT-Uncertainty small tasks, whose examples come most often, are whole
//! early.

use std::ops::Range;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use dfdx::prelude::Tape;

use super::network::{HeadLogits, Network};
use crate::kernels::{Pass, Segments, TokenIds};
use crate::nn::{Batch, Parameter};

mod index;
mod room;
mod store;

use store::{Key, Store};

/// Part of every folder's name: a change of the files, or of what the rows mean, is a new number.
const FORMAT: u32 = 1;

/// `network` with its cache; without one it is `network` and nothing else.
pub struct Cached<N> {
    network: N,
    kept: Option<Kept>,
}

struct Kept {
    /// Held while it is read or written, never while the network computes: chunks are scored at the same time.
    store: Mutex<Store>,
    /// Numbers a token.
    width: usize,
}

impl Kept {
    fn store(&self) -> MutexGuard<'_, Store> {
        // a panic elsewhere leaves no half written sequence: the index names what is whole
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<N: Network> Cached<N> {
    pub fn without(network: N) -> Self {
        Self { network, kept: None }
    }

    /// Opens the cache of `network`, whose parameters have their values, below `folder`, of at most `limit` bytes.
    /// Where that fails there is a warning, and no cache; a network without a constant part needs none.
    pub fn open(mut network: N, folder: &Path, limit: u64) -> Self {
        let kept = identity(&mut network).and_then(|(name, width)| {
            let store = Store::open(folder, &name, limit)?;
            Some(Kept { store: Mutex::new(store), width })
        });
        Self { network, kept }
    }

    /// Sequences that are in the cache; `None` without one.
    pub fn kept(&self) -> Option<usize> {
        self.kept.as_ref().map(|kept| kept.store().len())
    }
}

/// Of everything that the constant part's output depends on but the text: the frozen weights, and what it makes of
/// them, for which the output for a few tokens stands. It is the same for all models that differ in nothing else,
/// as in what is attached above. Beside it the numbers a token. `None` without a constant part.
fn identity<N: Network>(network: &mut N) -> Option<(blake3::Hash, usize)> {
    let (ids, types) = ([0, 1, 2, 3], [0; 4]); // a tokenizer has more tokens than that, and room for as many
    let probe = Batch::new([(&ids[..], &types[..], 0)]);
    let output = network.rows(&network.constant(&probe))?;
    let mut hasher = blake3::Hasher::new();
    hasher.update(format!("{FORMAT} {} {}\n", env!("CARGO_PKG_VERSION"), output.len()).as_bytes());
    hasher.update(&bytes_of(&output));
    for parameter in network.parameters() {
        let meta = parameter.meta();
        if !meta.trained {
            hasher.update(format!("{} {:?}\n", meta.name, parameter.dims()).as_bytes());
            hasher.update(&bytes_of(&parameter.read()));
        }
    }
    Some((hasher.finalize(), output.len() / ids.len()))
}

impl<N: Network> Network for Cached<N> {
    type Device = N::Device;
    type Constant = N::Constant;

    fn device(&self) -> N::Device {
        self.network.device()
    }

    fn parameters(&mut self) -> Vec<&mut dyn Parameter<N::Device>> {
        self.network.parameters()
    }

    fn constant(&self, batch: &Batch) -> N::Constant {
        let Some(kept) = &self.kept else { return self.network.constant(batch) };
        let _span = tracing::trace_span!(target: "camtl::profile", "cache").entered();
        let (width, segments) = (kept.width, &batch.segments);
        let place = |segments: &Segments, sequence| {
            let Range { start, end } = segments.range(sequence);
            start * width..end * width
        };

        let keys: Vec<Key> = (0..segments.sequences()).map(|sequence| key(batch, sequence)).collect();
        let mut rows = vec![0.0; segments.rows() * width]; // [tokens, width]
        let mut missing = Vec::new();
        let mut store = kept.store();
        for (sequence, key) in keys.iter().enumerate() {
            let own = &mut rows[place(segments, sequence)];
            match store.get(key) {
                Some(bytes) if bytes.len() == 4 * own.len() => fill(own, bytes),
                _ => missing.push(sequence),
            }
        }
        drop(store);
        if !missing.is_empty() {
            let part = part(batch, &missing);
            let constant = self.network.constant(&part);
            // the probe had a constant part, so every batch has one
            let computed = self.network.rows(&constant).expect("a constant part");
            let found =
                || missing.iter().enumerate().map(|(at, &sequence)| (sequence, place(&part.segments, at)));
            kept.store().put(found().map(|(sequence, at)| (keys[sequence], bytes_of(&computed[at]))));
            if missing.len() == keys.len() {
                return constant;
            }
            found().for_each(|(sequence, at)| rows[place(segments, sequence)].copy_from_slice(&computed[at]));
        }
        self.network.of_rows(rows, segments.rows())
    }

    fn rows(&self, constant: &N::Constant) -> Option<Vec<f32>> {
        self.network.rows(constant)
    }

    fn of_rows(&self, rows: Vec<f32>, tokens: usize) -> N::Constant {
        self.network.of_rows(rows, tokens)
    }

    fn gather(&self, parts: &[(&N::Constant, Vec<usize>)]) -> N::Constant {
        self.network.gather(parts)
    }

    fn logits<T: Tape<f32, N::Device>>(
        &self,
        constant: N::Constant,
        batch: &Batch,
        heads: &[usize],
        pass: &mut Pass<T, N::Device>,
    ) -> Vec<HeadLogits<N::Device>> {
        self.network.logits(constant, batch, heads, pass)
    }
}

/// Of the token ids and types of a sequence; positions follow from its length, and the task has no part in what is
/// constant.
fn key(batch: &Batch, sequence: usize) -> Key {
    let mut hasher = blake3::Hasher::new();
    for row in batch.segments.range(sequence) {
        // two numbers below 2^32 a token, so that no two sequences run together
        hasher.update(&(batch.ids.word[row] as u32).to_le_bytes());
        hasher.update(&(batch.ids.token_type[row] as u32).to_le_bytes());
    }
    store::key(hasher.finalize())
}

/// Some of a batch's sequences as a batch.
fn part(batch: &Batch, sequences: &[usize]) -> Batch {
    let segments = &batch.segments;
    let rows: Vec<usize> = sequences.iter().flat_map(|&sequence| segments.range(sequence)).collect();
    let of = |ids: &[usize]| rows.iter().map(|&row| ids[row]).collect();
    let TokenIds { word, position, token_type } = &batch.ids;
    let ids = TokenIds { word: of(word), position: of(position), token_type: of(token_type) };
    let lengths: Vec<usize> = sequences.iter().map(|&sequence| segments.range(sequence).len()).collect();
    let tasks = sequences.iter().map(|&sequence| segments.task(sequence)).collect();
    Batch::of_sequences(ids, Segments::new(&lengths, tasks))
}

fn bytes_of(numbers: &[f32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

fn fill(numbers: &mut [f32], bytes: &[u8]) {
    let (values, _) = bytes.as_chunks();
    numbers.iter_mut().zip(values).for_each(|(number, value)| *number = f32::from_le_bytes(*value));
}

#[cfg(test)]
mod tests;

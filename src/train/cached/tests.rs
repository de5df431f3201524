//! A network that counts what it computes.

use std::sync::atomic::{AtomicUsize, Ordering};

use dfdx::prelude::Cpu;

use super::*;

/// Its constant part gives `factor` * id and the type of each token, and counts the sequences.
struct Counting {
    factor: f32,
    constant: bool,
    computed: AtomicUsize,
}

impl Network for Counting {
    type Device = Cpu;
    type Constant = Option<Vec<f32>>;

    fn device(&self) -> Cpu {
        Cpu::default()
    }

    fn parameters(&mut self) -> Vec<&mut dyn Parameter<Cpu>> {
        Vec::new()
    }

    fn constant(&self, batch: &Batch) -> Option<Vec<f32>> {
        self.computed.fetch_add(batch.segments.sequences(), Ordering::Relaxed);
        let tokens = batch.ids.word.iter().zip(&batch.ids.token_type);
        self.constant
            .then(|| tokens.flat_map(|(&id, &kind)| [self.factor * id as f32, kind as f32]).collect())
    }

    fn gather(&self, _: &[(&Option<Vec<f32>>, Vec<usize>)]) -> Option<Vec<f32>> {
        None
    }

    fn rows(&self, constant: &Option<Vec<f32>>) -> Option<Vec<f32>> {
        constant.clone()
    }

    fn of_rows(&self, rows: Vec<f32>, tokens: usize) -> Option<Vec<f32>> {
        assert_eq!(rows.len(), 2 * tokens);
        Some(rows)
    }

    fn logits<T: Tape<f32, Cpu>>(
        &self,
        _: Option<Vec<f32>>,
        _: &Batch,
        _: &[usize],
        _: &mut Pass<T, Cpu>,
    ) -> Vec<HeadLogits<Cpu>> {
        Vec::new()
    }
}

fn network(factor: f32) -> Counting {
    Counting { factor, constant: true, computed: AtomicUsize::new(0) }
}

/// Opened on a folder; what opening computed is not counted.
fn cached(folder: &Path, factor: f32, limit: u64) -> Cached<Counting> {
    let cached = Cached::open(network(factor), folder, limit);
    cached.network.computed.store(0, Ordering::Relaxed);
    cached
}

/// Each sequence as its ids, and how many of them are of type 0.
fn batch(sequences: &[(&[u32], usize)]) -> Batch {
    let types: Vec<Vec<u8>> = sequences
        .iter()
        .map(|(ids, first)| (0..ids.len()).map(|at| u8::from(at >= *first)).collect())
        .collect();
    Batch::new(sequences.iter().zip(&types).map(|((ids, _), types)| (*ids, types.as_slice(), 0)))
}

#[test]
fn a_second_run_computes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (some, more) = (batch(&[(&[5, 6, 7], 2), (&[8], 1)]), batch(&[(&[9, 9], 1), (&[8], 1), (&[4], 1)]));
    let expected = [&some, &more].map(|batch| network(2.0).constant(batch));

    let first = cached(folder.path(), 2.0, 1 << 20);
    assert_eq!([&some, &more].map(|batch| first.constant(batch)), expected);
    assert_eq!([&some, &more].map(|batch| first.constant(batch)), expected);
    assert_eq!((first.network.computed.load(Ordering::Relaxed), first.kept()), (4, Some(4)));
    drop(first);

    let second = cached(folder.path(), 2.0, 1 << 20);
    assert_eq!([&some, &more].map(|batch| second.constant(batch)), expected);
    assert_eq!(second.network.computed.load(Ordering::Relaxed), 0);
}

#[test]
fn sequences_are_taken_for_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let cached = cached(folder.path(), 1.0, 1 << 20);
    // the same tokens, cut or typed in another way
    let batches = [
        batch(&[(&[1, 2], 2), (&[3], 1)]),
        batch(&[(&[1], 1), (&[2, 3], 2)]),
        batch(&[(&[1, 2, 3], 3)]),
        batch(&[(&[1, 2, 3], 1)]),
        batch(&[(&[1, 0], 2)]),
        batch(&[(&[1], 0)]),
    ];
    for batch in batches.iter().chain(&batches) {
        assert_eq!(cached.constant(batch), network(1.0).constant(batch));
    }
    assert_eq!(cached.kept(), Some(8));
}

#[test]
fn another_network_has_another_cache() {
    let folder = tempfile::tempdir().unwrap();
    let batch = batch(&[(&[5, 6], 2)]);
    for factor in [1.0, 2.0, 1.0] {
        let cached = cached(folder.path(), factor, 1 << 20);
        assert_eq!(cached.constant(&batch), network(factor).constant(&batch));
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn what_has_no_place_is_computed_whenever_it_comes() {
    let folder = tempfile::tempdir().unwrap();
    let cached = cached(folder.path(), 1.0, 2 * 48 + 3 * 8); // the files' head, and one sequence of 3 tokens
    let batch = batch(&[(&[5, 6, 7], 3), (&[8, 9], 2)]);
    for computed in [2, 3, 4] {
        assert_eq!(cached.constant(&batch), network(1.0).constant(&batch));
        assert_eq!((cached.network.computed.load(Ordering::Relaxed), cached.kept()), (computed, Some(1)));
    }
}

#[test]
fn without_a_constant_part_there_is_no_cache() {
    let folder = tempfile::tempdir().unwrap();
    let cached = Cached::open(Counting { constant: false, ..network(1.0) }, folder.path(), 1 << 20);
    assert_eq!((cached.constant(&batch(&[(&[5], 1)])), cached.kept()), (None, None));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

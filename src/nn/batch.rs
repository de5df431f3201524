//! Examples as the network sees them: flat token ids, and which rows are whose.

use crate::kernels::{Segments, TokenIds};

/// Sequences of several tasks, end to end, without padding.
#[derive(Clone, Debug)]
pub struct Batch {
    pub ids: TokenIds,
    pub segments: Segments,
}

impl Batch {
    /// Each item is (word ids, token types, task); positions count from 0 in each sequence.
    pub fn new<'a>(sequences: impl IntoIterator<Item = (&'a [u32], &'a [u8], usize)>) -> Self {
        let mut ids = TokenIds::default();
        let (mut lengths, mut tasks) = (Vec::new(), Vec::new());
        for (words, types, task) in sequences {
            assert_eq!(words.len(), types.len(), "a type a token");
            ids.word.extend(words.iter().map(|&id| id as usize));
            ids.token_type.extend(types.iter().map(|&t| usize::from(t)));
            ids.position.extend(0..words.len());
            lengths.push(words.len());
            tasks.push(task);
        }
        Self { ids, segments: Segments::new(&lengths, tasks) }
    }

    /// The rows of an activation of this batch that belong to the given sequences, in that order.
    pub fn rows_of(&self, sequences: &[usize]) -> Vec<usize> {
        sequences.iter().flat_map(|&sequence| self.segments.range(sequence)).collect()
    }
}

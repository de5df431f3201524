//! Examples of all tasks, assembled to flat batches.

use std::sync::Arc;

use crate::data::{Dataset, Goal};
use crate::nn::{Batch, Sample};

/// The most tokens that are scored at once; a bound on memory, large enough for full matrix products.
pub const CHUNK: usize = 4096;

/// An item of a task's data: an example, or a window of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct At {
    pub task: usize,
    pub example: usize,
}

/// One split of every task, in the tasks' order. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Batches {
    datasets: Arc<[Dataset]>,
    /// As many 0 as the longest sequence has tokens, then as many 1: the types of any are a slice of it.
    types: Arc<[u8]>,
}

impl Batches {
    pub fn new(datasets: Vec<Dataset>) -> Self {
        let longest = datasets.iter().map(Dataset::longest).max().unwrap_or(0);
        let types = (0..2 * longest).map(|at| u8::from(at >= longest)).collect();
        Self { datasets: datasets.into(), types }
    }

    pub fn datasets(&self) -> &[Dataset] {
        &self.datasets
    }

    /// Examples of each task.
    pub fn sizes(&self) -> Vec<usize> {
        self.datasets.iter().map(Dataset::len).collect()
    }

    /// Every example of every task.
    pub fn all(&self) -> Vec<At> {
        let of = |(task, set): (usize, &Dataset)| (0..set.len()).map(move |example| At { task, example });
        self.datasets.iter().enumerate().flat_map(of).collect()
    }

    pub fn tokens(&self, at: At) -> usize {
        self.datasets[at.task].tokens(at.example)
    }

    pub fn goal(&self, at: At) -> Goal<'_> {
        self.datasets[at.task].goal(at.example)
    }

    /// The examples end to end, in this order.
    pub fn batch(&self, examples: &[At]) -> Batch {
        let longest = self.types.len() / 2;
        Batch::of_samples(examples.iter().map(|at| {
            let set = &self.datasets[at.task];
            let typed = |(ids, first): (_, usize)| {
                let ids: &[u32] = ids;
                let start = longest - first;
                (ids, &self.types[start..start + ids.len()])
            };
            let sequences = set.sequences(at.example).map(typed).collect();
            Sample { task: at.task, sequences, marks: set.marks(at.example) }
        }))
    }

    /// The examples in groups of at most `limit` tokens, an example of more alone; longest first, so that the work
    /// of a group is even over the cores and the largest comes first.
    pub fn chunks(&self, examples: &[At], limit: usize) -> Vec<Vec<usize>> {
        let mut order: Vec<usize> = (0..examples.len()).collect();
        order.sort_by_key(|&i| std::cmp::Reverse(self.tokens(examples[i]))); // stable
        let mut chunks: Vec<Vec<usize>> = Vec::new();
        let mut room = 0;
        for i in order {
            let tokens = self.tokens(examples[i]);
            match chunks.last_mut() {
                Some(chunk) if tokens <= room => chunk.push(i),
                _ => {
                    chunks.push(vec![i]);
                    room = limit.max(tokens);
                }
            }
            room -= tokens;
        }
        chunks
    }
}

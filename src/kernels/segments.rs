//! Which rows of a flat `[tokens, width]` activation belong to which sequence and task.

use std::sync::Arc;

/// Sequences laid end to end. Cheap to clone: operations keep one for their backward half.
#[derive(Clone, Debug)]
pub struct Segments {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// First row of each sequence, and at the end the number of rows.
    starts: Vec<usize>,
    /// Task of each sequence.
    tasks: Vec<usize>,
    /// Task of each row.
    row_tasks: Vec<usize>,
}

impl Segments {
    /// `lengths` in tokens; one task a sequence.
    pub fn new(lengths: &[usize], tasks: Vec<usize>) -> Self {
        assert_eq!(lengths.len(), tasks.len(), "one task a sequence");
        let mut starts = Vec::with_capacity(lengths.len() + 1);
        starts.push(0);
        let mut rows = 0;
        for length in lengths {
            rows += length;
            starts.push(rows);
        }
        let row_tasks =
            lengths.iter().zip(&tasks).flat_map(|(&n, &task)| std::iter::repeat_n(task, n)).collect();
        Self { inner: Arc::new(Inner { starts, tasks, row_tasks }) }
    }

    pub fn sequences(&self) -> usize {
        self.inner.tasks.len()
    }

    /// Tokens of all sequences together.
    pub fn rows(&self) -> usize {
        self.inner.row_tasks.len()
    }

    /// Rows of one sequence.
    pub fn range(&self, sequence: usize) -> std::ops::Range<usize> {
        self.inner.starts[sequence]..self.inner.starts[sequence + 1]
    }

    pub fn task(&self, sequence: usize) -> usize {
        self.inner.tasks[sequence]
    }

    pub fn tasks(&self) -> &[usize] {
        &self.inner.tasks
    }

    /// Task of each row.
    pub fn row_tasks(&self) -> &[usize] {
        &self.inner.row_tasks
    }

    /// First row of each sequence: where `[CLS]` is.
    pub fn firsts(&self) -> &[usize] {
        &self.inner.starts[..self.sequences()]
    }
}

/// The three indices of every token, flat.
#[derive(Clone, Debug, Default)]
pub struct TokenIds {
    /// Row of the word embedding.
    pub word: Vec<usize>,
    /// Place in its sequence, from 0.
    pub position: Vec<usize>,
    /// 0 for the first text, 1 for the second.
    pub token_type: Vec<usize>,
}

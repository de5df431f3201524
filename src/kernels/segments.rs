//! Which rows of a flat `[tokens, width]` activation belong to which sequence and task.

use std::sync::Arc;
#[cfg(feature = "cuda")]
use std::sync::OnceLock;

#[cfg(feature = "cuda")]
use super::cuda;

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
    /// The same in a GPU's memory, once it is asked for.
    #[cfg(feature = "cuda")]
    tables: OnceLock<cuda::Tables>,
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
        let inner = Inner {
            starts,
            tasks,
            row_tasks,
            #[cfg(feature = "cuda")]
            tables: OnceLock::new(),
        };
        Self { inner: Arc::new(inner) }
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

    /// The rows that `part` has of these: the first of each sequence, as many as it has there. `None` if that is all.
    ///
    /// # Panics
    /// If it has other sequences, or more rows of one.
    pub fn first_rows(&self, part: &Self) -> Option<Vec<usize>> {
        assert_eq!(part.tasks(), self.tasks(), "the same sequences");
        let rows = |sequence| {
            let (all, part) = (self.range(sequence), part.range(sequence).len());
            assert!(part <= all.len(), "a part of a sequence");
            all.start..all.start + part
        };
        (part.rows() < self.rows()).then(|| (0..self.sequences()).flat_map(rows).collect())
    }

    /// The same in the GPU's memory.
    #[cfg(feature = "cuda")]
    pub(super) fn tables(&self) -> Result<&cuda::Tables, dfdx::prelude::CudaError> {
        if let Some(tables) = self.inner.tables.get() {
            return Ok(tables);
        }
        let tables = cuda::Tables::new(self)?;
        Ok(self.inner.tables.get_or_init(|| tables))
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

//! Examples as the network sees them: flat token ids, which rows are whose, and which of them a head reads.

use crate::kernels::{Segments, TokenIds};

/// Sequences of several tasks, end to end, without padding. An example is one of them, or several next to each other.
#[derive(Clone, Debug)]
pub struct Batch {
    pub ids: TokenIds,
    pub segments: Segments,
    /// The rows that are made of the last layer: the first of each sequence, or all where a head reads its tokens.
    read: Segments,
    /// The first sequence of each example, and at the end the number of sequences.
    starts: Vec<usize>, // [examples + 1]
    /// The rows, among those that are read, of the tokens that a head reads of an example; `None` where it reads what is
    /// pooled of its sequences.
    marks: Vec<Option<Vec<usize>>>, // [examples]
}

/// An example of a batch.
#[derive(Clone, Debug)]
pub struct Sample<'a> {
    pub task: usize,
    /// Word ids and token types of each sequence.
    pub sequences: Vec<(&'a [u32], &'a [u8])>,
    /// The tokens of its only sequence that the head reads, counted from 0; `None` for pooled sequences.
    pub marks: Option<Vec<usize>>,
}

impl Batch {
    /// Examples of one sequence each, which heads read pooled: each item is (word ids, token types, task). Positions
    /// count from 0 in each sequence.
    pub fn new<'a>(sequences: impl IntoIterator<Item = (&'a [u32], &'a [u8], usize)>) -> Self {
        let sample = |(words, types, task)| Sample { task, sequences: vec![(words, types)], marks: None };
        Self::of_samples(sequences.into_iter().map(sample))
    }

    /// Examples of any kind. Positions count from 0 in each sequence.
    pub fn of_samples<'a>(samples: impl IntoIterator<Item = Sample<'a>>) -> Self {
        let mut ids = TokenIds::default();
        let (mut lengths, mut tasks, mut starts, mut marks) = (Vec::new(), Vec::new(), vec![0], Vec::new());
        let (mut read, mut row) = (Vec::new(), 0); // of each sequence; of all so far
        for sample in samples {
            let first = row;
            for (words, types) in sample.sequences {
                assert_eq!(words.len(), types.len(), "a type a token");
                ids.word.extend(words.iter().map(|&id| id as usize));
                ids.token_type.extend(types.iter().map(|&t| usize::from(t)));
                ids.position.extend(0..words.len());
                lengths.push(words.len());
                tasks.push(sample.task);
                let rows = if sample.marks.is_some() { words.len() } else { words.len().min(1) };
                read.push(rows);
                row += rows;
            }
            starts.push(lengths.len());
            marks.push(sample.marks.map(|marks| marks.into_iter().map(|mark| first + mark).collect()));
        }
        let read = Segments::new(&read, tasks.clone());
        Self { ids, segments: Segments::new(&lengths, tasks), read, starts, marks }
    }

    /// The same, but all rows are made of the last layer: for whoever looks at what the layers make.
    ///
    /// # Panics
    /// If a head reads tokens.
    pub fn whole(self) -> Self {
        assert!(self.marks.iter().all(Option::is_none), "the rows of tokens would be others");
        Self { read: self.segments.clone(), ..self }
    }

    /// Sequences alone, for the layers below the heads.
    pub fn of_sequences(ids: TokenIds, segments: Segments) -> Self {
        let count = segments.sequences();
        Self {
            ids,
            read: segments.clone(),
            segments,
            starts: (0..=count).collect(),
            marks: vec![None; count],
        }
    }

    /// The rows that are made of the last layer: of each sequence the first ones.
    pub fn read(&self) -> &Segments {
        &self.read
    }

    pub fn examples(&self) -> usize {
        self.marks.len()
    }

    /// The task of each example.
    pub fn tasks(&self) -> Vec<usize> {
        self.starts[..self.examples()].iter().map(|&sequence| self.segments.task(sequence)).collect()
    }

    /// The rows of an activation of this batch that belong to the given examples, in that order.
    pub fn rows_of(&self, examples: &[usize]) -> Vec<usize> {
        let sequences = examples.iter().flat_map(|&example| self.starts[example]..self.starts[example + 1]);
        sequences.flat_map(|sequence| self.segments.range(sequence)).collect()
    }

    /// Whether the head of an example reads tokens, not what is pooled of sequences.
    pub fn reads_tokens(&self, example: usize) -> bool {
        self.marks[example].is_some()
    }

    /// What the head of an example reads: rows of tokens, or sequences.
    pub fn reads(&self, example: usize) -> Vec<usize> {
        match &self.marks[example] {
            Some(rows) => rows.clone(),
            None => (self.starts[example]..self.starts[example + 1]).collect(),
        }
    }
}

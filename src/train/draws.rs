//! What a training draws, step for step: chance alone, independent of the network, so that it can run ahead.
//!
//! Every task has a shuffled deck of its examples. Examples are dealt off the top, without replacement, and the deck
//! is shuffled anew when it is used up; under MT-Uncertainty the candidates that are not picked count as dealt and
//! come again after the next shuffle.
//!
//! Which deck an example is dealt from is what the other samplers differ in. All of them but `sequential` throw a die
//! for each example, with faces in proportion to the tasks' weights, which are whole numbers: sums of them are exact,
//! so that the draws do not depend on how a machine rounds.

use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::batches::At;
use super::plan::{Batch, Sampler, Training};

/// What is drawn at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Draw {
    /// A step trains on them as they are.
    Batch(Vec<At>),
    /// Of each task, places in its data, all different: to be scored before the best of them are trained on.
    Candidates(Vec<Vec<usize>>),
}

/// The draws of a training, without end. Under the same seed, and the same data, the same ones.
#[derive(Clone, Debug)]
pub struct Draws {
    training: Training,
    /// Tokens of each example of each task.
    lengths: Vec<Vec<u32>>,
    decks: Vec<Deck>,
    /// By which tasks are chosen.
    weights: Vec<u64>,
    /// Under `sequential`: the task whose turn it is, and how many of its examples have been dealt in it.
    turn: (usize, usize),
    /// What would have exceeded the last batch's budget.
    held: Option<At>,
    /// Chooses tasks.
    rng: ChaCha8Rng,
}

impl Draws {
    /// `lengths` are the tokens of each example of each task, at least one example each.
    pub fn new(training: Training, lengths: Vec<Vec<u32>>) -> Self {
        // stream 0 chooses tasks, stream i + 1 shuffles the deck of task i
        let rng = |stream| {
            let mut rng = ChaCha8Rng::seed_from_u64(training.seed);
            rng.set_stream(stream);
            rng
        };
        let decks = lengths.iter().zip(1..).map(|(own, stream)| Deck::new(own.len(), rng(stream))).collect();
        let sizes: Vec<usize> = lengths.iter().map(Vec::len).collect();
        let weights = weights(training.sampler, &sizes);
        Self { training, lengths, decks, weights, turn: (0, 0), held: None, rng: rng(0) }
    }

    /// A batch of no more examples than there are.
    fn batch(&mut self) -> Vec<At> {
        let total = self.total();
        match self.training.batch {
            Batch::Examples(count) => (0..count.min(total)).map(|_| self.example()).collect(),
            Batch::Tokens(budget) => {
                let first = self.held.take().unwrap_or_else(|| self.example());
                let mut room = budget.saturating_sub(self.tokens(first));
                let mut batch = vec![first];
                while batch.len() < total {
                    let next = self.example();
                    let Some(rest) = room.checked_sub(self.tokens(next)) else {
                        self.held = Some(next);
                        break;
                    };
                    room = rest;
                    batch.push(next);
                }
                batch
            }
        }
    }

    /// The next one, of a task as the sampler says.
    fn example(&mut self) -> At {
        let task = match self.training.sampler {
            Sampler::Sequential => self.next_in_turn(),
            _ => self.thrown(),
        };
        At { task, example: self.decks[task].deal() }
    }

    /// A task, by chance.
    fn thrown(&mut self) -> usize {
        let mut place = self.rng.random_range(0..self.weights.iter().sum());
        let mut task = 0;
        while place >= self.weights[task] {
            place -= self.weights[task];
            task += 1;
        }
        task
    }

    /// The task whose turn it is; a turn is as long as its deck.
    fn next_in_turn(&mut self) -> usize {
        let (task, dealt) = self.turn;
        let next = (task + 1) % self.decks.len();
        self.turn = if dealt + 1 == self.decks[task].len() { (next, 0) } else { (task, dealt + 1) };
        task
    }

    fn total(&self) -> usize {
        self.decks.iter().map(Deck::len).sum()
    }

    fn tokens(&self, At { task, example }: At) -> usize {
        self.lengths[task][example] as usize
    }

    /// `count` different examples of every task, all of a task that has no more.
    fn candidates(&mut self, count: usize) -> Vec<Vec<usize>> {
        self.decks.iter_mut().map(|deck| deck.hand(count)).collect()
    }
}

impl Iterator for Draws {
    type Item = Draw;

    /// Never `None`.
    fn next(&mut self) -> Option<Draw> {
        Some(match self.training.sampler {
            Sampler::MtUncertainty { candidates, .. } => Draw::Candidates(self.candidates(candidates)),
            Sampler::Proportional | Sampler::Uniform | Sampler::Temperature { .. } | Sampler::Sequential => {
                Draw::Batch(self.batch())
            }
        })
    }
}

/// What the tasks are chosen in proportion to, for tasks of these sizes. Under MT-Uncertainty it is what the candidates
/// are drawn by: as many of each.
pub fn weights(sampler: Sampler, sizes: &[usize]) -> Vec<u64> {
    match sampler {
        Sampler::Proportional | Sampler::Sequential => sizes.iter().map(|&size| size as u64).collect(),
        Sampler::Uniform | Sampler::MtUncertainty { .. } => vec![1; sizes.len()],
        Sampler::Temperature { temperature, cap } => {
            let bounded = |size: usize| size.min(cap.unwrap_or(usize::MAX)) as f64;
            let largest = sizes.iter().map(|&size| bounded(size)).fold(1.0, f64::max);
            // in parts of a power of two; a task of one example in 2^31 still has 2 of these at temperature 1
            let of = |&size: &usize| (bounded(size) / largest).powf(1.0 / temperature) * PARTS;
            sizes.iter().map(|size| of(size).round().max(1.0) as u64).collect()
        }
    }
}

/// Of the largest task's weight under a temperature.
const PARTS: f64 = (1_u64 << 32) as f64;

/// The examples of a task in random order.
#[derive(Clone, Debug)]
struct Deck {
    order: Vec<usize>,
    dealt: usize,
    rng: ChaCha8Rng,
}

impl Deck {
    fn new(size: usize, rng: ChaCha8Rng) -> Self {
        Self { order: (0..size).collect(), dealt: size, rng }
    }

    fn len(&self) -> usize {
        self.order.len()
    }

    fn deal(&mut self) -> usize {
        if self.dealt == self.order.len() {
            self.order.shuffle(&mut self.rng);
            self.dealt = 0;
        }
        self.dealt += 1;
        self.order[self.dealt - 1]
    }

    /// Different examples; one that comes again because the deck was shuffled in between is passed over.
    fn hand(&mut self, count: usize) -> Vec<usize> {
        let count = count.min(self.len());
        let mut hand = Vec::with_capacity(count);
        while hand.len() < count {
            let example = self.deal();
            if !hand.contains(&example) {
                hand.push(example);
            }
        }
        hand
    }
}

#[cfg(test)]
mod tests;

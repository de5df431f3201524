//! What a training draws, step for step: chance alone, independent of the network, so that it can run ahead.
//!
//! Every task has a shuffled deck of its examples. Examples are dealt off the top, without replacement, and the deck
//! is shuffled anew when it is used up; under MT-Uncertainty the candidates that are not picked count as dealt and
//! come again after the next shuffle.

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
        Self { training, lengths, decks, held: None, rng: rng(0) }
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

    /// One of a task chosen in proportion to the tasks' sizes.
    fn example(&mut self) -> At {
        let mut place = self.rng.random_range(0..self.total());
        let mut task = 0;
        while place >= self.decks[task].len() {
            place -= self.decks[task].len();
            task += 1;
        }
        At { task, example: self.decks[task].deal() }
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
            Sampler::Proportional => Draw::Batch(self.batch()),
            Sampler::MtUncertainty { candidates, .. } => Draw::Candidates(self.candidates(candidates)),
        })
    }
}

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
mod tests {
    use super::super::plan::{AdamW, Fidelity, Schedule, Warmup};
    use super::*;

    fn training(sampler: Sampler, batch: Batch, seed: u64) -> Training {
        Training {
            sampler,
            batch,
            epochs: 1,
            steps: None,
            optimizer: AdamW { lr: 1e-3, weight_decay: 0.0, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
            schedule: Schedule::Constant { warmup: Warmup::Steps(0) },
            clip: None,
            dropout: 0.0,
            evaluate_every: None,
            seed,
            cache: None,
            fidelity: Fidelity::Paper,
        }
    }

    fn draws(sampler: Sampler, sizes: &[usize], seed: u64) -> Draws {
        let training = training(sampler, Batch::Examples(8), seed);
        Draws::new(training, sizes.iter().map(|&size| vec![3; size]).collect())
    }

    fn batches(draws: Draws) -> impl Iterator<Item = Vec<At>> {
        draws.map(|draw| match draw {
            Draw::Batch(examples) => examples,
            Draw::Candidates(_) => panic!("the sampler is proportional"),
        })
    }

    #[test]
    fn a_deck_deals_every_example_once_before_any_twice() {
        let mut draws = draws(Sampler::Proportional, &[10], 1);
        let mut first: Vec<usize> = (0..10).map(|_| draws.decks[0].deal()).collect();
        first.sort_unstable();
        assert_eq!(first, (0..10).collect::<Vec<_>>());
    }

    #[test]
    fn a_hand_never_holds_an_example_twice() {
        for draw in draws(Sampler::MtUncertainty { candidates: 7, rescore: 1 }, &[10, 3], 1).take(50) {
            let Draw::Candidates(mut hands) = draw else { panic!("{draw:?} is no candidates") };
            hands.iter_mut().for_each(|hand| hand.sort_unstable());
            assert_eq!(hands[0].len(), 7);
            assert!(hands[0].windows(2).all(|pair| pair[0] < pair[1]), "{hands:?}");
            assert_eq!(hands[1], [0, 1, 2]);
        }
    }

    #[test]
    fn tasks_come_in_proportion_to_their_sizes_and_the_seed_decides() {
        let draw = |seed| {
            let draws = draws(Sampler::Proportional, &[300, 100], seed);
            batches(draws).take(100).flatten().collect::<Vec<At>>()
        };
        let drawn = draw(1);
        let first = drawn.iter().filter(|at| at.task == 0).count();
        assert!((540..660).contains(&first), "{first} of {}", drawn.len());
        assert_eq!(draw(1), drawn);
        assert_ne!(draw(2), drawn);
    }

    #[test]
    fn a_budget_is_kept_and_used_and_nothing_is_lost() {
        let lengths: Vec<Vec<u32>> = vec![(3..40).collect(), (2..90).rev().collect()];
        let tokens = |batch: &[At]| batch.iter().map(|at| lengths[at.task][at.example]).sum::<u32>();
        let of = |batch| batches(Draws::new(training(Sampler::Proportional, batch, 5), lengths.clone()));
        let drawn: Vec<Vec<At>> = of(Batch::Tokens(100)).take(200).collect();
        for (batch, next) in drawn.iter().zip(&drawn[1..]) {
            assert!(tokens(batch) <= 100 && !batch.is_empty(), "{} of 100 tokens", tokens(batch));
            assert!(tokens(batch) + tokens(&next[..1]) > 100, "the next example would have fit");
        }
        let drawn: Vec<At> = drawn.into_iter().flatten().collect();
        let singly: Vec<At> = of(Batch::Examples(1)).flatten().take(drawn.len()).collect();
        assert_eq!(drawn, singly);
    }

    #[test]
    fn a_budget_beyond_all_data_takes_as_many_examples_as_there_are() {
        let all = training(Sampler::Proportional, Batch::Tokens(1_000_000), 5);
        let drawn: Vec<usize> =
            batches(Draws::new(all, vec![vec![3; 4], vec![5; 2]])).take(5).map(|batch| batch.len()).collect();
        assert_eq!(drawn, [6; 5]);
    }

    #[test]
    fn a_thread_may_draw_ahead() {
        fn is_send<T: Send + 'static>(_: &T) {}
        is_send(&draws(Sampler::Proportional, &[1], 1));
    }
}

//! Which examples a step trains on.
//!
//! Every task has a shuffled deck of its examples. Examples are dealt off the top, without replacement, and the deck
//! is shuffled anew when it is used up; under MT-Uncertainty the candidates that are not picked count as dealt and
//! come again after the next shuffle.

use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::batches::{At, Batches};
use super::network::Network;
use super::plan::{self, Task};
use super::scoring::Scored;
use super::uncertainty;
use crate::nn::Batch;

/// Draws the batches of a training. Under the same seed, and the same network, the same ones.
#[derive(Clone, Debug)]
pub struct Sampler {
    rule: plan::Sampler,
    batch: usize,
    decks: Vec<Deck>,
    /// Chooses tasks.
    rng: ChaCha8Rng,
}

/// The examples of a step.
pub struct Drawn<C> {
    /// In the order of `batch`.
    pub examples: Vec<At>,
    pub batch: Batch,
    /// The constant part's output for `batch`.
    pub constant: C,
    /// What was drawn of each task.
    pub tasks: Vec<Share>,
}

/// What a step drew of a task.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Share {
    /// Scored; 0 where nothing is.
    pub candidates: usize,
    /// Trained on.
    pub picks: usize,
    /// Mean over the candidates of H / H', in [0, 1].
    pub entropy: Option<f64>,
}

impl Sampler {
    /// `sizes` are the examples of each task, at least one each.
    pub fn new(rule: plan::Sampler, batch: usize, sizes: &[usize], seed: u64) -> Self {
        // stream 0 chooses tasks, stream i + 1 shuffles the deck of task i
        let rng = |stream| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(stream);
            rng
        };
        let decks = sizes.iter().zip(1..).map(|(&size, stream)| Deck::new(size, rng(stream))).collect();
        Self { rule, batch, decks, rng: rng(0) }
    }

    /// The next step's examples; `network` scores them where the rule asks for that.
    pub fn next<N: Network>(&mut self, network: &N, tasks: &[Task], batches: &Batches) -> Drawn<N::Constant> {
        let _span = tracing::trace_span!(target: "camtl::profile", "draw").entered();
        match self.rule {
            plan::Sampler::Proportional => {
                let examples = self.proportional();
                let batch = batches.batch(&examples);
                let constant = network.constant(&batch);
                let shares = shares(&examples, vec![Share::default(); tasks.len()]);
                Drawn { examples, batch, constant, tasks: shares }
            }
            plan::Sampler::MtUncertainty { candidates } => {
                let candidates = self.candidates(candidates);
                let scored = Scored::new(network, tasks, batches, candidates);
                let picks = uncertainty::select(&uncertainty::scores(scored.candidates()), self.batch);
                let drawn = scored.shares();
                let (examples, batch, constant) = scored.take(network, batches, &picks);
                Drawn { tasks: shares(&examples, drawn), examples, batch, constant }
            }
        }
    }

    /// A batch in which each example is of a task chosen in proportion to the tasks' sizes.
    pub fn proportional(&mut self) -> Vec<At> {
        let total: usize = self.decks.iter().map(Deck::len).sum();
        (0..self.batch.min(total))
            .map(|_| {
                let mut place = self.rng.random_range(0..total);
                let mut task = 0;
                while place >= self.decks[task].len() {
                    place -= self.decks[task].len();
                    task += 1;
                }
                At { task, example: self.decks[task].next() }
            })
            .collect()
    }

    /// `count` different examples of every task, all of a task that has no more.
    pub fn candidates(&mut self, count: usize) -> Vec<Vec<usize>> {
        self.decks.iter_mut().map(|deck| deck.hand(count)).collect()
    }
}

fn shares(examples: &[At], mut shares: Vec<Share>) -> Vec<Share> {
    examples.iter().for_each(|at| shares[at.task].picks += 1);
    shares
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

    fn next(&mut self) -> usize {
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
            let example = self.next();
            if !hand.contains(&example) {
                hand.push(example);
            }
        }
        hand
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sampler(sizes: &[usize], seed: u64) -> Sampler {
        Sampler::new(plan::Sampler::Proportional, 8, sizes, seed)
    }

    #[test]
    fn a_deck_deals_every_example_once_before_any_twice() {
        let mut sampler = sampler(&[10], 1);
        let mut first: Vec<usize> = (0..10).map(|_| sampler.decks[0].next()).collect();
        first.sort_unstable();
        assert_eq!(first, (0..10).collect::<Vec<_>>());
    }

    #[test]
    fn a_hand_never_holds_an_example_twice() {
        let mut sampler = sampler(&[10, 3], 1);
        for _ in 0..50 {
            let mut hands = sampler.candidates(7);
            hands.iter_mut().for_each(|hand| hand.sort_unstable());
            assert_eq!(hands[0].len(), 7);
            assert!(hands[0].windows(2).all(|pair| pair[0] < pair[1]), "{hands:?}");
            assert_eq!(hands[1], [0, 1, 2]);
        }
    }

    #[test]
    fn tasks_come_in_proportion_to_their_sizes_and_the_seed_decides() {
        let draw = |seed| {
            let mut sampler = sampler(&[300, 100], seed);
            (0..100).flat_map(|_| sampler.proportional()).collect::<Vec<At>>()
        };
        let drawn = draw(1);
        let first = drawn.iter().filter(|at| at.task == 0).count();
        assert!((540..660).contains(&first), "{first} of {}", drawn.len());
        assert_eq!(draw(1), drawn);
        assert_ne!(draw(2), drawn);
    }
}

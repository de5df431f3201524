//! Which examples a step trains on: what was drawn, or the best of it.

use super::ahead::{Ahead, Prepared};
use super::batches::{At, Batches};
use super::draws::Draws;
use super::network::Network;
use super::plan::{Task, Training};
use super::scoring::Scored;
use super::uncertainty;
use crate::data::Dataset;
use crate::nn::Batch;

/// Chooses the examples of each step. Under the same seed, and the same network, the same ones.
pub struct Sampler {
    draws: Ahead<Prepared>,
    batch: usize,
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
    /// For a training of `tasks` on `train`. What does not depend on the network is made ahead on a thread.
    pub fn new(training: Training, tasks: &'static [Task], train: &Batches) -> Self {
        let (draws, train) = (Draws::new(training, lengths(train)), train.clone());
        let prepared = draws.map(move |draw| Prepared::new(draw, tasks, &train));
        Self { draws: Ahead::new(prepared), batch: training.batch }
    }

    /// The next step's examples; `network` scores them where the rule asks for that.
    pub fn next<N: Network>(&mut self, network: &N, tasks: &[Task], batches: &Batches) -> Drawn<N::Constant> {
        match self.draws.next().expect("draws have no end") {
            Prepared::Batch(examples, batch) => {
                let constant = network.constant(&batch);
                let shares = shares(&examples, vec![Share::default(); tasks.len()]);
                Drawn { examples, batch, constant, tasks: shares }
            }
            Prepared::Candidates(hands) => {
                let scored = Scored::new(network, tasks, hands);
                let picks = uncertainty::select(&uncertainty::scores(scored.candidates()), self.batch);
                let drawn = scored.shares();
                let (examples, batch, constant) = scored.take(network, batches, &picks);
                Drawn { tasks: shares(&examples, drawn), examples, batch, constant }
            }
        }
    }
}

/// Tokens of each example of each task.
fn lengths(batches: &Batches) -> Vec<Vec<u32>> {
    // a text of 2^32 tokens would not fit in memory
    let of = |set: &Dataset| (0..set.len()).map(|i| set.tokens(i) as u32).collect();
    batches.datasets().iter().map(of).collect()
}

fn shares(examples: &[At], mut shares: Vec<Share>) -> Vec<Share> {
    examples.iter().for_each(|at| shares[at.task].picks += 1);
    shares
}

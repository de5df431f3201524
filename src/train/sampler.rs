//! Which examples a step trains on: what was drawn, or the best of it.

use std::collections::HashMap;

use super::ahead::{Ahead, Prepared};
use super::batches::{At, Batches};
use super::draws::Draws;
use super::network::Network;
use super::plan::{self, Fidelity, Task, Training};
use super::scoring::Scored;
use super::uncertainty::{self, Pick};
use crate::data::Dataset;
use crate::kernels::Shared;
use crate::nn::Batch;

/// Chooses the examples of each step. Under the same seed, and the same network, the same ones.
pub struct Sampler<C> {
    draws: Ahead<Prepared>,
    batch: plan::Batch,
    fidelity: Fidelity,
    /// Steps that one scoring serves.
    rescore: usize,
    /// What the next steps choose from.
    ranked: Option<Ranked<C>>,
    /// Draws that were taken.
    taken: usize,
}

/// How far a sampler has come: with the seed, all that its next choices depend on but the network.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Position {
    /// That were taken.
    pub draws: usize,
    /// What the last one left for the steps to come.
    pub left: Option<Left>,
}

/// Of scored candidates that some steps have taken their picks from.
#[derive(Clone, Debug, PartialEq)]
pub struct Left {
    /// Of every candidate, by task.
    pub entropies: Vec<Vec<f64>>,
    /// Picks that were trained on.
    pub taken: usize,
    /// To come, at least one.
    pub steps: usize,
}

/// The examples of a step.
pub struct Drawn<C> {
    /// In the order of `batch`.
    pub examples: Vec<At>,
    pub batch: Batch,
    /// The constant part's output for `batch`.
    pub constant: C,
    /// U of each example, in their order; `None` where nothing is scored.
    pub scores: Vec<Option<f64>>,
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

impl<C: Clone + Shared> Sampler<C> {
    /// For a training of `tasks` on `train`. What does not depend on the network is made ahead on a thread.
    pub fn new(training: Training, tasks: &'static [Task], train: &Batches) -> Self {
        Self::behind(0, training, tasks, train)
    }

    /// One that goes on at `position`; `None` where that is no position of such a training.
    pub fn resume<N: Network<Constant = C>>(
        position: Position,
        network: &N,
        training: Training,
        tasks: &'static [Task],
        train: &Batches,
    ) -> Option<Self> {
        let Position { draws, left } = position;
        let Some(Left { entropies, taken, steps }) = left else {
            return Some(Self::behind(draws, training, tasks, train));
        };
        let mut sampler = Self::behind(draws.checked_sub(1)?, training, tasks, train);
        let Prepared::Candidates(hands) = sampler.draw() else { return None };
        let scored = Scored::known(network, tasks, hands, training.fidelity, entropies)?;
        let ranked = Ranked { taken, ..Ranked::new(scored, steps) };
        let fits = steps > 0 && steps < sampler.rescore && taken <= ranked.order.len();
        sampler.ranked = Some(ranked);
        fits.then_some(sampler)
    }

    /// One that has taken so many draws.
    fn behind(taken: usize, training: Training, tasks: &'static [Task], train: &Batches) -> Self {
        let rescore = match training.sampler {
            plan::Sampler::MtUncertainty { rescore, .. } => rescore,
            plan::Sampler::Proportional
            | plan::Sampler::Uniform
            | plan::Sampler::Temperature { .. }
            | plan::Sampler::Sequential => 1,
        };
        let (draws, train) = (Draws::new(training, lengths(train)), train.clone());
        let prepared = draws.skip(taken).map(move |draw| Prepared::new(draw, tasks, &train));
        Self {
            draws: Ahead::new(prepared),
            batch: training.batch,
            fidelity: training.fidelity,
            rescore,
            ranked: None,
            taken,
        }
    }

    /// For a training on what was picked before, a batch a step, of which the first `taken` have been made. Nothing is
    /// drawn and nothing scored.
    pub fn replay(picks: Vec<Vec<At>>, taken: usize, training: Training, train: &Batches) -> Self {
        let train = train.clone();
        let prepared = picks.into_iter().skip(taken).map(move |examples| {
            let batch = train.batch(&examples);
            Prepared::Batch(examples, batch)
        });
        Self {
            draws: Ahead::new(prepared),
            batch: training.batch,
            fidelity: training.fidelity,
            rescore: 1,
            ranked: None,
            taken,
        }
    }

    /// Where it stands between two steps.
    pub fn position(&self) -> Position {
        let left = self.ranked.as_ref().map(|Ranked { scored, taken, steps, .. }| Left {
            entropies: scored.candidates().iter().map(|of_task| of_task.entropies.clone()).collect(),
            taken: *taken,
            steps: *steps,
        });
        Position { draws: self.taken, left }
    }

    fn draw(&mut self) -> Prepared {
        self.taken += 1;
        self.draws.next().expect("draws have no end, and a replay is not asked beyond its own")
    }

    /// The next step's examples; `network` scores them where the rule asks for that.
    ///
    /// # Panics
    /// Beyond the steps that are replayed.
    pub fn next<N: Network<Constant = C>>(
        &mut self,
        network: &N,
        tasks: &[Task],
        batches: &Batches,
    ) -> Drawn<C> {
        let _span = tracing::trace_span!(target: "camtl::profile", "draw").entered();
        let unscored = vec![Share::default(); tasks.len()];
        if let Some(ranked) = self.ranked.take()
            && let (picks, true) = ranked.best(self.batch, batches)
        {
            return self.train_on(ranked, &picks, unscored, network, batches);
        }
        match self.draw() {
            Prepared::Batch(examples, batch) => {
                let constant = network.constant(&batch);
                let scores = vec![None; examples.len()];
                Drawn { tasks: shares(&examples, unscored), examples, batch, constant, scores }
            }
            Prepared::Candidates(hands) => {
                let ranked = Ranked::new(Scored::new(network, tasks, hands, self.fidelity), self.rescore);
                let (picks, _) = ranked.best(self.batch, batches);
                let scored = ranked.scored.shares();
                self.train_on(ranked, &picks, scored, network, batches)
            }
        }
    }

    /// Takes the picks, and keeps the rest for the steps that are left; what no step will use is freed.
    fn train_on<N: Network<Constant = C>>(
        &mut self,
        mut ranked: Ranked<C>,
        picks: &[Pick],
        drawn: Vec<Share>,
        network: &N,
        batches: &Batches,
    ) -> Drawn<C> {
        let (examples, batch, constant) = ranked.scored.take(network, batches, picks);
        let scored = picks.iter().map(|&pick| (ranked.scored.example(pick), ranked.score(pick)));
        let scored: HashMap<At, f64> = scored.collect();
        let scores = examples.iter().map(|at| scored.get(at).copied()).collect();
        ranked.taken += picks.len();
        ranked.steps -= 1;
        self.ranked = (ranked.steps > 0).then_some(ranked);
        Drawn { tasks: shares(&examples, drawn), examples, batch, constant, scores }
    }
}

/// Candidates in the order of their scores, for one step or several.
struct Ranked<C> {
    scored: Scored<C>,
    /// Best first.
    order: Vec<Pick>,
    /// How many of these were trained on.
    taken: usize,
    /// That are left, at least one.
    steps: usize,
}

impl<C: Clone + Shared> Ranked<C> {
    fn new(scored: Scored<C>, steps: usize) -> Self {
        let order = uncertainty::select(scored.scores(), usize::MAX);
        Self { scored, order, taken: 0, steps }
    }

    fn score(&self, Pick { task, candidate }: Pick) -> f64 {
        self.scored.scores()[task][candidate]
    }

    /// The next best that make a batch, and whether they fill it. A budget takes them in this order while they fit,
    /// but one at least.
    fn best(&self, batch: plan::Batch, batches: &Batches) -> (Vec<Pick>, bool) {
        let left = &self.order[self.taken..];
        match batch {
            plan::Batch::Examples(count) => {
                let picks = &left[..count.min(left.len())];
                (picks.to_vec(), picks.len() == count)
            }
            plan::Batch::Tokens(budget) => {
                let mut room = budget;
                let fits = |pick: &&Pick| {
                    let rest = room.checked_sub(batches.tokens(self.scored.example(**pick)));
                    room = rest.unwrap_or(room);
                    rest.is_some()
                };
                let count = left.iter().take_while(fits).count().max(left.len().min(1));
                (left[..count].to_vec(), count < left.len() || room == 0)
            }
        }
    }
}

/// Tokens of each example of each task.
pub fn lengths(batches: &Batches) -> Vec<Vec<u32>> {
    // a text of 2^32 tokens would not fit in memory
    let of = |set: &Dataset| (0..set.len()).map(|i| set.tokens(i) as u32).collect();
    batches.datasets().iter().map(of).collect()
}

fn shares(examples: &[At], mut shares: Vec<Share>) -> Vec<Share> {
    examples.iter().for_each(|at| shares[at.task].picks += 1);
    shares
}

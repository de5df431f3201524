//! MT-Uncertainty's forward half: entropies of the candidates under the current network.

use super::batches::{At, Batches, CHUNK};
use super::network::Network;
use super::plan::{Task, Uncertainty};
use super::sampler::Share;
use super::uncertainty::{self, Candidates, Pick};
use crate::nn::Batch;

/// Candidates of all tasks, scored without tape and dropout. What the constant part made of them is kept, so that
/// the training step that follows does not compute it again.
pub struct Scored<C> {
    /// By task, then candidate.
    examples: Vec<Vec<At>>,
    candidates: Vec<Candidates>,
    chunks: Vec<Chunk<C>>,
}

struct Chunk<C> {
    picks: Vec<Pick>,
    batch: Batch,
    constant: C,
}

impl<C: Clone> Scored<C> {
    /// Scores the candidates: examples of each task, by their places in its data.
    pub fn new<N: Network<Constant = C>>(
        network: &N,
        tasks: &[Task],
        batches: &Batches,
        candidates: Vec<Vec<usize>>,
    ) -> Self {
        // the head whose distribution stands for each task
        let heads: Vec<usize> = tasks
            .iter()
            .enumerate()
            .map(|(task, what)| match what.uncertainty {
                Uncertainty::Entropy => task,
                Uncertainty::As(donor) => donor,
            })
            .collect();
        let examples: Vec<Vec<At>> = candidates
            .into_iter()
            .enumerate()
            .map(|(task, hand)| hand.into_iter().map(|example| At { task, example }).collect())
            .collect();
        let mut scored: Vec<Candidates> = examples
            .iter()
            .zip(&heads)
            .map(|(hand, &head)| Candidates {
                entropies: vec![0.0; hand.len()],
                uniform: uncertainty::uniform(tasks[head].kind.outputs()),
            })
            .collect();

        let flat: Vec<At> = examples.iter().flatten().copied().collect();
        let picks: Vec<Pick> = examples
            .iter()
            .enumerate()
            .flat_map(|(task, hand)| (0..hand.len()).map(move |candidate| Pick { task, candidate }))
            .collect();
        let mut chunks = Vec::new();
        for places in batches.chunks(&flat, CHUNK) {
            let own: Vec<At> = places.iter().map(|&i| flat[i]).collect();
            let picks: Vec<Pick> = places.iter().map(|&i| picks[i]).collect();
            let batch = batches.batch(&own);
            let constant = network.constant(&batch);
            let chosen: Vec<usize> = own.iter().map(|at| heads[at.task]).collect();
            for (pick, logits) in picks.iter().zip(network.score(constant.clone(), &batch, &chosen)) {
                scored[pick.task].entropies[pick.candidate] = uncertainty::entropy(&logits);
            }
            chunks.push(Chunk { picks, batch, constant });
        }
        Self { examples, candidates: scored, chunks }
    }

    /// H of every candidate, by task.
    pub fn candidates(&self) -> &[Candidates] {
        &self.candidates
    }

    /// Candidates and their mean H / H' of each task; no picks yet.
    pub fn shares(&self) -> Vec<Share> {
        self.candidates
            .iter()
            .map(|Candidates { entropies, uniform }| {
                let mean = entropies.iter().sum::<f64>() / entropies.len().max(1) as f64;
                let entropy = if *uniform > 0.0 { mean / uniform } else { 0.0 };
                Share { candidates: entropies.len(), picks: 0, entropy: Some(entropy) }
            })
            .collect()
    }

    /// The picked candidates as a batch, in the order in which they were scored, with their constant part's output.
    pub fn take<N: Network<Constant = C>>(
        self,
        network: &N,
        batches: &Batches,
        picks: &[Pick],
    ) -> (Vec<At>, Batch, C) {
        let mut picked: Vec<Vec<bool>> = self.examples.iter().map(|hand| vec![false; hand.len()]).collect();
        picks.iter().for_each(|pick| picked[pick.task][pick.candidate] = true);
        let mut examples = Vec::with_capacity(picks.len());
        let mut parts = Vec::new();
        for chunk in &self.chunks {
            let places: Vec<usize> = (0..chunk.picks.len())
                .filter(|&place| picked[chunk.picks[place].task][chunk.picks[place].candidate])
                .collect();
            if places.is_empty() {
                continue;
            }
            let of = |pick: Pick| self.examples[pick.task][pick.candidate];
            examples.extend(places.iter().map(|&place| of(chunk.picks[place])));
            parts.push((&chunk.constant, chunk.batch.rows_of(&places)));
        }
        let batch = batches.batch(&examples);
        let constant = network.gather(&parts);
        (examples, batch, constant)
    }
}

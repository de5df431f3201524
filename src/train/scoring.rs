//! MT-Uncertainty's forward half: entropies of the candidates under the current network.

use super::batches::{At, Batches, CHUNK};
use super::network::{self, Network};
use super::plan::{Fidelity, Task, Uncertainty};
use super::sampler::Share;
use super::uncertainty::{self, Candidates, Pick};
use crate::kernels::{Kernels, Shared};
use crate::nn::Batch;

/// Candidates of all tasks, scored without tape and dropout. What the constant part made of them is kept, so that
/// the training steps that follow do not compute it again.
pub struct Scored<C> {
    /// By task, then candidate.
    examples: Vec<Vec<At>>,
    candidates: Vec<Candidates>,
    scores: Vec<Vec<f64>>,
    chunks: Vec<Chunk<C>>,
}

struct Chunk<C> {
    picks: Vec<Pick>,
    batch: Batch,
    constant: C,
}

/// Candidates of all tasks as they are scored, in batches; the network has no part in it.
#[derive(Clone, Debug)]
pub struct Hands {
    /// By task, then candidate.
    examples: Vec<Vec<At>>,
    chunks: Vec<(Vec<Pick>, Batch)>,
}

impl Hands {
    /// Of examples of each task, by their places in its data.
    ///
    /// A task that borrows its uncertainty is not scored: its i-th candidate has the entropy of the donor's i-th, so
    /// that both are picked alike (as the authors' code does it). Its own examples under the donor's head would say
    /// nothing that training on them could change: they would stay uncertain, and be picked for ever.
    pub fn new(tasks: &[Task], batches: &Batches, candidates: Vec<Vec<usize>>) -> Self {
        let examples: Vec<Vec<At>> = candidates
            .into_iter()
            .enumerate()
            .map(|(task, hand)| hand.into_iter().map(|example| At { task, example }).collect())
            .collect();
        let picks: Vec<Pick> = examples
            .iter()
            .enumerate()
            .filter(|(task, _)| tasks[*task].uncertainty == Uncertainty::Entropy)
            .flat_map(|(task, hand)| (0..hand.len()).map(move |candidate| Pick { task, candidate }))
            .collect();
        let flat: Vec<At> = picks.iter().map(|pick| examples[pick.task][pick.candidate]).collect();
        let chunk = |places: Vec<usize>| {
            let own: Vec<At> = places.iter().map(|&i| flat[i]).collect();
            (places.into_iter().map(|i| picks[i]).collect(), batches.batch(&own))
        };
        let limit = batches.even_limit(&flat, CHUNK);
        let chunks = batches.chunks(&flat, limit).into_iter().map(chunk).collect();
        Self { examples, chunks }
    }
}

impl<C: Clone + Shared> Scored<C> {
    /// Scores the candidates.
    pub fn new<N: Network<Constant = C>>(
        network: &N,
        tasks: &[Task],
        hands: Hands,
        fidelity: Fidelity,
    ) -> Self {
        let Hands { examples, chunks } = hands;
        let mut entropies: Vec<Vec<f64>> = examples.iter().map(|hand| vec![0.0; hand.len()]).collect();
        let ask = |(picks, batch): (Vec<Pick>, Batch)| {
            let constant = network.constant(&batch);
            let logits = network.ask(constant.clone(), &batch);
            (Chunk { picks, batch, constant }, logits)
        };
        // first all is asked for, then the answers are read: a GPU is not kept waiting
        let asked = N::Device::map(chunks, ask);
        let mut scored = Vec::with_capacity(asked.len());
        for (chunk, logits) in asked {
            for (pick, logits) in chunk.picks.iter().zip(network::read(logits)) {
                entropies[pick.task][pick.candidate] = uncertainty::of_item(tasks[pick.task].kind, &logits);
            }
            scored.push(chunk);
        }
        Self::with(entropies, tasks, fidelity, examples, scored)
    }

    /// Candidates whose entropies are known from before; `None` where these are of others.
    pub fn known<N: Network<Constant = C>>(
        network: &N,
        tasks: &[Task],
        hands: Hands,
        fidelity: Fidelity,
        entropies: Vec<Vec<f64>>,
    ) -> Option<Self> {
        let Hands { examples, chunks } = hands;
        if !examples.iter().map(Vec::len).eq(entropies.iter().map(Vec::len)) {
            return None;
        }
        let chunks = N::Device::map(chunks, |(picks, batch)| {
            let constant = network.constant(&batch);
            Chunk { picks, batch, constant }
        });
        Some(Self::with(entropies, tasks, fidelity, examples, chunks))
    }

    /// Scores from entropies; those of a task that borrows them are not read.
    fn with(
        mut entropies: Vec<Vec<f64>>,
        tasks: &[Task],
        fidelity: Fidelity,
        examples: Vec<Vec<At>>,
        chunks: Vec<Chunk<C>>,
    ) -> Self {
        let donors: Vec<Option<usize>> = tasks
            .iter()
            .map(|task| match task.uncertainty {
                Uncertainty::As(donor) => Some(donor),
                Uncertainty::Entropy => None,
            })
            .collect();
        // the paper's scores see the entropies of the donor, those of the authors' code only its scores
        let lenders = if fidelity == Fidelity::Paper { donors.clone() } else { vec![None; donors.len()] };
        for (task, lender) in lenders.iter().enumerate() {
            if let Some(lender) = lender {
                let borrowed = entropies[*lender].iter().copied().cycle();
                entropies[task] = borrowed.take(examples[task].len()).collect();
            }
        }
        let candidates: Vec<Candidates> = entropies
            .into_iter()
            .zip(lenders)
            .enumerate()
            .map(|(task, (entropies, lender))| {
                let head = lender.unwrap_or(task);
                Candidates { entropies, uniform: uncertainty::scale(tasks[head].kind) }
            })
            .collect();
        let scores = match fidelity {
            Fidelity::Paper => uncertainty::scores(&candidates),
            Fidelity::Reference => uncertainty::reference::scores(&candidates, &donors),
        };
        Self { examples, candidates, scores, chunks }
    }

    /// The example that a pick stands for.
    pub fn example(&self, Pick { task, candidate }: Pick) -> At {
        self.examples[task][candidate]
    }

    /// H of every candidate, by task.
    pub fn candidates(&self) -> &[Candidates] {
        &self.candidates
    }

    /// The score of every candidate, by task.
    pub fn scores(&self) -> &[Vec<f64>] {
        &self.scores
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

    /// The picked candidates as a batch, in the order in which they were scored and those that were not at the end,
    /// with their constant part's output.
    pub fn take<N: Network<Constant = C>>(
        &self,
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
            examples.extend(places.iter().map(|&place| self.example(chunk.picks[place])));
            parts.push((&chunk.constant, chunk.batch.rows_of(&places)));
        }
        // candidates that were not scored have no constant part yet
        let unscored: Vec<At> =
            picks.iter().map(|&pick| self.example(pick)).filter(|at| !examples.contains(at)).collect();
        let rest = (!unscored.is_empty()).then(|| {
            let batch = batches.batch(&unscored);
            (network.constant(&batch), (0..batch.segments.rows()).collect())
        });
        if let Some((constant, rows)) = &rest {
            parts.push((constant, Vec::clone(rows)));
        }
        examples.extend(unscored);
        let batch = batches.batch(&examples);
        let constant = network.gather(&parts);
        (examples, batch, constant)
    }
}

#[cfg(test)]
mod tests {
    use dfdx::prelude::{Cpu, Tape, TensorFromVec};

    use super::super::network::HeadLogits;
    use super::super::plan::{Kind, Metric, Source};
    use super::*;
    use crate::data::{Dataset, Example, Examples, Tokenizer};
    use crate::kernels::Pass;
    use crate::nn::Parameter;

    /// Its logits are (ln k, 0, ..), k the id of a sequence's second token less 3; what is constant is the rows'
    /// token ids.
    struct Odds;

    impl Network for Odds {
        type Device = Cpu;
        type Constant = Vec<usize>;

        fn device(&self) -> Cpu {
            Cpu::default()
        }

        fn parameters(&mut self) -> Vec<&mut dyn Parameter<Cpu>> {
            Vec::new()
        }

        fn constant(&self, batch: &Batch) -> Vec<usize> {
            batch.ids.word.clone()
        }

        fn gather(&self, parts: &[(&Vec<usize>, Vec<usize>)]) -> Vec<usize> {
            parts.iter().flat_map(|(ids, rows)| rows.iter().map(|&row| ids[row])).collect()
        }

        fn rows(&self, ids: &Vec<usize>) -> Option<Vec<f32>> {
            Some(ids.iter().map(|&id| id as f32).collect())
        }

        fn of_rows(&self, rows: Vec<f32>, _: usize) -> Vec<usize> {
            rows.into_iter().map(|id| id as usize).collect()
        }

        fn logits<T: Tape<f32, Cpu>>(
            &self,
            ids: Vec<usize>,
            batch: &Batch,
            heads: &[usize],
            _: &mut Pass<T, Cpu>,
        ) -> Vec<HeadLogits<Cpu>> {
            let one = |(sequence, &head): (usize, &usize)| {
                let odds = ids[batch.segments.range(sequence).start + 1] - 3;
                let mut row = vec![0.0; TASKS[head].kind.outputs()];
                row[0] = (odds as f32).ln();
                let width = row.len();
                let logits = self.device().tensor_from_vec(row, (1, width));
                HeadLogits { head, examples: vec![sequence], rows: vec![1], logits }
            };
            heads.iter().enumerate().map(one).collect()
        }
    }

    const fn task(name: &'static str, kind: Kind, uncertainty: Uncertainty) -> Task {
        Task { name, kind, metric: Metric::Accuracy, data: Source::tsv(""), weight: 1.0, uncertainty }
    }

    const TASKS: [Task; 3] = [
        task("two", Kind::Classify { labels: &["a", "b"] }, Uncertainty::Entropy),
        task("three", Kind::Classify { labels: &["a", "b", "c"] }, Uncertainty::Entropy),
        task("value", Kind::Regress { low: 0.0, high: 1.0, unit: true }, Uncertainty::As(0)),
    ];

    /// The words one, two, three have the odds 1, 2, 3.
    fn batches() -> Batches {
        let folder = tempfile::tempdir().unwrap();
        let vocab = folder.path().join("vocab.txt");
        std::fs::write(&vocab, "[UNK]\n[CLS]\n[SEP]\n[PAD]\none\ntwo\nthree\n").unwrap();
        let tokenizer = Tokenizer::open(&vocab, 16, 8).unwrap();
        let dataset = |texts: &[&str]| {
            let row = |text: &&str| Example::text(*text, None, 1);
            let examples = Examples::of(texts.iter().map(row).collect());
            Dataset::encode(&examples, &tokenizer, TASKS[0].kind, blake3::hash(&[])).unwrap()
        };
        Batches::new(vec![
            dataset(&["three one one", "one", "one one"]),
            dataset(&["one", "two one"]),
            dataset(&["three"]),
        ])
    }

    #[test]
    fn picks_follow_scores_computed_by_hand() {
        let batches = batches();
        // of the first task "three one one" and "one"
        let scored = Scored::new(
            &Odds,
            &TASKS,
            Hands::new(&TASKS, &batches, vec![vec![0, 1], vec![0, 1], vec![0]]),
            Fidelity::Paper,
        );
        let (ln2, ln3, ln4) = (2f64.ln(), 3f64.ln(), 4f64.ln());
        let three_to_one = ln4 - 0.75 * ln3;
        let expected = [vec![three_to_one, ln2], vec![ln3, 1.5 * ln2], vec![three_to_one]];
        let uniform = [ln2, ln3, ln2]; // the value's are the first task's, candidate by candidate
        for ((found, entropies), uniform) in scored.candidates().iter().zip(&expected).zip(uniform) {
            assert_eq!(found.uniform, uniform);
            for (found, expected) in found.entropies.iter().zip(entropies) {
                assert!((found - expected).abs() < 1e-6, "{found} is not {expected}");
            }
        }
        let scores = uncertainty::scores(scored.candidates());
        let largest_mean = (ln3 + 1.5 * ln2) / 2.0;
        let by_hand = [
            vec![three_to_one / (largest_mean * ln2), 1.0 / largest_mean],
            vec![1.0 / largest_mean, 1.5 * ln2 / (largest_mean * ln3)],
            vec![three_to_one / (largest_mean * ln2)],
        ];
        for (found, expected) in scores.iter().flatten().zip(by_hand.iter().flatten()) {
            assert!((found - expected).abs() < 1e-6, "{scores:?}");
        }

        // by entropy alone both picks would be of the second task
        let picks = uncertainty::select(&scores, 2);
        let (examples, batch, constant) = scored.take(&Odds, &batches, &picks);
        let mut sorted = examples.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, [At { task: 0, example: 1 }, At { task: 1, example: 0 }]);
        assert_eq!(constant, batch.ids.word, "the constant part's rows are those of the new batch");
        assert_eq!(batch.segments.tasks(), examples.iter().map(|at| at.task).collect::<Vec<_>>());
    }

    #[test]
    fn a_task_that_borrows_its_uncertainty_is_picked_with_its_donor() {
        let batches = batches();
        let scored = Scored::new(
            &Odds,
            &TASKS,
            Hands::new(&TASKS, &batches, vec![vec![1], vec![0], vec![0]]),
            Fidelity::Paper,
        );
        let picks = uncertainty::select(&uncertainty::scores(scored.candidates()), 3);
        let (examples, batch, constant) = scored.take(&Odds, &batches, &picks);
        assert_eq!(examples.last(), Some(&At { task: 2, example: 0 }), "what was not scored comes last");
        assert_eq!(examples.len(), 3);
        assert_eq!(constant, batch.ids.word);
    }

    #[test]
    fn chunks_hold_every_example_and_at_most_the_limit() {
        let batches = batches();
        let all = batches.all(); // of 5, 3, 4, 3, 4 and 3 tokens
        let chunks = batches.chunks(&all, 8);
        assert_eq!(chunks, [vec![0], vec![2, 4], vec![1, 3], vec![5]]);
        assert_eq!(batches.chunks(&all, 1).len(), 6);
        // 22 tokens: three groups of 8 and some, four of 6
        let sizes = |limit| {
            let chunks = batches.chunks(&all, batches.even_limit(&all, limit));
            chunks
                .iter()
                .map(|chunk| chunk.iter().map(|&i| batches.tokens(all[i])).sum())
                .collect::<Vec<usize>>()
        };
        assert_eq!((sizes(8), sizes(20)), (vec![13, 9], vec![22]));
    }
}

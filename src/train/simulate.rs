//! What a training will draw, told from the data alone: no network is built, nothing is learned.

use std::path::Path;

use serde::Serialize;

use super::batches::{At, Batches, CHUNK};
use super::draws::{Draw, Draws, weights};
use super::inputs::{self, InputError, Reading};
use super::plan::{Plan, Sampler, Task, Uncertainty};
use super::sampler;
use super::trainer::Steps;
use crate::data::{Split, Tokenizer};

/// As many steps are drawn as an epoch has, but no more than these: enough for means.
const MOST: usize = 500;

/// Of a whole training.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Simulation {
    /// Steps that cover the data once.
    pub epoch: usize,
    /// Steps of the whole training.
    pub steps: usize,
    /// How many steps the means below are of.
    pub drawn: usize,
    /// Mean tokens of an example that is drawn.
    pub length: f64,
    /// Mean examples of a step; under a budget of tokens the data decide.
    pub examples: f64,
    /// Candidates that are scored, a step. The tasks that borrow their scores are not scored.
    pub scored: f64,
    /// Forward passes that score them, a step: they are run in groups of at most so many tokens.
    pub passes: f64,
    pub tasks: Vec<Share>,
    /// What is to be told of rows that could not be read.
    #[serde(skip)]
    pub left_out: Option<String>,
}

/// Of a task.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Share {
    pub name: &'static str,
    /// Of the training data.
    pub examples: usize,
    pub tokens: usize,
    /// Examples that were cut to the model's length.
    pub truncated: usize,
    /// Rows that could not be read, and are none of the examples.
    pub unreadable: usize,
    /// Of the examples that are trained on, in [0, 1]; under MT-Uncertainty of the candidates, of which the network
    /// decides.
    pub share: f64,
    /// How often each example is drawn in an epoch.
    pub seen: f64,
}

/// Reads the training data, and draws from them as a training would.
///
/// # Errors
/// What is wrong with the data or the tokenizer.
pub fn simulate(
    plan: &Plan,
    reading: Reading<'_>,
    backbone: Option<&Path>,
) -> Result<Simulation, InputError> {
    let path = inputs::tokenizer_path(plan, reading.data, backbone)?;
    let tokenizer = Tokenizer::open(&path, plan.backbone.vocab, plan.sequence)?;
    let train = inputs::split(plan, Split::Train, reading, &tokenizer)?;
    Ok(of_data(plan, &train))
}

fn of_data(plan: &Plan, train: &Batches) -> Simulation {
    let steps = Steps::new(&plan.training, train);
    let drawn = steps.epoch.clamp(1, MOST);
    let rescore = match plan.training.sampler {
        Sampler::MtUncertainty { rescore, .. } => rescore,
        _ => 1,
    };
    let mut sums = Sums::default();
    for draw in Draws::new(plan.training, sampler::lengths(train)).take(drawn.div_ceil(rescore)) {
        sums.add(plan.tasks, train, draw);
    }
    // a scoring serves several steps; what is not scored is drawn anew in each
    let each = |sum: usize| sum as f64 / drawn as f64;
    let sizes = train.sizes();
    let chances = chances(plan.training.sampler, &sizes);
    let total: f64 = chances.iter().sum();
    let length = sums.tokens as f64 / sums.examples.max(1) as f64;
    let examples = match plan.training.batch {
        super::plan::Batch::Examples(count) => count as f64,
        super::plan::Batch::Tokens(budget) => budget as f64 / length.max(1.0),
    };
    let drawn_a_step = if sums.scored > 0 { each(sums.examples) } else { examples };
    let tasks = plan.tasks.iter().zip(train.datasets()).zip(&chances).map(|((task, set), chance)| Share {
        name: task.name,
        examples: set.len(),
        tokens: set.total_tokens(),
        truncated: set.truncated(),
        unreadable: set.left_out().unreadable,
        share: chance / total,
        seen: chance / total * drawn_a_step * steps.epoch as f64 / set.len() as f64,
    });
    Simulation {
        epoch: steps.epoch,
        steps: steps.total,
        drawn,
        length,
        examples,
        scored: each(sums.scored),
        passes: each(sums.passes),
        tasks: tasks.collect(),
        left_out: inputs::left_out(plan, Split::Train, train),
    }
}

/// How likely each task is, but for a factor.
fn chances(sampler: Sampler, sizes: &[usize]) -> Vec<f64> {
    match sampler {
        // as many candidates of each, all of a task that has no more
        Sampler::MtUncertainty { candidates, .. } => {
            sizes.iter().map(|&size| size.min(candidates) as f64).collect()
        }
        // exact to 2^53, which is more than weights are
        _ => weights(sampler, sizes).into_iter().map(|weight| weight as f64).collect(),
    }
}

/// Over all draws.
#[derive(Default)]
struct Sums {
    examples: usize,
    tokens: usize,
    scored: usize,
    passes: usize,
}

impl Sums {
    fn add(&mut self, tasks: &[Task], train: &Batches, draw: Draw) {
        let examples: Vec<At> = match draw {
            Draw::Batch(examples) => examples,
            Draw::Candidates(hands) => {
                let of = |(task, hand): (usize, Vec<usize>)| {
                    hand.into_iter().map(move |example| At { task, example })
                };
                let all: Vec<At> = hands.into_iter().enumerate().flat_map(of).collect();
                let own = |at: &&At| tasks[at.task].uncertainty == Uncertainty::Entropy;
                let scored: Vec<At> = all.iter().filter(own).copied().collect();
                self.scored += scored.len();
                self.passes += train.chunks(&scored, CHUNK).len();
                all
            }
        };
        self.examples += examples.len();
        self.tokens += examples.iter().map(|&at| train.tokens(at)).sum::<usize>();
    }
}

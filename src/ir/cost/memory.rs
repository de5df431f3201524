//! Bytes: of the parameters exactly, of activations as the operations in `kernels/cpu` keep them for backward.
//!
//! All numbers are `f32`. An operation's output stays as long as a backward half on the tape refers to it; with what
//! the operations keep besides, a layer on the tape holds, for `tokens` tokens of examples of `length`:
//!
//! | | |
//! |---|---|
//! | query, key, value, context, attention's output | 5 x `[tokens, hidden]` |
//! | softmax | `[examples, heads, length, length]` |
//! | two norms: normalized input and output | 4 x `[tokens, hidden]`, 2 x `[tokens]` |
//! | feed-forward part: before and after GELU, and its output | 2 x `[tokens, ffn]`, `[tokens, hidden]` |
//! | with dropout, what it made of both outputs | 2 x `[tokens, hidden]` |
//!
//! Its input is the output of the part below. The constant part keeps nothing but its output.

use super::{ByComponent, Candidates, Load};
use crate::ir::{Backbone, Blocks, Component, Flow, Layer, ParameterCount, Program, Width};

/// Bytes of a number.
const F32: u128 = 4;

/// What lies in memory in a training, by component.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    pub weights: ByComponent,
    /// Of the trained parameters.
    pub gradients: ByComponent,
    /// AdamW's two moments of the trained parameters.
    pub optimizer: ByComponent,
    /// Kept on the tape from a step's forward to its backward half. An estimate.
    pub activations: ByComponent,
    /// What a training step needs at most besides weights and optimizer. Less than gradients and activations together,
    /// as the one grow while the others are freed. Candidates that serve several steps stay there. An estimate.
    pub step: u64,
    /// What scoring needs at most: the constant part's output for all candidates, and a run over the largest
    /// chunk of them. An estimate; 0 under another sampler.
    pub scoring: u64,
}

impl Memory {
    pub fn of(program: &Program, load: Load) -> Self {
        let mut memory = Self::default();
        for (component, _, count) in ParameterCount::of(program).parts {
            memory.weights.add(component, F32 * count.total() as u128);
            memory.gradients.add(component, F32 * count.trained() as u128);
            memory.optimizer.add(component, 2 * F32 * count.trained() as u128);
        }
        let tape = Tape { program, load };
        for (component, numbers) in tape.stages().into_iter().flat_map(|stage| stage.kept) {
            memory.activations.add(component, F32 * numbers);
        }
        let candidates = Candidates::of(program, load);
        let kept = if candidates.steps > 1 { scored(program, candidates, load.length) } else { 0 };
        memory.step = bytes(tape.peak() + kept);
        memory.scoring = bytes(scoring(program, candidates, load.length));
        memory
    }

    /// What lies there between two steps.
    pub fn resting(&self) -> u64 {
        self.weights.total().saturating_add(self.optimizer.total())
    }

    /// What the training needs at most.
    pub fn peak(&self) -> u64 {
        self.resting().saturating_add(self.step.max(self.scoring))
    }
}

fn bytes(numbers: u128) -> u64 {
    u64::try_from(F32 * numbers).unwrap_or(u64::MAX)
}

/// A training step's tape, in numbers.
struct Tape<'a> {
    program: &'a Program,
    load: Load,
}

/// Parts that are on the tape together.
#[derive(Default)]
struct Stage {
    kept: Vec<(Component, u128)>,
    gradients: u128,
}

impl Tape<'_> {
    /// Everything before the layers on the tape, each of these, and everything behind them.
    fn stages(&self) -> Vec<Stage> {
        let Backbone { hidden, .. } = self.program.backbone;
        let constant = self.program.constant_part();
        let mut first = Stage::default();
        first.kept.push((Component::Embeddings, self.embeddings()));
        if self.program.embeddings.alignment {
            first.kept.push((Component::Alignment, self.tokens(hidden) + self.film()));
        }
        if constant > 0 {
            first.kept.push((Component::Layers, self.tokens(hidden))); // the constant part's output
        }
        // [CLS] and what the pooler makes of it; the rows of each head, before and after dropout
        let mut last = Stage::default();
        last.kept.push((Component::Pooler, self.examples(2 * hidden)));
        last.kept.push((Component::Heads, self.examples((1 + self.dropout()) * hidden)));

        let mut stages = vec![first];
        stages.extend((constant..self.program.layers.len()).map(|index| self.layer(index)));
        let end = stages.len();
        stages.push(last);
        for (component, layer, count) in ParameterCount::of(self.program).parts {
            let at = match (component, layer) {
                (Component::Pooler | Component::Heads, _) => end,
                // A layer of the constant part is not on the tape, and nothing of it is trained.
                (_, Some(index)) => (index + 1).saturating_sub(constant),
                (_, None) => 0,
            };
            stages[at].gradients += count.trained() as u128;
        }
        stages
    }

    /// Backward begins with all that was kept and no gradient, and goes from the last stage to the first. The constant
    /// part has run before that.
    fn peak(&self) -> u128 {
        let Backbone { hidden, ffn, .. } = self.program.backbone;
        let stages = self.stages();
        let mut kept: u128 = stages.iter().flat_map(|stage| &stage.kept).map(|(_, numbers)| numbers).sum();
        let (mut gradients, mut peak) = (0, 0);
        for stage in stages.iter().rev() {
            gradients += stage.gradients;
            peak = peak.max(kept + gradients);
            kept -= stage.kept.iter().map(|(_, numbers)| numbers).sum::<u128>();
        }
        // Gradients of activations beyond what has been freed for them: three at a layer's last norm whose output is
        // freed, or two at GELU and the residual connection's, behind a norm and half of the feed-forward part.
        let passing = match self.program.layers.len() > self.program.constant_part() {
            true => self.tokens((2 * hidden).max(ffn.saturating_sub(2 * hidden))),
            false => 0,
        };
        let constant = match self.program.constant_part() {
            0 => 0,
            _ => self.tokens(running(&self.program.backbone)),
        };
        constant.max(peak + passing)
    }

    /// Their output; where they are trained also the sum of the three tables, what normalizes it, the three indices of 8
    /// bytes, and what dropout makes of the output.
    fn embeddings(&self) -> u128 {
        let Backbone { hidden, .. } = self.program.backbone;
        match (self.program.embeddings.flow, self.program.constant_part()) {
            (Flow::Constant, 0) => self.tokens(hidden),
            (Flow::Constant, _) => 0,
            _ => self.tokens((3 + self.dropout()) * hidden + 1 + 3 * 2),
        }
    }

    fn layer(&self, index: usize) -> Stage {
        let Backbone { hidden, heads, ffn, .. } = self.program.backbone;
        let Layer { attention, norm, bottleneck, .. } = self.program.layers[index];
        let softmax = self.tokens(heads * self.load.length); // [examples, heads, length, length]
        let dropped = 2 * self.dropout();
        let mut kept =
            vec![(Component::Layers, self.tokens((10 + dropped) * hidden + 2 * ffn + 2) + softmax)];
        if let Some(blocks) = attention {
            kept.push((Component::Attention, self.attention_bias(blocks)));
        }
        if norm {
            kept.push((Component::Norm, 2 * self.norm()));
        }
        if let Some(width) = bottleneck {
            kept.push((Component::Bottleneck, self.bottleneck(width)));
        }
        if let Some(ladder) = self.program.ladder.as_ref().filter(|ladder| ladder.layers.contains(&index)) {
            kept.push((Component::Bottleneck, self.bottleneck(ladder.width)));
        }
        Stage { kept, gradients: 0 }
    }

    /// The modulated input and the output, `[tokens, hidden]`; before and after GELU, `[tokens, width]`. On the ladder
    /// h_i + f_{i-1} in place of the output, which only the last step's reader keeps.
    fn bottleneck(&self, Width(width): Width) -> u128 {
        self.tokens(2 * self.program.backbone.hidden + 2 * width) + self.film()
    }

    /// gamma(z) and beta(z), `[tasks, hidden]`.
    fn film(&self) -> u128 {
        self.tasks(2 * self.program.backbone.hidden)
    }

    /// gamma(z), gammahat(z) and betahat(z), `[tasks, hidden]`.
    fn norm(&self) -> u128 {
        self.tasks(3 * self.program.backbone.hidden)
    }

    /// gamma(z) and beta(z), `[tasks, block * block]`; M(z), `[tasks, entries]`; each entry's place, 8 bytes.
    fn attention_bias(&self, blocks: Blocks) -> u128 {
        self.tasks(2 * blocks.block * blocks.block + blocks.entries()) + 2 * blocks.entries() as u128
    }

    fn tokens(&self, width: usize) -> u128 {
        self.load.tokens() as u128 * width as u128
    }

    fn examples(&self, width: usize) -> u128 {
        self.load.examples() as u128 * width as u128
    }

    fn tasks(&self, width: usize) -> u128 {
        self.program.tasks.len() as u128 * width as u128
    }

    /// 1 where something is dropped.
    fn dropout(&self) -> usize {
        usize::from(self.program.training.dropout > 0.0)
    }
}

/// Numbers a token in a layer without a tape: its input, query, key, value, context, attention's output, both norms'
/// outputs and the feed-forward part's, and that part before and after GELU.
fn running(backbone: &Backbone) -> usize {
    9 * backbone.hidden + 2 * backbone.ffn
}

/// The constant part's output for all candidates.
fn scored(program: &Program, candidates: Candidates, length: usize) -> u128 {
    match program.embeddings.flow {
        Flow::Constant => candidates.all() as u128 * length as u128 * program.backbone.hidden as u128,
        _ => 0,
    }
}

fn scoring(program: &Program, candidates: Candidates, length: usize) -> u128 {
    let (_, largest) = candidates.chunks(length);
    // a bottleneck beside the layer: its modulated input, and before and after GELU
    let bottleneck = |layer: &Layer| layer.bottleneck.map(|Width(width)| program.backbone.hidden + 2 * width);
    let beside = program.layers.iter().filter_map(bottleneck).max().unwrap_or(0);
    let run = running(&program.backbone) + beside;
    scored(program, candidates, length) + largest as u128 * length as u128 * run as u128
}

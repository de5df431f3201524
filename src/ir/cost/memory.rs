//! Bytes: of the parameters exactly, of activations as the operations in `kernels/cpu` keep them for backward.
//!
//! All numbers are `f32`. An operation's output stays as long as a backward half on the tape refers to it; with what
//! the operations keep besides, a layer on the tape holds for its tokens:
//!
//! | | |
//! |---|---|
//! | query, key and value of each token | `[tokens, 3 hidden]` |
//! | what the tokens attend to | `[tokens, hidden]` |
//! | two norms: normalized input and output, inverse deviations | 4 x `[tokens, hidden]`, 2 x `[tokens]` |
//! | feed-forward part: what enters GELU | `[tokens, ffn]` |
//!
//! In a last layer of which only `[CLS]` is made ([`is_finish`]) all but key and value are of the examples.
//!
//! Softmax, GELU's output and dropout's are made again. Its input is the output of the part below. The constant part keeps nothing but its output.

use super::{ByComponent, Candidates, Load, is_finish};
use crate::ir::{Backbone, Blocks, Component, Fidelity, Flow, Layer, ParameterCount, Program, Width};

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
    /// Of weights.
    gradients: u128,
    /// Gradients of activations where backward needs most, less what has been freed by then.
    passing: i128,
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
        let tasks = &self.program.tasks;
        let rows: usize = tasks.iter().map(|task| task.kind.rows(self.load.length)).sum(); // of an example a task
        let heads = self.examples((1 + self.dropout()) * hidden) * rows as u128 / tasks.len().max(1) as u128;
        last.kept.push((Component::Heads, heads));

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
        let stages = self.stages();
        let mut kept: u128 = stages.iter().flat_map(|stage| &stage.kept).map(|(_, numbers)| numbers).sum();
        let (mut gradients, mut peak) = (0, 0);
        for stage in stages.iter().rev() {
            gradients += stage.gradients;
            peak = peak.max((kept + gradients).saturating_add_signed(stage.passing));
            kept -= stage.kept.iter().map(|(_, numbers)| numbers).sum::<u128>();
        }
        let constant = match self.program.constant_part() {
            0 => 0,
            _ => self.tokens(running(&self.program.backbone)),
        };
        constant.max(peak)
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
        let Backbone { hidden, ffn, .. } = self.program.backbone;
        let Layer { attention, norm, bottleneck, .. } = self.program.layers[index];
        let own = match is_finish(self.program, index) {
            true => self.tokens(2 * hidden) + self.examples(6 * hidden + ffn + 2),
            false => self.tokens(8 * hidden + ffn + 2),
        };
        let mut kept = vec![(Component::Layers, own)];
        if let Some(blocks) = attention {
            kept.push((Component::Attention, self.attention_bias(blocks)));
        }
        if norm {
            kept.push((Component::Norm, 2 * self.norm()));
        }
        if let Some(width) = bottleneck {
            let of_rows = match is_finish(self.program, index) {
                true => self.examples(self.bottleneck(width) + self.own_norm()),
                false => self.tokens(self.bottleneck(width) + self.own_norm()),
            };
            let generated = self.film() + if self.has_own_norm() { self.norm() } else { 0 };
            kept.push((Component::Bottleneck, of_rows + generated));
        }
        if let Some(ladder) = self.program.ladder.as_ref().filter(|ladder| ladder.layers.contains(&index)) {
            kept.push((Component::Bottleneck, self.tokens(self.bottleneck(ladder.width)) + self.film()));
        }
        Stage { kept, gradients: 0, passing: self.passing(index) }
    }

    /// Backward needs most in the feed-forward part. Its output is freed for the gradients of that, of the residual
    /// connection and of what enters GELU. A bottleneck or a step of the ladder, which comes before, has been freed
    /// too. It leaves the gradient of what enters it, the ladder also of f_{i-1}; where there is a bottleneck, the norm
    /// and its output have gone with it. Within it there are three gradients, less the output, and that of its GELU.
    /// Where only `[CLS]` is made of a layer, it needs most for the gradients of its input, key and value.
    fn passing(&self, index: usize) -> i128 {
        let Backbone { hidden, ffn, .. } = self.program.backbone;
        let (hidden, ffn) = (hidden as i128, ffn as i128);
        if is_finish(self.program, index) {
            return self.load.tokens() as i128 * 3 * hidden;
        }
        let ladder = self.program.ladder.as_ref().filter(|ladder| ladder.layers.contains(&index));
        let width = match (self.program.layers[index].bottleneck, ladder) {
            (Some(Width(width)), _) => (2 * hidden + width as i128).max(ffn - 2 * hidden - width as i128),
            (None, Some(ladder)) => ffn - ladder.width.0 as i128,
            (None, None) => hidden + ffn,
        };
        self.load.tokens() as i128 * width
    }

    /// Of a row the input and the modulated input, hidden each; what enters GELU, width. The input is the feed-forward
    /// part's output, on the ladder h_i + f_{i-1}.
    fn bottleneck(&self, Width(width): Width) -> usize {
        2 * self.program.backbone.hidden + width
    }

    /// In the authors' code a bottleneck in a layer has a norm of its own: what it normalizes, normalized, its output.
    fn own_norm(&self) -> usize {
        if self.has_own_norm() { 3 * self.program.backbone.hidden + 1 } else { 0 }
    }

    fn has_own_norm(&self) -> bool {
        self.program.fidelity == Fidelity::Reference
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

/// Numbers a token in a layer without a tape: at attention its input, query, key, value and what the tokens attend to.
/// Behind it lie no more: in the feed-forward part the first and the last of these, its input and its output.
fn running(backbone: &Backbone) -> usize {
    5 * backbone.hidden
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
    // a bottleneck's input and its modulated input, with the feed-forward part's four; beside a ladder the last step's f
    let is_beside =
        |(index, layer): (usize, &Layer)| layer.bottleneck.is_some() && !is_finish(program, index);
    let has_bottleneck = program.layers.iter().enumerate().any(is_beside);
    let beside = if has_bottleneck || program.ladder.is_some() { program.backbone.hidden } else { 0 };
    let scored = scored(program, candidates, length);
    // the input of the first layer behind the constant part is that part's output
    let behind = (program.constant_part()..program.layers.len()).filter(|&index| !is_finish(program, index));
    let shared = if scored > 0 && behind.count() < 2 { program.backbone.hidden } else { 0 };
    let run = running(&program.backbone) + beside - shared;
    scored + largest as u128 * length as u128 * run as u128
}

//! What a [`Program`] costs to train: matrix products ([`Flops`]) and bytes ([`Memory`]), component by component.
//!
//! Everything is a function of the program and a [`Load`]; nothing is measured. Of the figures
//!
//! - *exact* are the parameters, and with them weights, gradients and moments; and the matrix products of a forward run
//!   over examples of the load's length;
//! - *exact for a load that is as even as assumed* are the products of a step and of scoring: all examples have the
//!   load's length, and all tasks the same share of the batch. (Attention costs the square of a length, so lengths
//!   that differ cost more than their mean.)
//! - *estimates* are activations and what else lies in memory for a while: they follow what the operations of the
//!   CPU keep (`kernels/cpu`), but not what the allocator, the data and the program itself take. A counting allocator
//!   holds them within a tenth (`tests/estimates`).
//!
//! | file | holds |
//! |---|---|
//! | `flops` | which products there are, and how often each is computed |
//! | `memory` | what lies in memory, and when |
//! | `sharing` | one model of many tasks against a model a task |

mod flops;
mod memory;
mod sharing;

use std::fmt;

use serde::{Serialize, Serializer, ser::SerializeStruct};

use super::{Batch, Component, ParameterCount, Program, Sampler, Uncertainty};

pub use flops::Flops;
pub use memory::Memory;
pub use sharing::{Sharing, fine_tuned};

/// The most tokens that are scored at once: `train::batches::CHUNK` of the runtime.
pub const CHUNK: usize = 4096;

/// What a step has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// A step's; at least one example.
    pub batch: Batch,
    /// Mean length of an example in word pieces; 1 up to the program's `sequence`.
    pub length: usize,
}

impl Load {
    /// The program's own batch, of the longest examples.
    pub fn of(program: &Program) -> Self {
        Self { batch: program.training.batch, length: program.sequence }
    }

    /// Of a budget, the examples that it has room for.
    pub fn examples(self) -> usize {
        match self.batch {
            Batch::Examples(count) => count,
            Batch::Tokens(count) => count / self.length,
        }
    }

    /// A budget is used up.
    pub fn tokens(self) -> usize {
        match self.batch {
            Batch::Examples(count) => count * self.length,
            Batch::Tokens(count) => count,
        }
    }
}

impl fmt::Display for Load {
    /// "32 examples of 128 word pieces", "4096 tokens in examples of 128 word pieces".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.batch {
            Batch::Examples(count) => write!(f, "{count} examples of {} word pieces", self.length),
            Batch::Tokens(count) => write!(f, "{count} tokens in examples of {} word pieces", self.length),
        }
    }
}

impl Serialize for Load {
    /// `{ "batch": 32, "length": 128 }`; of a budget `tokens` in place of `batch`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Load", 2)?;
        match self.batch {
            Batch::Examples(count) => fields.serialize_field("batch", &count)?,
            Batch::Tokens(count) => fields.serialize_field("tokens", &count)?,
        }
        fields.serialize_field("length", &self.length)?;
        fields.end()
    }
}

/// All of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Cost {
    pub load: Load,
    pub parameters: ParameterCount,
    pub flops: Flops,
    pub memory: Memory,
}

impl Cost {
    pub fn of(program: &Program, load: Load) -> Self {
        Self {
            load,
            parameters: ParameterCount::of(program),
            flops: Flops::of(program, load),
            memory: Memory::of(program, load),
        }
    }
}

/// A number a component; beyond `u64::MAX` it stays there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ByComponent([u64; Component::ALL.len()]);

impl ByComponent {
    pub fn of(&self, component: Component) -> u64 {
        self.0[component as usize]
    }

    pub fn total(&self) -> u64 {
        self.0.iter().fold(0, |sum, &part| sum.saturating_add(part))
    }

    /// In the order of the network.
    pub fn iter(&self) -> impl Iterator<Item = (Component, u64)> {
        Component::ALL.into_iter().zip(self.0)
    }

    fn add(&mut self, component: Component, amount: u128) {
        let part = &mut self.0[component as usize];
        *part = part.saturating_add(u64::try_from(amount).unwrap_or(u64::MAX));
    }
}

/// What MT-Uncertainty scores at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Candidates {
    /// Of each scored task.
    each: usize,
    /// Tasks with an entropy of their own; the others borrow their scores and are not run.
    tasks: usize,
    /// Steps that train on them: as `rescore` says, or as many as there are enough for.
    steps: usize,
}

impl Candidates {
    fn of(program: &Program, load: Load) -> Self {
        let scored = program.tasks.iter().filter(|task| task.uncertainty == Uncertainty::Entropy).count();
        match program.training.sampler {
            Sampler::MtUncertainty { candidates, rescore } => {
                let all = candidates * program.tasks.len();
                let lasts = match load.batch {
                    Batch::Examples(count) => all / count,
                    Batch::Tokens(count) => all * load.length / count,
                };
                Self { each: candidates, tasks: scored, steps: rescore.min(lasts).max(1) }
            }
            Sampler::Proportional | Sampler::Uniform | Sampler::Temperature { .. } | Sampler::Sequential => {
                Self { each: 0, tasks: 0, steps: 1 }
            }
        }
    }

    fn all(self) -> usize {
        self.each * self.tasks
    }

    /// Forward runs, for candidates of `length` tokens, and the candidates of the largest.
    fn chunks(self, length: usize) -> (usize, usize) {
        let largest = (CHUNK / length.max(1)).clamp(1, self.all().max(1));
        (self.all().div_ceil(largest), largest.min(self.all()))
    }
}

/// Whether of this layer only what heads read is made: the last one, where all heads read `[CLS]`.
fn is_finish(program: &Program, index: usize) -> bool {
    let reads_tokens = program.tasks.iter().any(|task| task.kind.reads_tokens());
    let is_last = index + 1 == program.layers.len() && index >= program.constant_part();
    let is_beside_ladder = program.ladder.as_ref().is_some_and(|ladder| ladder.layers.contains(&index));
    is_last && !is_beside_ladder && !reads_tokens
}

/// What of a load has not been through the constant part before the step begins: all that was not scored.
///
/// That are the tasks that borrow their scores, whose examples are expected to be picked as often as others.
fn fresh(program: &Program, load: Load) -> Load {
    let scored = Candidates::of(program, load).tasks;
    let rest = |count: usize| count - count * scored / program.tasks.len();
    let batch = match load.batch {
        Batch::Examples(count) => Batch::Examples(rest(count)),
        Batch::Tokens(count) => Batch::Tokens(rest(count)),
    };
    Load { batch, ..load }
}

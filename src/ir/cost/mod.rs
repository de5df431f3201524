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

use super::{Component, ParameterCount, Program, Sampler, Uncertainty};

pub use flops::Flops;
pub use memory::Memory;
pub use sharing::{Sharing, fine_tuned};

/// The most tokens that are scored at once: `train::batches::CHUNK` of the runtime.
pub const CHUNK: usize = 4096;

/// What a step has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// Examples a step; at least 1.
    pub batch: usize,
    /// Mean length of an example in word pieces; 1 up to the program's `sequence`.
    pub length: usize,
}

impl Load {
    /// The program's own batch, of the longest examples.
    pub fn of(program: &Program) -> Self {
        Self { batch: program.training.batch, length: program.sequence }
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

/// What MT-Uncertainty scores in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Candidates {
    /// Of each scored task.
    each: usize,
    /// Tasks with an entropy of their own; the others borrow their scores and are not run.
    tasks: usize,
}

impl Candidates {
    fn of(program: &Program) -> Self {
        let scored = program.tasks.iter().filter(|task| task.uncertainty == Uncertainty::Entropy).count();
        match program.training.sampler {
            Sampler::MtUncertainty { candidates } => Self { each: candidates, tasks: scored },
            Sampler::Proportional => Self { each: 0, tasks: 0 },
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

/// How many of a batch's examples have been through the constant part before the step begins: all that were scored.
///
/// The others are the tasks' that borrow their scores, expected to be picked as often as the rest.
fn shared_examples(program: &Program, batch: usize) -> usize {
    let candidates = Candidates::of(program);
    batch * candidates.tasks / program.tasks.len()
}

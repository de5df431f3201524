//! What a training needs of a GPU's memory, for who has not enough: an estimate, and the batch that would fit.
//!
//! `camtlc stats` estimates what the CPU's operations keep. Those of CUDA keep, with t tokens, p tokens padded to the
//! longest, s = sequences * heads * longest^2 scores, hidden h and ffn f:
//!
//! | of a layer | numbers |
//! |---|---|
//! | heads put together and the outputs of both halves, each with its gradient | 6 t h |
//! | what both norms normalize | 2 t h |
//! | query, key, value by heads | 3 p h |
//! | softmax, and what dropout leaves of it | 2 s |
//! | the feed-forward part before and behind GELU | 2 t f |
//!
//! and, while backward is in a layer, 7 p h + t f + s for it. With the weights and, of those that are trained, a
//! gradient and two moments, that is all; in mixed precision it is less.

#[cfg(feature = "cuda")]
use std::sync::OnceLock;

use miette::Diagnostic;
use thiserror::Error;

use crate::train::plan::{Backbone, Batch};
#[cfg(feature = "cuda")]
use crate::train::plan::{Plan, Training};

/// What the estimate is of.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Numbers.
    pub parameters: u64,
    pub trained: u64,
    pub backbone: Backbone,
    pub sequence: usize,
    pub batch: Batch,
    /// A training that goes on, whose settings stay.
    pub resumed: bool,
}

impl Load {
    #[cfg(feature = "cuda")]
    pub fn of(plan: &Plan, training: &Training, parameters: u64, trained: u64, resumed: bool) -> Self {
        let Plan { backbone, sequence, .. } = *plan;
        Self { parameters, trained, backbone, sequence, batch: training.batch, resumed }
    }

    /// Bytes, whatever the batch.
    fn fixed(&self) -> u64 {
        4 * (self.parameters + 3 * self.trained)
    }

    /// Bytes of an example as long as may be; nothing is padded then.
    fn example(&self) -> u64 {
        let Backbone { layers, hidden, heads, ffn, .. } = self.backbone;
        let [layers, hidden, heads, ffn, length] =
            [layers, hidden, heads, ffn, self.sequence].map(|size| size as u64);
        let scores = heads * length;
        4 * length * (layers * (11 * hidden + 2 * ffn + 2 * scores) + 7 * hidden + ffn + scores)
    }

    fn examples(&self) -> u64 {
        match self.batch {
            Batch::Examples(count) => count as u64,
            Batch::Tokens(count) => (count / self.sequence.max(1)) as u64,
        }
    }

    /// The value of `batch` that would fit, and whether any does.
    fn fitting(&self, memory: u64) -> Option<String> {
        // a tenth for the driver, its kernels and what is too small to count
        let room = (memory / 10 * 9).checked_sub(self.fixed())?;
        let examples = (room / self.example().max(1)).min(self.examples().saturating_sub(1));
        match self.batch {
            _ if examples == 0 => None,
            Batch::Examples(_) => Some(examples.to_string()),
            Batch::Tokens(_) => Some(format!("{}tokens", examples * self.sequence as u64)),
        }
    }
}

/// Of the training that runs.
#[cfg(feature = "cuda")]
static LOAD: OnceLock<Load> = OnceLock::new();

/// Remembers what is about to be trained, for [`out_of_memory`]. A process trains once.
#[cfg(feature = "cuda")]
pub fn remember(load: Load) {
    let _ = LOAD.set(load);
}

/// `free` bytes of `total` were there when the GPU was opened.
#[cfg(feature = "cuda")]
pub fn out_of_memory(free: u64, total: u64) -> OutOfMemory {
    match LOAD.get() {
        Some(load) => of_training(load, free, total),
        None => OutOfMemory {
            what: format!("{} of its {} were free", gibi(free), gibi(total)),
            help: "`nvidia-smi` shows what else uses the GPU; `--device cpu` computes without it".to_owned(),
        },
    }
}

fn of_training(load: &Load, free: u64, total: u64) -> OutOfMemory {
    let needed = load.fixed() + load.examples() * load.example();
    let what = format!(
        "training takes about {} with {} of {} word pieces, and {} of its {} were free",
        gibi(needed),
        match load.examples() {
            1 => "one example".to_owned(),
            count => format!("{count} examples"),
        },
        load.sequence,
        gibi(free),
        gibi(total),
    );
    let fitting = match load.fitting(free) {
        Some(batch) if load.resumed => format!(
            "`train FILE --from RUN --set batch={batch}` would fit by the same estimate; a training that goes on keeps its batch"
        ),
        Some(batch) => format!(
            "`--set batch={batch}` would fit by the same estimate; candidates of a sampler are run in parts and need no change"
        ),
        None => format!(
            "no batch would fit: {} are weights, gradients and moments; freeze more, or take a smaller backbone",
            gibi(load.fixed())
        ),
    };
    let help = if free < total / 10 * 9 {
        format!("{fitting}; `nvidia-smi` shows what else uses the GPU")
    } else {
        fitting
    };
    OutOfMemory { what, help }
}

fn gibi(bytes: u64) -> String {
    format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30))
}

#[derive(Clone, Debug, PartialEq, Eq, Error, Diagnostic)]
#[error("the GPU's memory does not suffice: {what}")]
#[diagnostic(code(device::memory))]
pub struct OutOfMemory {
    what: String,
    #[help]
    help: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::plan::{Family, Origin};

    fn bert_base(batch: Batch) -> Load {
        let backbone = Backbone {
            family: Family::Bert,
            origin: Origin::Checkpoint("bert-base-cased"),
            layers: 12,
            hidden: 768,
            heads: 12,
            ffn: 3072,
            vocab: 28996,
            positions: 512,
            token_types: 2,
        };
        Load { parameters: 130_000_000, trained: 65_000_000, backbone, sequence: 128, batch, resumed: false }
    }

    #[test]
    fn the_batch_that_is_named_fits_and_one_more_does_not() {
        let load = bert_base(Batch::Examples(32));
        let memory = 4 << 30;
        let batch: u64 = load.fitting(memory).expect("some fit").parse().expect("a number");
        assert!((1..32).contains(&batch), "{batch}");
        let room = memory / 10 * 9;
        assert!(load.fixed() + batch * load.example() <= room);
        assert!(load.fixed() + (batch + 1) * load.example() > room);
        assert_eq!(load.fitting(1 << 30), None, "not even the weights");

        let tokens = bert_base(Batch::Tokens(4096)).fitting(memory);
        assert_eq!(tokens, Some(format!("{}tokens", batch * 128)));
    }

    #[test]
    fn a_batch_that_should_have_fitted_is_made_smaller_all_the_same() {
        assert_eq!(bert_base(Batch::Examples(4)).fitting(1 << 40), Some("3".to_owned()));
        assert_eq!(bert_base(Batch::Examples(1)).fitting(1 << 40), None);
    }

    #[test]
    fn the_message_says_how_much_and_what_to_do() {
        let error = of_training(&bert_base(Batch::Examples(32)), 4 << 30, 24 << 30);
        assert!(
            error.to_string().contains("32 examples of 128 word pieces, and 4.0 GiB of its 24.0 GiB"),
            "{error}"
        );
        assert!(error.help.contains("--set batch=") && error.help.contains("nvidia-smi"), "{}", error.help);
        let resumed = Load { resumed: true, ..bert_base(Batch::Examples(32)) };
        let help = of_training(&resumed, 4 << 30, 24 << 30).help;
        assert!(help.starts_with("`train FILE --from RUN --set batch="), "{help}");
    }
}

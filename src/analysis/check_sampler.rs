//! `sampler`: how batches are drawn from the tasks, and whether enough is drawn.

use miette::Diagnostic;
use thiserror::Error;

use super::{settings::Settings, values};
use crate::{
    diagnostics::{Diagnostics, did_you_mean},
    ir::Sampler,
    span::{Span, Spanned},
    syntax::ast::Word,
};

const CANDIDATES: usize = 1_000_000;

/// MT-Uncertainty unless the file says otherwise, with as many candidates a task as the batch has examples.
pub fn read_sampler(
    settings: &Settings,
    batch: Option<(usize, Option<Span>)>,
    tasks: usize,
    sink: &mut Diagnostics,
) -> Option<Sampler> {
    let Some(entry) = settings.get("sampler") else {
        let default = Sampler::MtUncertainty { candidates: batch?.0 };
        return settings.lacks("sampler").then_some(default);
    };
    let word = values::word(entry, sink)?;
    let keys: &[&str] = if word.text == "mt_uncertainty" { &["candidates"] } else { &[] };
    match word.text.as_str() {
        "mt_uncertainty" => {
            let options = Settings::of_options("`sampler mt_uncertainty`", entry.body.as_ref(), keys, sink);
            let Some(_) = options.get("candidates") else {
                return Some(Sampler::MtUncertainty { candidates: batch?.0 });
            };
            let candidates = options.size("candidates", CANDIDATES, sink)?;
            if let Some(batch) = batch {
                check_candidates(candidates, batch, tasks, sink);
            }
            Some(Sampler::MtUncertainty { candidates: candidates.value })
        }
        "proportional" => {
            Settings::of_options("`sampler proportional`", entry.body.as_ref(), keys, sink);
            Some(Sampler::Proportional)
        }
        _ => unknown_sampler(word, sink),
    }
}

fn unknown_sampler(word: &Word, sink: &mut Diagnostics) -> Option<Sampler> {
    let help = did_you_mean(&word.text, &["mt_uncertainty", "proportional"]);
    sink.push(UnknownSampler { sampler: word.text.clone(), help, span: word.span });
    None
}

/// The batch is chosen from the candidates of all tasks, so there have to be enough of them.
fn check_candidates(
    candidates: Spanned<usize>,
    (batch, batch_span): (usize, Option<Span>),
    tasks: usize,
    sink: &mut Diagnostics,
) {
    let all = candidates.value.saturating_mul(tasks);
    if tasks > 0 && all < batch {
        sink.push(FewCandidates {
            each: candidates.value,
            tasks,
            all,
            batch,
            least: batch.div_ceil(tasks),
            candidates: candidates.span,
            batch_span,
        });
    }
}

#[derive(Debug, Error, Diagnostic)]
#[error("no sampler is called `{sampler}`")]
#[diagnostic(code(cam::sampler::unknown), help("{help}"))]
struct UnknownSampler {
    sampler: String,
    help: String,
    #[label("unknown sampler")]
    span: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("{each} candidates of each of {tasks} tasks are {all}, fewer than the batch of {batch}")]
#[diagnostic(
    code(cam::sampler::candidates),
    help("at least `candidates {least}`, which leaves no choice; the paper draws `candidates {batch}`")
)]
struct FewCandidates {
    each: usize,
    tasks: usize,
    all: usize,
    batch: usize,
    least: usize,
    #[label(primary, "too few")]
    candidates: Span,
    #[label("for this batch")]
    batch_span: Option<Span>,
}

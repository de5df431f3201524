//! `sampler`: how batches are drawn from the tasks, and whether enough is drawn.

use miette::Diagnostic;
use thiserror::Error;

use super::{check_batch::Chosen, check_training::STEPS, settings::Settings, values};
use crate::{
    diagnostics::{Diagnostics, did_you_mean},
    ir::{Batch, Sampler},
    span::{Span, Spanned},
    syntax::ast::{Entry, Value, Word},
};

const CANDIDATES: usize = 1_000_000;

/// The largest `cap`: no task has more examples that tokens are kept of.
const CAP: usize = 1 << 31;

/// The largest temperature: a task a million times another's size has a share one and a half in a hundred larger.
const HOTTEST: f64 = 1000.0;

/// MT-Uncertainty unless the file says otherwise, with as many candidates a task as the batch has examples.
pub fn read_sampler(
    settings: &Settings,
    batch: Option<Chosen>,
    sequence: Option<Spanned<usize>>,
    tasks: usize,
    sink: &mut Diagnostics,
) -> Option<Sampler> {
    let Some(entry) = settings.get("sampler") else {
        if !settings.lacks("sampler") {
            return None;
        }
        let candidates = default_candidates(batch?, None, sequence, sink)?;
        return Some(Sampler::MtUncertainty { candidates, rescore: 1 });
    };
    let body = entry.body.as_ref();
    if let [Value::Word(word), rest @ ..] = entry.values.as_slice()
        && word.text == "temperature"
    {
        return read_temperature(entry, rest, sink);
    }
    let word = values::word(entry, sink)?;
    match word.text.as_str() {
        "mt_uncertainty" => {
            let options =
                Settings::of_options("`sampler mt_uncertainty`", body, &["candidates", "rescore"], sink);
            let rescore = match options.plain("rescore", sink) {
                Some(entry) => read_rescore(entry, sink).map(Some),
                None => options.lacks("rescore").then_some(None),
            };
            let is_given = options.get("candidates").is_some();
            let candidates = match is_given {
                true => options.size("candidates", CANDIDATES, sink)?,
                false if !options.lacks("candidates") => return None,
                false => {
                    let count = default_candidates(batch?, Some(entry.span), sequence, sink)?;
                    Spanned::new(count, entry.span)
                }
            };
            let (batch, rescore) = (batch?, rescore?);
            let drawn = Drawn { candidates, is_given, tasks };
            if check_candidates(drawn, batch, sequence, sink)
                && let Some(rescore) = rescore
            {
                check_rescore(rescore, drawn, batch, sink);
            }
            let rescore = rescore.map_or(1, |every| every.value);
            Some(Sampler::MtUncertainty { candidates: candidates.value, rescore })
        }
        "proportional" => {
            Settings::of_options("`sampler proportional`", body, &[], sink);
            Some(Sampler::Proportional)
        }
        "uniform" => {
            Settings::of_options("`sampler uniform`", body, &[], sink);
            Some(Sampler::Uniform)
        }
        "sequential" => {
            Settings::of_options("`sampler sequential`", body, &[], sink);
            Some(Sampler::Sequential)
        }
        _ => unknown_sampler(word, sink),
    }
}

/// `temperature 5`, `temperature 5 { cap 65536 }`
fn read_temperature(entry: &Entry, rest: &[Value], sink: &mut Diagnostics) -> Option<Sampler> {
    let options = Settings::of_options("`sampler temperature`", entry.body.as_ref(), &["cap"], sink);
    let cap = match options.get("cap") {
        Some(_) => options.size("cap", CAP, sink).map(|cap| Some(cap.value)),
        None => options.lacks("cap").then_some(None),
    };
    let [Value::Number(number)] = rest else {
        return values::report(entry, "a number after `temperature`", "`sampler temperature 5`", sink);
    };
    let Spanned { value: temperature, span } = values::decimal_of("sampler temperature", number, sink)?;
    if !(1.0..=HOTTEST).contains(&temperature) {
        sink.push(Temperature::new(&number.text, temperature, span));
        return None;
    }
    Some(Sampler::Temperature { temperature, cap: cap? })
}

/// As many as the batch has examples. Nothing is right for every budget: how many examples it holds is the data's.
fn default_candidates(
    Chosen { batch, span }: Chosen,
    sampler: Option<Span>,
    sequence: Option<Spanned<usize>>,
    sink: &mut Diagnostics,
) -> Option<usize> {
    let budget = match batch {
        Batch::Examples(count) => return Some(count),
        Batch::Tokens(budget) => budget,
    };
    let fit = budget / sequence?.value;
    let (place, also) = match sampler {
        Some(sampler) => (Some(sampler), span),
        None => (span, None),
    };
    sink.push(NoCandidates { budget, fit, place, also });
    None
}

/// `rescore every 4`
fn read_rescore(entry: &Entry, sink: &mut Diagnostics) -> Option<Spanned<usize>> {
    match entry.values.as_slice() {
        [Value::Word(word), Value::Number(number)] if word.text == "every" => {
            let every = values::size_of("rescore every", number, STEPS, sink)?;
            Some(Spanned::new(every.value, entry.span))
        }
        _ => values::report(entry, "a number of steps after `every`", "`rescore every 4`", sink),
    }
}

fn unknown_sampler(word: &Word, sink: &mut Diagnostics) -> Option<Sampler> {
    let help = did_you_mean(&word.text, &Sampler::NAMES);
    sink.push(UnknownSampler { sampler: word.text.clone(), help, span: word.span });
    None
}

/// What is drawn for a scoring.
#[derive(Clone, Copy)]
struct Drawn {
    /// Of each task.
    candidates: Spanned<usize>,
    /// Is it written, or does it follow the batch?
    is_given: bool,
    tasks: usize,
}

impl Drawn {
    fn all(self) -> usize {
        self.candidates.value.saturating_mul(self.tasks)
    }
}

/// The batch is chosen from the candidates of all tasks, so there have to be enough of them, for a budget at least
/// where all are as long as can be.
fn check_candidates(
    drawn: Drawn,
    batch: Chosen,
    sequence: Option<Spanned<usize>>,
    sink: &mut Diagnostics,
) -> bool {
    let Drawn { candidates, is_given, tasks } = drawn;
    let each = candidates.value;
    let all = drawn.all();
    if !is_given || tasks == 0 {
        return true;
    }
    let (what, help) = match (batch.batch, sequence) {
        (Batch::Examples(count), _) if all < count => (
            format!("fewer than the batch of {count}"),
            format!(
                "at least `candidates {}`, which leaves no choice; the paper draws `candidates {count}`",
                count.div_ceil(tasks)
            ),
        ),
        (Batch::Tokens(budget), Some(Spanned { value: length, .. }))
            if all.saturating_mul(length) < budget =>
        {
            let least = budget.div_ceil(tasks.saturating_mul(length));
            (
                format!("of at most {} tokens, fewer than the batch of {budget}", all * length),
                format!("at least `candidates {least}`, which leaves no choice even of the longest examples"),
            )
        }
        _ => return true,
    };
    sink.push(FewCandidates { each, tasks, all, what, help, candidates: candidates.span, batch: batch.span });
    false
}

/// All steps of a scoring train on its candidates, each on others. Of a budget the data decide, and scoring comes
/// earlier where they are not enough.
fn check_rescore(rescore: Spanned<usize>, drawn: Drawn, batch: Chosen, sink: &mut Diagnostics) {
    let Batch::Examples(count) = batch.batch else { return };
    let (every, all) = (rescore.value, drawn.all());
    let need = every.saturating_mul(count);
    if drawn.tasks == 0 || need <= all {
        return;
    }
    let mut legal = vec![format!("`rescore every {}`", all / count)];
    let enough = need.div_ceil(drawn.tasks);
    if enough <= CANDIDATES {
        legal.push(format!("`candidates {enough}`"));
    }
    // By default the candidates are as many as the batch has examples, and a smaller one changes nothing.
    if drawn.is_given && all >= every {
        legal.push(format!("`batch {}`", all / every));
    }
    sink.push(LongRescore {
        every,
        count,
        need,
        all,
        legal: legal.join(" or "),
        rescore: rescore.span,
        batch: batch.span,
    });
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
#[error("`temperature {text}` is not between 1 and {HOTTEST}")]
#[diagnostic(code(cam::sampler::temperature), help("{help}"))]
struct Temperature {
    text: String,
    help: &'static str,
    #[label("outside of it")]
    span: Span,
}

impl Temperature {
    fn new(text: &str, temperature: f64, span: Span) -> Self {
        let help = match temperature > HOTTEST {
            true => "`sampler uniform` gives every task the same share",
            false => "nearest legal: `temperature 1`, which is `sampler proportional`",
        };
        Self { text: text.to_owned(), help, span }
    }
}

#[derive(Debug, Error, Diagnostic)]
#[error("a batch of {budget} tokens does not say how many candidates are drawn")]
#[diagnostic(
    code(cam::sampler::budget),
    help(
        "`sampler mt_uncertainty {{ candidates {fit} }}` draws as many of each task as the batch holds \
         of the longest examples; of shorter ones it holds more"
    )
)]
struct NoCandidates {
    budget: usize,
    fit: usize,
    #[label(primary, "no `candidates`")]
    place: Option<Span>,
    #[label("counted in tokens")]
    also: Option<Span>,
}

#[derive(Debug, Error, Diagnostic)]
#[error("{each} candidates of each of {tasks} tasks are {all}, {what}")]
#[diagnostic(code(cam::sampler::candidates), help("{help}"))]
struct FewCandidates {
    each: usize,
    tasks: usize,
    all: usize,
    what: String,
    help: String,
    #[label(primary, "too few")]
    candidates: Span,
    #[label("for this batch")]
    batch: Option<Span>,
}

#[derive(Debug, Error, Diagnostic)]
#[error("{every} steps of {count} examples train on {need} candidates, and {all} are drawn")]
#[diagnostic(code(cam::sampler::rescore), help("nearest legal: {legal}"))]
struct LongRescore {
    every: usize,
    count: usize,
    need: usize,
    all: usize,
    legal: String,
    #[label(primary, "too many steps")]
    rescore: Span,
    #[label("of this size")]
    batch: Option<Span>,
}

//! `train`: every setting in its bounds, defaults where the file is silent.

use miette::Diagnostic;
use thiserror::Error;

use super::{
    check_batch::read_batch, check_cache::read_cache, check_optimizer::read_optimizer,
    check_sampler::read_sampler, settings::Settings, values,
};
use crate::{
    diagnostics::{Diagnostics, did_you_mean},
    ir::{Sampler, Schedule, Training, Warmup},
    span::{Span, Spanned},
    syntax::ast::{Amount, Entry, Value},
};

const KEYS: [&str; 11] = [
    "sampler",
    "batch",
    "epochs",
    "steps",
    "optimizer",
    "schedule",
    "clip",
    "dropout",
    "evaluate",
    "seed",
    "cache",
];
pub const STEPS: usize = 1_000_000_000;

const DEFAULT_EPOCHS: usize = 3;
const DEFAULT_CLIP: f64 = 1.0;
const DEFAULT_DROPOUT: f64 = 0.1;
const DEFAULT_WARMUP: f64 = 0.1;
const DEFAULT_SEED: u64 = 42;

/// The settings, and the words that the sampler's later checks point at.
#[derive(Debug)]
pub struct Checked {
    /// `None` where a mistake was reported.
    pub training: Option<Training>,
    /// The sampler in effect; `None` where it is a mistake.
    pub sampler: Option<Sampler>,
    /// Where it was chosen; `None` by default.
    pub sampler_span: Option<Span>,
    /// Where a cache is asked for, or refused.
    pub cache_span: Option<Span>,
}

/// `entries`: those of all `train` blocks, merged; `None` where one could not be read. `tasks`: how many there are.
pub fn check_training(
    entries: Option<&[Entry]>,
    sequence: Option<Spanned<usize>>,
    tasks: usize,
    sink: &mut Diagnostics,
) -> Checked {
    let Some(entries) = entries else {
        return Checked { training: None, sampler: None, sampler_span: None, cache_span: None };
    };
    let settings = Settings::read("`train`", entries, &KEYS, sink);

    let batch = read_batch(&settings, sequence, sink);
    let epochs = or_default(&settings, "epochs", DEFAULT_EPOCHS, |s| s.size("epochs", STEPS, sink));
    let steps = match settings.get("steps") {
        Some(_) => settings.size("steps", STEPS, sink).map(|steps| Some(steps.value)),
        None => Some(None),
    };
    let seed = or_default(&settings, "seed", DEFAULT_SEED, |s| s.whole("seed", sink));
    let dropout = or_default(&settings, "dropout", DEFAULT_DROPOUT, |s| read_dropout(s, sink));
    let clip = match settings.plain("clip", sink) {
        Some(entry) => read_clip(entry, sink),
        None => Some(Some(DEFAULT_CLIP)),
    };
    let evaluate = settings.plain("evaluate", sink);
    let evaluate_every = evaluate.map_or(Some(None), |entry| read_evaluate(entry, sink).map(Some));
    let optimizer = read_optimizer(&settings, sink);
    let schedule = read_schedule(&settings, sink);
    let cache = settings.plain("cache", sink);
    let cache_span = cache.map(|entry| entry.span);
    let cache = cache.map_or(Some(None), |entry| read_cache(entry, sink));
    let sampler = read_sampler(&settings, batch, sequence, tasks, sink);

    check_length(&settings, steps.flatten(), schedule, sink);

    let training = (|| {
        Some(Training {
            sampler: sampler?,
            batch: batch?.batch,
            epochs: epochs?,
            steps: steps?,
            optimizer: optimizer?,
            schedule: schedule?,
            clip: clip?,
            dropout: dropout?,
            evaluate_every: evaluate_every?,
            seed: seed?,
            cache: cache?,
        })
    })();
    let sampler_span = settings.get("sampler").map(|entry| entry.span);
    Checked { training, sampler, sampler_span, cache_span }
}

/// The default where the key is absent; `None` where it or its value is a mistake.
fn or_default<'a, T>(
    settings: &Settings<'a>,
    key: &str,
    default: T,
    read: impl FnOnce(&Settings<'a>) -> Option<Spanned<T>>,
) -> Option<T> {
    match settings.get(key) {
        Some(_) => read(settings).map(|read| read.value),
        None => settings.lacks(key).then_some(default),
    }
}

/// `steps` against what else speaks of the run's length.
fn check_length(
    settings: &Settings,
    steps: Option<usize>,
    schedule: Option<Schedule>,
    sink: &mut Diagnostics,
) {
    let Some((entry, count)) = settings.get("steps").zip(steps) else { return };
    if let Some(epochs) = settings.get("epochs") {
        sink.push(UnusedEpochs { epochs: epochs.span, steps: entry.span });
    }
    if let Some(Schedule::Linear { warmup } | Schedule::Constant { warmup }) = schedule
        && let Warmup::Steps(warm) = warmup
        && warm >= count
        && let Some(schedule) = settings.get("schedule")
    {
        sink.push(LongWarmup { warm, count, schedule: schedule.span, steps: entry.span });
    }
}

fn read_dropout(settings: &Settings, sink: &mut Diagnostics) -> Option<Spanned<f64>> {
    let dropout = settings.decimal("dropout", sink)?;
    if (0.0..1.0).contains(&dropout.value) {
        return Some(dropout);
    }
    sink.push(Dropout { value: dropout.value, span: dropout.span });
    None
}

/// `clip 1.0` or `clip off`.
fn read_clip(entry: &Entry, sink: &mut Diagnostics) -> Option<Option<f64>> {
    match entry.values.as_slice() {
        [Value::Word(word)] if word.text == "off" => Some(None),
        [Value::Number(number)] => {
            let clip = values::decimal_of("clip", number, sink)?;
            if clip.value <= 0.0 {
                sink.push(Clip { value: clip.value, span: clip.span });
                return None;
            }
            Some(Some(clip.value))
        }
        _ => values::report(entry, "a number or `off`", "`clip 1.0` or `clip off`", sink),
    }
}

/// `evaluate every 200`
fn read_evaluate(entry: &Entry, sink: &mut Diagnostics) -> Option<usize> {
    match entry.values.as_slice() {
        [Value::Word(word), Value::Number(number)] if word.text == "every" => {
            values::size_of("evaluate every", number, STEPS, sink).map(|every| every.value)
        }
        _ => values::report(entry, "a number of steps after `every`", "`evaluate every 200`", sink),
    }
}

/// `schedule linear { warmup 10% }`
fn read_schedule(settings: &Settings, sink: &mut Diagnostics) -> Option<Schedule> {
    let Some(entry) = settings.get("schedule") else {
        return Some(Schedule::Linear { warmup: Warmup::Fraction(DEFAULT_WARMUP) });
    };
    let word = values::word(entry, sink);
    let options = Settings::of_options("`schedule`", entry.body.as_ref(), &["warmup"], sink);
    let warmup = match options.plain("warmup", sink) {
        Some(entry) => read_warmup(entry, sink),
        None => Some(Warmup::Fraction(DEFAULT_WARMUP)),
    };
    let word = word?;
    match word.text.as_str() {
        "linear" => Some(Schedule::Linear { warmup: warmup? }),
        "constant" => Some(Schedule::Constant { warmup: warmup? }),
        other => {
            let help = did_you_mean(other, &["linear", "constant"]);
            sink.push(UnknownSchedule { schedule: other.into(), help, span: word.span });
            None
        }
    }
}

/// `10%` of all steps, or `500` steps.
fn read_warmup(entry: &Entry, sink: &mut Diagnostics) -> Option<Warmup> {
    const TAKES: &str = "a share of all steps or a number of them";
    const RIGHT: &str = "`warmup 10%` or `warmup 500`";
    let [Value::Number(number)] = entry.values.as_slice() else {
        return values::report(entry, TAKES, RIGHT, sink);
    };
    match number.amount {
        Amount::Percent(percent) if (0.0..=100.0).contains(&percent) => {
            Some(Warmup::Fraction(percent / 100.0))
        }
        Amount::Percent(_) => {
            sink.push(Percent { text: number.text.clone(), span: number.span });
            None
        }
        Amount::Whole(0) => Some(Warmup::Steps(0)),
        Amount::Whole(_) => {
            values::size_of("warmup", number, STEPS, sink).map(|steps| Warmup::Steps(steps.value))
        }
        Amount::Decimal(_) => values::report(entry, TAKES, RIGHT, sink),
        Amount::Unclear => None,
    }
}

#[derive(Debug, Error, Diagnostic)]
#[error("no schedule is called `{schedule}`")]
#[diagnostic(code(cam::train::unknown_schedule), help("{help}"))]
struct UnknownSchedule {
    schedule: String,
    help: String,
    #[label("unknown schedule")]
    span: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("`epochs` has no effect beside `steps`")]
#[diagnostic(
    code(cam::train::unused_epochs),
    severity(Warning),
    help("one of the two says how long to train")
)]
struct UnusedEpochs {
    #[label(primary, "no effect")]
    epochs: Span,
    #[label("this decides")]
    steps: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("the warm-up of {warm} steps takes all {count} steps of the run")]
#[diagnostic(
    code(cam::train::long_warmup),
    severity(Warning),
    help("the learning rate never gets past its warm-up; `warmup 10%` is usual")
)]
struct LongWarmup {
    warm: usize,
    count: usize,
    #[label(primary, "as long as the run")]
    schedule: Span,
    #[label("the run")]
    steps: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("`{text}` is no share of all steps")]
#[diagnostic(code(cam::train::percent), help("from `0%` to `100%`, or a number of steps without `%`"))]
struct Percent {
    text: String,
    #[label("not between 0% and 100%")]
    span: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("dropout {value} is no probability below 1")]
#[diagnostic(code(cam::train::dropout), help("`dropout 0.1` is usual, `dropout 0` turns it off"))]
struct Dropout {
    value: f64,
    #[label("not in [0, 1)")]
    span: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("gradients cannot be clipped to the norm {value}")]
#[diagnostic(code(cam::train::clip), help("`clip 1.0` is usual, `clip off` turns it off"))]
struct Clip {
    value: f64,
    #[label("not above 0")]
    span: Span,
}

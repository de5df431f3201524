//! A training that was interrupted goes on, as if it had never stopped: same model, settings and data, from the last
//! checkpoint.
//!
//! Parameters, moments and the sampler's place come from the checkpoint; lines of the logs behind it are dropped, and
//! written again. On the same device the steps, evaluations and checkpoints that follow are those of a training without
//! an interruption, to the last bit.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use serde_json::Value;

use super::checkpoint::{self, Best, CheckpointError, State, Which};
use super::events::{self, Log};
use super::files::FileError;
use super::inputs::{Inputs, Reading};
use super::learner::Learner;
use super::network::Network;
use super::picks::{self, PickLog};
use super::plan::Plan;
use super::progress::Progress;
use super::run::{self, Resumed, Run};
use super::sampler::Sampler;
use super::trainer::{Outcome, Steps, TrainError, Trainer, cached, held, now, summary, tell_left_out};
use super::transfer;
use crate::data::Unreadable;

/// What is asked of a training that goes on; all else is in its run.
#[derive(Clone, Debug)]
pub struct Resume {
    /// The run's folder.
    pub run: PathBuf,
    /// The data folder, if not where it was.
    pub data: Option<PathBuf>,
    /// What is done about rows that cannot be read.
    pub unreadable: Unreadable,
    /// A folder for token caches, and for that of the constant layers; `None` to tokenize anew.
    pub cache: Option<PathBuf>,
    /// Where it computes, for the record.
    pub device: String,
}

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[non_exhaustive]
pub enum ResumeError {
    #[error("the training in `{}` has made all its {steps} steps", .folder.display())]
    #[diagnostic(
        code(resume::finished),
        help(
            "`train FILE --from {}` starts another one from what it learned, with the steps and the rate of its own",
            .folder.display()
        )
    )]
    Finished { folder: PathBuf, steps: usize },

    #[error("`{}` was interrupted before it had a checkpoint", .folder.display())]
    #[diagnostic(code(resume::none), help("there is nothing to go on from: train anew"))]
    NoCheckpoint { folder: PathBuf },

    #[error("the data are not those that the run was trained on:\n  {}", .differences.join("\n  "))]
    #[diagnostic(
        code(resume::data),
        help(
            "a training goes on with the same examples: name where they are with --data, or train anew with --from"
        )
    )]
    Data { differences: Vec<String> },

    #[error("the state in `{}` is not of this training", .folder.display())]
    #[diagnostic(
        code(resume::state),
        help(
            "the files of a checkpoint belong together, and to the settings in run.json: restore them, or train anew with --from"
        )
    )]
    State { folder: PathBuf },
}

/// Goes on with the run of `plan` that `options` name. Between two steps, a true `stop` ends it with a checkpoint.
///
/// # Errors
/// Whatever is wrong is found before anything of the run is changed; later errors are as those of
/// [`train`](super::train).
pub fn resume<N: Network>(
    plan: &'static Plan,
    mut network: N,
    options: &Resume,
    stop: &AtomicBool,
) -> Result<Outcome, TrainError> {
    let mut run = Run::open(&options.run, plan)?;
    let training = run.training()?;
    let folder = match checkpoint::find(&run.checkpoints(), Which::Last) {
        Err(CheckpointError::Missing { .. }) => {
            return Err(ResumeError::NoCheckpoint { folder: run.folder }.into());
        }
        found => found?,
    };
    if run.record.finished.is_some_and(|finished| !finished.interrupted) {
        return Err(ResumeError::Finished { folder: run.folder, steps: run.record.steps }.into());
    }
    let mut log = held(&run)?;

    run.tokenizer(plan)?; // that it is the run's
    let data = options.data.clone().unwrap_or_else(|| run.record.paths.data.clone());
    let cache = options.cache.as_deref();
    let reading = Reading { data: &data, unreadable: options.unreadable, cache };
    let inputs = Inputs::from_run(plan, reading, transfer::tokenizer(&run))?;
    let differences = differences(&run.record.data, &run::describe_data(plan, &inputs.train, &inputs.dev));
    if !differences.is_empty() {
        return Err(ResumeError::Data { differences }.into());
    }

    checkpoint::load(&folder, plan, &mut network.parameters())?;
    let state = State::read(&folder, plan.tasks, &network.parameters())?;
    let other = || ResumeError::State { folder: folder.clone() };
    let schedule = Steps::new(&training, &inputs.train);
    let of_these = state.used.iter().map(Vec::len).eq(inputs.train.sizes());
    if !of_these || state.seed != training.seed || state.step > schedule.total {
        return Err(other().into());
    }
    let network = cached(network, training, cache);
    let sampler = match &run.record.replayed {
        Some(log) => {
            let picks = picks::read(log, plan.tasks, &inputs.train, schedule.total)?;
            Sampler::replay(picks, state.step, training, &inputs.train)
        }
        None => {
            let position = state.sampler;
            Sampler::resume(position, &network, training, plan.tasks, &inputs.train).ok_or_else(other)?
        }
    };

    let step = state.step;
    log.cut(step)?;
    let mut evaluations = Log::open(&run.evaluations())?;
    evaluations.cut(step)?;
    let picks = match run.picks().exists() {
        true => Some(PickLog::resume(&run.picks(), step)?),
        false => None,
    };
    let before = seconds(&run.events())?;
    let evaluated = events::read(&run.evaluations())?;
    run.resume(Resumed { step, device: options.device.clone(), at: now() })?;
    let progress = Progress::new(schedule.total, step);
    progress.say(&summary(&run.record, &inputs));
    progress.say(&format!("{}: goes on behind step {step}", run.folder.display()));
    tell_left_out(plan, &inputs, &progress);
    let learner = Learner::resume(network, training, schedule.total, state.optimizer, state.loss_scale);
    let mut trainer = Trainer {
        plan,
        training,
        schedule,
        sampler,
        learner,
        run,
        log,
        evaluations,
        picks,
        progress,
        started: Instant::now(),
        before,
        done: step,
        used_count: state.used.iter().flatten().filter(|&&used| used).count(),
        used: state.used,
        best: best(&evaluated),
        train: inputs.train,
        dev: inputs.dev,
    };
    // where Ctrl-C came in the step that it was due after
    if schedule.evaluates(step) && !evaluated.iter().any(|line| line["step"] == step) {
        trainer.evaluate(step)?;
        trainer.save(step)?;
    }
    trainer.run(stop)
}

/// In which tasks' data two descriptions of [`run::describe_data`] differ.
fn differences(recorded: &Value, found: &Value) -> Vec<String> {
    let mut differences = Vec::new();
    for (task, found) in found.as_object().into_iter().flatten() {
        for split in ["train", "dev"] {
            let (was, is) = (&recorded[task][split], &found[split]);
            if was["fingerprint"] == is["fingerprint"] {
                continue;
            }
            let how = match was["items"] == is["items"] {
                true => "as many, and others".to_owned(),
                false => format!("{} examples, and {} then", is["items"], was["items"]),
            };
            differences.push(format!("{task}, {split}: {how}"));
        }
    }
    differences
}

/// Of the last step in a log.
fn seconds(events: &Path) -> Result<f64, FileError> {
    let events = events::read(events)?;
    Ok(events.last().and_then(|event| event["time"]["seconds"].as_f64()).unwrap_or(0.0))
}

/// Of the evaluations so far.
fn best(evaluated: &[Value]) -> Option<Best> {
    let of = |line: &Value| {
        let step = usize::try_from(line["step"].as_u64()?).ok()?;
        Some(Best { step, mean: line["mean"].as_f64().unwrap_or(f64::NAN) }) // written as null
    };
    evaluated.iter().filter_map(of).fold(None, |best, found| Some(found.or(best)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_best_evaluation_is_the_first_of_the_highest_that_are_numbers() {
        let line = |step: usize, mean: Value| json!({ "step": step, "mean": mean });
        assert_eq!(best(&[]), None);
        let found = best(&[
            line(1, Value::Null),
            line(2, json!(0.5)),
            line(3, json!(0.7)),
            line(4, Value::Null),
            line(5, json!(0.7)),
            line(6, json!(0.1)),
        ]);
        assert_eq!(found, Some(Best { step: 3, mean: 0.7 }));
    }

    #[test]
    fn what_differs_in_the_data_is_named() {
        let of = |items: usize, print: &str| json!({ "items": items, "fingerprint": print });
        let was = json!({ "a": { "train": of(4, "x"), "dev": of(2, "y") }, "b": { "train": of(1, "z"), "dev": of(1, "z") } });
        assert_eq!(differences(&was, &was), [""; 0]);
        let is = json!({ "a": { "train": of(5, "w"), "dev": of(2, "y") }, "b": { "train": of(1, "z"), "dev": of(1, "v") } });
        assert_eq!(
            differences(&was, &is),
            ["a, train: 5 examples, and 4 then", "b, dev: as many, and others"]
        );
    }
}

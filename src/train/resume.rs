//! A training that was interrupted goes on, as if it had never stopped: same model, settings and data, from the last
//! checkpoint.
//!
//! Parameters, moments and the sampler's place come from the checkpoint; lines of the logs behind it are dropped, and
//! written again. On the same device the steps, evaluations and checkpoints that follow are those of a training without
//! an interruption, to the last bit; with `cache` but for rounding, since constant layers are computed in batches of
//! what the cache does not hold.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use serde::Deserialize as _;
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
use super::trainer::{Outcome, Steps, TrainError, Trainer, cached, now, summary, tell_left_out};
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

    #[error("`{}` is not the log whose picks the run replays", .log.display())]
    #[diagnostic(code(resume::replayed), help("put the log back that was there when the training began"))]
    Replayed { log: PathBuf },

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
    let (mut run, held) = take_up(&options.run, plan)?;
    let training = run.training(plan)?;
    let folder = last_checkpoint(&run)?;
    let cache = options.cache.as_deref();
    let inputs = inputs(&run, plan, options)?;

    let step = checkpoint::load(&folder, plan, &mut network.parameters())?;
    let state = State::read(&folder, plan.tasks, &network.parameters())?;
    let schedule = Steps::new(&training, &inputs.train);
    let other = || ResumeError::State { folder: folder.clone() };
    let belongs = [
        state.step == step,
        state.seed == training.seed,
        state.sampler.draws <= step,
        state.used.iter().map(Vec::len).eq(inputs.train.sizes()),
        step <= schedule.total && schedule.total == run.record.steps,
    ];
    if belongs.contains(&false) {
        return Err(other().into());
    }
    let network = cached(network, training, cache);
    let sampler = match &run.record.replayed {
        Some(log) => {
            let picks = picks::read(log, plan.tasks, &inputs.train, schedule.total)?;
            if run.record.fingerprints.replayed.as_ref() != Some(&picks::fingerprint(&picks)) {
                return Err(ResumeError::Replayed { log: log.clone() }.into());
            }
            Sampler::replay(picks, step, training, &inputs.train)
        }
        None => {
            let position = state.sampler;
            Sampler::resume(position, &network, training, plan.tasks, &inputs.train).ok_or_else(other)?
        }
    };
    let known = checkpoint::best(&run.checkpoints())?.filter(|best| best.step <= step);

    checkpoint::clear(&run.checkpoints())?;
    for log in [run.events(), run.evaluations()] {
        events::cut(&log, step)?;
    }
    let picks = match run.picks().exists() {
        true => Some(PickLog::resume(&run.picks(), step)?),
        false => None,
    };
    let log = Log::open(&run.events())?;
    let evaluations = Log::open(&run.evaluations())?;
    let evaluated = events::read(&run.evaluations())?;
    let progress = Progress::new(schedule.total, step);
    progress.say(&summary(&run.record, &inputs));
    progress.say(&format!("{}: goes on behind step {step}", run.folder.display()));
    if let Some(before) = run.record.last_device().filter(|before| *before != options.device) {
        progress
            .say(&format!("until then on {before}, now on {}, where sums round otherwise", options.device));
    }
    tell_left_out(plan, &inputs, &progress);
    run.resume(Resumed { step, device: options.device.clone(), at: now() })?;
    let trainer = Trainer {
        plan,
        training,
        schedule,
        sampler,
        learner: Learner::resume(network, training, schedule.total, state.optimizer, state.loss_scale),
        before: seconds(&run.events())?,
        best: best(&evaluated, known),
        run,
        held,
        log,
        evaluations,
        picks,
        progress,
        started: Instant::now(),
        done: step,
        // where Ctrl-C came in the step that it was due after
        due: schedule.evaluates(step) && !evaluated.iter().any(|line| line["step"] == step),
        used_count: state.used.iter().flatten().filter(|&&used| used).count(),
        used: state.used,
        train: inputs.train,
        dev: inputs.dev,
    };
    trainer.run(stop)
}

/// The run, which no other process trains now or while the file is held.
fn take_up(folder: &Path, plan: &Plan) -> Result<(Run, File), TrainError> {
    let held = Run::open(folder, plan)?.hold()?;
    // read anew: whoever held it may have written its end
    let run = Run::open(folder, plan)?;
    if run.record.finished.is_some_and(|finished| !finished.interrupted) {
        return Err(ResumeError::Finished { folder: run.folder, steps: run.record.steps }.into());
    }
    Ok((run, held))
}

fn last_checkpoint(run: &Run) -> Result<PathBuf, TrainError> {
    match checkpoint::find(&run.checkpoints(), Which::Last) {
        Err(CheckpointError::Missing { .. }) => {
            Err(ResumeError::NoCheckpoint { folder: run.folder.clone() }.into())
        }
        found => Ok(found?),
    }
}

/// Tokenizer and data, which have to be the run's.
fn inputs(run: &Run, plan: &'static Plan, options: &Resume) -> Result<Inputs, TrainError> {
    run.tokenizer(plan)?;
    let data = options.data.as_ref().unwrap_or(&run.record.paths.data);
    let reading = Reading { data, unreadable: options.unreadable, cache: options.cache.as_deref() };
    let inputs = Inputs::from_run(plan, reading, transfer::tokenizer(run))?;
    let differences = differences(&run.record.data, &run::describe_data(plan, &inputs.train, &inputs.dev));
    match differences.is_empty() {
        true => Ok(inputs),
        false => Err(ResumeError::Data { differences }.into()),
    }
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
            let how = match was["examples"] == is["examples"] {
                true => "as many, and others".to_owned(),
                false => format!("{} examples, and {} then", is["examples"], was["examples"]),
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

/// Of the evaluations so far, and what is known to be the best should their log be lost.
fn best(evaluated: &[Value], known: Option<Best>) -> Option<Best> {
    let all = evaluated.iter().filter_map(|line| Best::deserialize(line).ok()).chain(known);
    all.fold(None, |best, found| Some(found.or(best)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_best_evaluation_is_the_first_of_the_highest_that_are_numbers() {
        let line = |step: usize, mean: Value| json!({ "step": step, "mean": mean });
        let known = Best { step: 5, mean: 0.7 };
        assert_eq!(best(&[], None), None);
        assert_eq!(best(&[], Some(known)), Some(known));
        let lines = [
            line(1, Value::Null),
            line(2, json!(0.5)),
            line(3, json!(0.7)),
            line(4, Value::Null),
            line(5, json!(0.7)),
            line(6, json!(0.1)),
        ];
        assert_eq!(best(&lines, Some(known)), Some(Best { step: 3, mean: 0.7 }));
    }

    #[test]
    fn what_differs_in_the_data_is_named() {
        let of = |examples: usize, print: &str| json!({ "examples": examples, "fingerprint": print });
        let was = json!({ "a": { "train": of(4, "x"), "dev": of(2, "y") }, "b": { "train": of(1, "z"), "dev": of(1, "z") } });
        assert_eq!(differences(&was, &was), [""; 0]);
        let is = json!({ "a": { "train": of(5, "w"), "dev": of(2, "y") }, "b": { "train": of(1, "z"), "dev": of(1, "v") } });
        assert_eq!(
            differences(&was, &is),
            ["a, train: 5 examples, and 4 then", "b, dev: as many, and others"]
        );
    }
}

//! `picks.jsonl`: every example that every step trained on, with its score, and the way back: a training on just these.
//!
//! The first line tells of which data the log is, by the tasks' names; each other line is a step's:
//!
//! ```text
//! {"tasks":{"mrpc":{"examples":3668,"fingerprint":"9f.."},"sst2":{..}}}
//! {"step":1,"picks":[{"task":"mrpc","example":12,"line":14,"score":1.08},..]}
//! ```
//!
//! `example` is the place in the task's training data, from 0, `line` that in its file, from 1. The order is that of
//! the batch, on which sums depend, so that a replayed training is the same to the last bit. Where constant layers were
//! computed in scoring they are computed in batches of another size here, and products of another size round otherwise:
//! then it is the same but for the last bits of its numbers. `score` is U of MT-Uncertainty, and `null` where nothing
//! was scored.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::batches::{At, Batches};
use super::events::{self, Log};
use super::files::{self, FileError};
use super::plan::Task;

/// The log's first line.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Header {
    tasks: BTreeMap<String, Data>,
}

/// What a task was trained on.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Data {
    examples: usize,
    fingerprint: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Step {
    step: usize,
    picks: Vec<Pick>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Pick {
    task: String,
    example: usize,
    line: u32,
    score: Option<f64>,
}

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[non_exhaustive]
pub enum PicksError {
    #[error(transparent)]
    #[diagnostic(transparent)]
    File(#[from] FileError),

    #[error("{}:{line} is no line of a log of picks: {cause}", .path.display())]
    #[diagnostic(
        code(picks::format),
        help("`train --log-picks` writes such a log, as picks.jsonl of its run; it may be cut short")
    )]
    Format { path: PathBuf, line: usize, cause: String },

    #[error("`{}` is of other data than these:\n  {}", .path.display(), .differences.join("\n  "))]
    #[diagnostic(
        code(picks::data),
        help(
            "picks are places in the training data, so that they mean nothing in others: name the data of the logged run with --data"
        )
    )]
    Data { path: PathBuf, differences: Vec<String> },

    #[error("`{}` has the picks of {found} steps, and {wanted} are to be made", .path.display())]
    #[diagnostic(code(picks::short), help("at most `--steps {found}` can be replayed"))]
    Short { path: PathBuf, found: usize, wanted: usize },
}

/// A log that grows with the training.
#[derive(Debug)]
pub struct PickLog {
    log: Log,
}

impl PickLog {
    pub fn create(path: &Path, tasks: &[Task], train: &Batches) -> Result<Self, FileError> {
        let mut log = Log::open(path)?;
        log.write(&Header { tasks: describe(tasks, train) })?;
        Ok(Self { log })
    }

    /// Goes on behind step `last`.
    pub fn resume(path: &Path, last: usize) -> Result<Self, FileError> {
        events::cut(path, last)?;
        Ok(Self { log: Log::open(path)? })
    }

    pub fn sync(&self) -> Result<(), FileError> {
        self.log.sync()
    }

    /// `scores` are those of `examples`.
    pub fn write(
        &mut self,
        step: usize,
        tasks: &[Task],
        train: &Batches,
        examples: &[At],
        scores: &[Option<f64>],
    ) -> Result<(), FileError> {
        let pick = |(&At { task, example }, &score): (&At, &Option<f64>)| Pick {
            task: tasks[task].name.to_owned(),
            example,
            line: train.datasets()[task].line(example),
            score,
        };
        self.log.write(&Step { step, picks: examples.iter().zip(scores).map(pick).collect() })
    }
}

/// Of what is replayed.
pub fn fingerprint(picks: &[Vec<At>]) -> String {
    let mut hasher = blake3::Hasher::new();
    for step in picks {
        hasher.update(&(step.len() as u64).to_le_bytes());
        for At { task, example } in step {
            hasher.update(&[*task, *example].map(|place| (place as u64).to_le_bytes()).concat());
        }
    }
    hasher.finalize().to_hex()[..32].to_owned()
}

/// The examples of the first `steps` steps of a log, in the order of each batch.
///
/// # Errors
/// A log that is unreadable, of other data, or of fewer steps.
pub fn read(path: &Path, tasks: &[Task], train: &Batches, steps: usize) -> Result<Vec<Vec<At>>, PicksError> {
    let text = files::at(path, "read", std::fs::read_to_string(path))?;
    let wrong = |at: usize, cause: String| PicksError::Format { path: path.to_owned(), line: at + 1, cause };
    let mut lines = text.lines().enumerate();
    let first = lines.next().map_or("", |(_, line)| line);
    let header: Header = serde_json::from_str(first).map_err(|cause| wrong(0, cause.to_string()))?;
    let differences = compare(&header.tasks, &describe(tasks, train));
    if !differences.is_empty() {
        return Err(PicksError::Data { path: path.to_owned(), differences });
    }
    let mut replayed = Vec::with_capacity(steps);
    for (at, line) in lines.take(steps) {
        let Step { step, picks } =
            serde_json::from_str(line).map_err(|cause| wrong(at, cause.to_string()))?;
        if step != replayed.len() + 1 {
            return Err(wrong(at, format!("step {step} stands where step {} belongs", replayed.len() + 1)));
        }
        if picks.is_empty() {
            return Err(wrong(at, "a step trains on at least one example".to_owned()));
        }
        let place = |Pick { task, example, .. }: Pick| {
            let found = tasks.iter().position(|known| known.name == task);
            let found = found.ok_or_else(|| wrong(at, format!("there is no task `{task}`")))?;
            let size = train.datasets()[found].len();
            match example < size {
                true => Ok(At { task: found, example }),
                false => Err(wrong(at, format!("task `{task}` has {size} examples, none at {example}"))),
            }
        };
        replayed.push(picks.into_iter().map(place).collect::<Result<Vec<At>, _>>()?);
    }
    if replayed.len() < steps {
        return Err(PicksError::Short { path: path.to_owned(), found: replayed.len(), wanted: steps });
    }
    Ok(replayed)
}

fn describe(tasks: &[Task], train: &Batches) -> BTreeMap<String, Data> {
    let sets =
        train.datasets().iter().map(|set| Data { examples: set.len(), fingerprint: set.fingerprint() });
    tasks.iter().map(|task| task.name.to_owned()).zip(sets).collect()
}

fn compare(log: &BTreeMap<String, Data>, here: &BTreeMap<String, Data>) -> Vec<String> {
    let mut differences = Vec::new();
    for (task, data) in here {
        match log.get(task) {
            None => differences.push(format!("task `{task}` is not in the log")),
            Some(logged) if logged.examples != data.examples => differences
                .push(format!("task `{task}` had {} examples and has {}", logged.examples, data.examples)),
            Some(logged) if logged.fingerprint != data.fingerprint => {
                differences.push(format!("task `{task}` has as many examples, of another content"));
            }
            Some(_) => {}
        }
    }
    let gone = log.keys().filter(|task| !here.contains_key(*task));
    differences.extend(gone.map(|task| format!("task `{task}` is in the log only")));
    differences
}

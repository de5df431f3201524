//! `events.jsonl` and `eval.jsonl`: what happened in a run, a line a step and a line an evaluation.
//!
//! The same seed gives the same lines, but for what is in `time`.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::files::{self, FileError};
use super::learner::Stepped;
use super::plan::Task;
use super::sampler::Share;

/// A line of `events.jsonl`; the fields stand in this order.
#[derive(Clone, Debug, Serialize)]
pub struct Event {
    /// From 1.
    pub step: usize,
    /// The objective.
    pub loss: f64,
    pub lr: f64,
    /// Before clipping.
    pub grad_norm: f64,
    /// Tokens of the batch.
    pub tokens: usize,
    /// Distinct training examples that entered a gradient step so far, over all.
    pub data_used: f64,
    /// By the task's name: `loss` (null without examples in the batch), `entropy` (null where nothing is scored),
    /// `candidates` (0 there) and `picks`.
    pub tasks: Map<String, Value>,
    pub time: Time,
}

/// What differs between two runs of the same seed.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Time {
    /// Since the first step began; in a training that was resumed, without the time between.
    pub seconds: f64,
    /// Trained tokens a second in this step, scoring included.
    pub tokens_per_s: f64,
}

/// The field `tasks` of an [`Event`].
pub fn tasks(tasks: &[Task], stepped: &Stepped, shares: &[Share]) -> Map<String, Value> {
    tasks
        .iter()
        .zip(&stepped.task_losses)
        .zip(shares)
        .map(|((task, loss), Share { candidates, picks, entropy })| {
            let fields =
                json!({ "loss": loss, "entropy": entropy, "candidates": candidates, "picks": picks });
            (task.name.to_owned(), fields)
        })
        .collect()
}

/// A file of JSON lines that grows; a line is written at once, so that readers of a running training see whole ones.
#[derive(Debug)]
pub struct Log {
    path: PathBuf,
    file: File,
}

impl Log {
    pub fn open(path: &Path) -> Result<Self, FileError> {
        let file = files::at(path, "written", OpenOptions::new().create(true).append(true).open(path))?;
        Ok(Self { path: path.to_owned(), file })
    }

    /// Waits until all lines are on the disk.
    pub fn sync(&self) -> Result<(), FileError> {
        files::at(&self.path, "written", self.file.sync_data())
    }

    pub fn write(&mut self, line: &impl Serialize) -> Result<(), FileError> {
        let written = serde_json::to_string(line)
            .map_err(std::io::Error::other)
            .and_then(|text| self.file.write_all(format!("{text}\n").as_bytes()));
        files::at(&self.path, "written", written)
    }
}

/// Drops the lines of steps behind `last`, and one that was cut short when the process was killed, before such a file is
/// opened again. One that is not there stays away.
pub fn cut(path: &Path, last: usize) -> Result<(), FileError> {
    if !path.is_file() {
        return Ok(());
    }
    let text = files::at(path, "read", std::fs::read(path))?;
    let is_kept = |line: &&[u8]| {
        let value: Option<Value> = serde_json::from_slice(line).ok().filter(|_| line.ends_with(b"\n"));
        // a line without a step tells of all
        value.is_some_and(|value| value["step"].as_u64().is_none_or(|step| step <= last as u64))
    };
    let kept: usize = text.split_inclusive(|&byte| byte == b'\n').take_while(is_kept).map(<[u8]>::len).sum();
    let file = files::at(path, "written", OpenOptions::new().write(true).open(path))?;
    files::at(path, "cut", file.set_len(kept as u64))
}

/// The lines of such a file; one that is cut short, because the process was killed, is left out.
pub fn read(path: &Path) -> Result<Vec<Value>, FileError> {
    let text = files::at(path, "read", std::fs::read_to_string(path))?;
    Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_cut_behind_a_step_and_goes_on_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        let lines = ["{\"tasks\":{}}", "{\"step\":1}", "{\"step\":2}", "{\"step\":3}", "{\"step\":4,\"lo"];
        std::fs::write(&path, lines.join("\n")).unwrap();
        cut(&path, 3).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{}\n", lines[..4].join("\n")));
        cut(&path, 1).unwrap();
        let mut log = Log::open(&path).unwrap();
        log.write(&json!({ "step": 2, "again": true })).unwrap();
        let found = read(&path).unwrap();
        assert_eq!(
            found,
            [json!({ "tasks": {} }), json!({ "step": 1 }), json!({ "step": 2, "again": true })]
        );
    }
}

//! A training that was interrupted, and goes on.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use camtl::data::Unreadable;
use camtl::train::plan::Fidelity;
use camtl::train::{Options, Outcome, Resume, Run, TrainError, resume, train};
use serde_json::Value;

use super::timeless;
use super::tiny::{PLAN, Place, build, names};

const STEPS: usize = 11;
const SHORT: [(&str, &str); 2] = [("steps", "11"), ("evaluate_every", "4")];

fn options(place: &Place, name: &str, set: &[(&str, &str)]) -> Options {
    let options = place.options(name, &[set, &SHORT].concat());
    Options { log_picks: true, cache: Some(place.folder.path().join("cache")), ..options }
}

fn go_on(place: &Place, name: &str, stop: bool) -> Result<Outcome, TrainError> {
    let options = Resume {
        run: place.out(name),
        data: None,
        unreadable: Unreadable::Fail,
        cache: Some(place.folder.path().join("cache")),
        device: "cpu".to_owned(),
    };
    resume(&PLAN, build(), &options, &AtomicBool::new(stop))
}

fn begin(options: &Options, stop: bool) -> Outcome {
    train(&PLAN, "model tiny", build(), options, &AtomicBool::new(stop)).unwrap()
}

/// Everything that a training keeps, but for what is measured in seconds.
fn same(a: &Path, b: &Path, what: &str) {
    assert_eq!(timeless(&a.join("events.jsonl")), timeless(&b.join("events.jsonl")), "{what}");
    let mut files = vec![PathBuf::from("eval.jsonl"), "picks.jsonl".into(), "checkpoints/best.json".into()];
    let steps = names(&a.join("checkpoints"));
    assert_eq!(steps, names(&b.join("checkpoints")), "{what}");
    for step in steps.iter().filter(|name| name.starts_with("step-")) {
        let of = ["model.safetensors", "state.safetensors", "state.json"];
        files.extend(of.map(|file| Path::new("checkpoints").join(step).join(file)));
    }
    for file in files {
        assert!(fs::read(a.join(&file)).unwrap() == fs::read(b.join(&file)).unwrap(), "{what}: {file:?}");
    }
}

/// Interrupted after each and every step, with dropout and a constant layer.
#[test]
fn it_is_the_training_that_was_not_interrupted() {
    let place = Place::new();
    let (paper, reference) = (Fidelity::Paper, Fidelity::Reference);
    let kinds: [(&[(&str, &str)], Fidelity); 7] = [
        (&[], paper),
        (&[], reference),
        (&[("candidates", "20"), ("rescore", "4")], paper),
        (&[("candidates", "12"), ("rescore", "2"), ("batch", "40tokens")], paper),
        (&[("sampler", "temperature 3"), ("schedule", "constant")], paper),
        (&[("sampler", "sequential"), ("batch", "40tokens")], reference),
        (&[("sampler", "uniform"), ("clip", "off")], paper),
    ];
    for (i, (kind, fidelity)) in kinds.into_iter().enumerate() {
        let [whole, parts] = ["whole", "parts"].map(|name| {
            let mut options = options(&place, &format!("{name}-{i}"), kind);
            options.training.fidelity = fidelity;
            options
        });
        let whole = begin(&whole, false);
        let mut last = begin(&parts, true);
        let parts = format!("parts-{i}");
        for step in 2..=STEPS {
            assert!(last.finished.interrupted && last.finished.step == step - 1, "{kind:?}");
            last = go_on(&place, &parts, true).unwrap();
        }
        assert!(!last.finished.interrupted);
        assert_eq!(last.finished.best, whole.finished.best, "{kind:?}");
        assert_eq!(last.finished.data_used, whole.finished.data_used);
        let evaluated = |outcome: &Outcome| outcome.evaluation.as_ref().map(|found| found.mean);
        assert_eq!(evaluated(&last), evaluated(&whole));
        same(&whole.run.folder, &last.run.folder, &format!("{kind:?}"));
        let resumed: Vec<usize> = last.run.record.resumed.iter().map(|sitting| sitting.step).collect();
        assert_eq!(resumed, (1..STEPS).collect::<Vec<_>>());
    }
}

/// Constant layers are computed in batches of what a cache does not hold, and products of another size round otherwise.
#[test]
fn with_a_cache_it_is_that_training_but_for_rounding() {
    let place = Place::new();
    let with = |name: &str, cache| {
        let mut options = options(&place, name, &[("sampler", "uniform")]);
        options.training.cache = cache;
        options
    };
    let losses = |run: &Run| -> Vec<f64> {
        timeless(&run.events()).iter().map(|event| event["loss"].as_f64().unwrap()).collect()
    };
    let without = losses(&begin(&with("without", None), false).run);
    begin(&with("parts", Some(20_000)), true); // room for some of the texts
    go_on(&place, "parts", true).unwrap();
    let parts = losses(&go_on(&place, "parts", false).unwrap().run);
    assert_eq!(parts.len(), STEPS);
    assert!(without.iter().zip(&parts).all(|(a, b)| (a - b).abs() < 1e-4), "{without:?}, {parts:?}");
}

#[test]
fn so_does_a_replay_and_a_training_from_another_run() {
    let place = Place::new();
    let first = begin(&options(&place, "first", &[]), false);
    let with = |name: &str| Options {
        replay: Some(first.run.picks()),
        from: Some(first.run.folder.clone()),
        ..options(&place, name, &[("seed", "9")])
    };
    let whole = begin(&with("whole"), false);
    begin(&with("parts"), true);
    go_on(&place, "parts", true).unwrap();
    let parts = go_on(&place, "parts", false).unwrap();
    assert!(parts.run.record.transfer.is_some() && parts.run.record.replayed.is_some());
    same(&whole.run.folder, &parts.run.folder, "a replay");

    begin(&with("other"), true);
    let log = fs::read_to_string(first.run.picks()).unwrap();
    let swapped: Vec<&str> = log.lines().collect();
    let again = swapped[2].replace("\"step\":2", "\"step\":3");
    fs::write(first.run.picks(), [&swapped[..3], &[&again], &swapped[4..]].concat().join("\n")).unwrap();
    let error = go_on(&place, "other", false).unwrap_err().to_string();
    assert!(error.contains("is not the log whose picks the run replays"), "{error}");
}

/// A process that is killed leaves steps behind its last checkpoint, half a line, and no end.
#[test]
fn what_lies_behind_the_last_checkpoint_is_made_again() {
    let place = Place::new();
    let whole = begin(&options(&place, "whole", &[]), false);
    begin(&options(&place, "killed", &[]), true);
    go_on(&place, "killed", true).unwrap();
    let killed = place.out("killed");
    let record = fs::read_to_string(killed.join("run.json")).unwrap();
    let mut record: Value = serde_json::from_str(&record).unwrap();
    record["finished"] = Value::Null;
    fs::write(killed.join("run.json"), record.to_string()).unwrap();
    for log in ["events.jsonl", "eval.jsonl", "picks.jsonl"] {
        let all = fs::read_to_string(whole.run.folder.join(log)).unwrap();
        let behind = all.lines().filter(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            line["step"].as_u64().is_some_and(|step| (3..8).contains(&step))
        });
        let mut file = fs::OpenOptions::new().append(true).open(killed.join(log)).unwrap();
        behind.for_each(|line| writeln!(file, "{line}").unwrap());
        write!(file, "{{\"step\":8,\"lo").unwrap();
    }
    fs::create_dir(killed.join("checkpoints/.step-4.77")).unwrap();
    let outcome = go_on(&place, "killed", false).unwrap();
    assert_eq!(outcome.finished.step, STEPS);
    same(&whole.run.folder, &killed, "killed");
}

/// Killed when the last checkpoint was written, but neither which is the best nor that this was the end.
#[test]
fn what_was_not_said_of_the_last_checkpoint_is_said() {
    let place = Place::new();
    let whole = begin(&options(&place, "whole", &[("lr", "0.02")]), false);
    let folder = begin(&options(&place, "killed", &[("lr", "0.02")]), false).run.folder;
    fs::remove_file(folder.join("checkpoints/best.json")).unwrap();
    fs::create_dir(folder.join("checkpoints/step-3")).unwrap(); // too many
    let record = fs::read_to_string(folder.join("run.json")).unwrap();
    let mut record: Value = serde_json::from_str(&record).unwrap();
    record["finished"] = Value::Null;
    record.as_object_mut().unwrap().remove("device"); // as in runs of before
    fs::write(folder.join("run.json"), record.to_string()).unwrap();
    let outcome = go_on(&place, "killed", false).unwrap();
    assert_eq!(outcome.finished.best, whole.finished.best);
    same(&whole.run.folder, &folder, "killed at the end");
}

#[test]
fn a_mistake_changes_nothing() {
    let place = Place::new();
    let content = |name: &str| {
        let files = ["run.json", "events.jsonl", "eval.jsonl", "picks.jsonl", "checkpoints/best.json"];
        let checkpoints = place.out(name).join("checkpoints");
        let checkpoints = if checkpoints.is_dir() { names(&checkpoints) } else { Vec::new() };
        (files.map(|file| fs::read(place.out(name).join(file)).ok()), checkpoints)
    };
    let refused = |name: &str, words: &[&str]| {
        let before = content(name);
        let error = go_on(&place, name, false).unwrap_err();
        let help = miette::Diagnostic::help(&error).map(|help| help.to_string()).unwrap_or_default();
        let text = format!("{error} | {help}");
        assert!(words.iter().all(|word| text.contains(word)), "{text}");
        assert_eq!(content(name), before);
    };

    begin(&options(&place, "done", &[]), false);
    refused("done", &["has made all its 11 steps", "--from"]);
    refused("nowhere", &["is not a run"]);

    begin(&options(&place, "run", &[]), true);
    let held = Run::open(&place.out("run"), &PLAN).unwrap().hold().unwrap();
    refused("run", &["is being trained by another process"]);
    drop(held);

    let rows = place.data().join("weather/train.tsv");
    let good = fs::read_to_string(&rows).unwrap();
    fs::write(&rows, format!("{good}warm\tthe sun\n")).unwrap();
    refused("run", &["the data are not those", "weather, train: 41 examples, and 40 then", "--data"]);
    fs::write(&rows, good.replacen("the ice", "old ice", 1)).unwrap();
    refused("run", &["weather, train: as many, and others"]);
    fs::write(&rows, &good).unwrap();

    let checkpoint = place.out("run").join("checkpoints/step-1");
    let state = fs::read(checkpoint.join("state.safetensors")).unwrap();
    fs::write(checkpoint.join("state.safetensors"), &state[..state.len() / 2]).unwrap();
    refused("run", &["state.safetensors` is not a checkpoint"]);
    fs::write(checkpoint.join("state.safetensors"), &state).unwrap();
    let notes = fs::read_to_string(checkpoint.join("state.json")).unwrap();
    fs::write(checkpoint.join("state.json"), notes.replace("\"seed\": 7", "\"seed\": 8")).unwrap();
    refused("run", &["is not of this training"]);
    fs::write(checkpoint.join("state.json"), notes.replace("\"draws\": 1", "\"draws\": 9000000000")).unwrap();
    refused("run", &["is not of this training"]);
    fs::write(checkpoint.join("state.json"), notes.replace("\"step\": 1", "\"step\": 2")).unwrap();
    refused("run", &["is not of this training"]);
    fs::write(checkpoint.join("state.json"), notes.replace("\"ranked\": null", "\"ranked\": {}")).unwrap();
    refused("run", &["state.json` is not a checkpoint", "taken"]);
    fs::write(checkpoint.join("state.json"), &notes).unwrap();

    let record = place.out("run").join("run.json");
    let good = fs::read_to_string(&record).unwrap();
    fs::write(&record, good.replace("\"steps\": 11,\n    \"optimizer", "\"steps\": 20,\n    \"optimizer"))
        .unwrap();
    refused("run", &["is not of this training", "run.json"]);
    fs::write(&record, good.replace("\"examples\": 8", "\"examples\": \"many\"")).unwrap();
    refused("run", &["run.json` cannot be understood", "settings"]);
    fs::write(&record, good).unwrap();

    fs::rename(place.out("run").join("checkpoints"), place.out("run").join("gone")).unwrap();
    refused("run", &["before it had a checkpoint"]);
    fs::rename(place.out("run").join("gone"), place.out("run").join("checkpoints")).unwrap();
    assert_eq!(go_on(&place, "run", false).unwrap().finished.step, STEPS);
}

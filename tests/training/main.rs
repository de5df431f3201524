//! Training from end to end: a tiny network on data made here.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;

use camtl::data::Split;
use camtl::train::checkpoint::{self, Which};
use camtl::train::{Reading, Run, evaluate, inputs, train};
use serde_json::Value;
use tiny::{PLAN, Place, build, lines, names};

mod ahead;
mod cache;
mod kinds;
mod picks;
mod predictor;
mod resume;
mod sampling;
mod simulate;
mod tiny;
mod transfer;
mod unfused;
mod weights;

/// The lines but for what is measured in seconds.
fn timeless(path: &Path) -> Vec<Value> {
    let mut lines = lines(path);
    for line in &mut lines {
        line.as_object_mut().unwrap().remove("time").expect("every step has its time");
    }
    lines
}

fn mean_loss(events: &[Value]) -> f64 {
    events.iter().map(|event| event["loss"].as_f64().unwrap()).sum::<f64>() / events.len() as f64
}

#[test]
fn a_run_is_complete() {
    let place = Place::new();
    let outcome = place.train("run", &[]);
    let events = lines(&outcome.run.events());
    assert_eq!(events.len(), 60);
    assert_eq!(events[59]["tasks"]["weather"]["candidates"], 8);
    let picks = |task: &str| events[59]["tasks"][task]["picks"].as_u64().unwrap();
    assert_eq!(picks("weather") + picks("warmth"), 8);

    let run = outcome.run.folder;
    let expected = [
        ".lock",
        "checkpoints",
        "eval.jsonl",
        "events.jsonl",
        "model.cam",
        "report.html",
        "run.json",
        "tokenizer",
    ];
    assert_eq!(names(&run), expected);
    assert_eq!(names(&run.join("tokenizer")), ["vocab.txt"]);
    let report = fs::read_to_string(run.join("report.html")).unwrap();
    assert!(report.contains("<polyline") && report.contains("model tiny"));
    let record: Value = serde_json::from_slice(&fs::read(run.join("run.json")).unwrap()).unwrap();
    assert_eq!(record["finished"]["step"], 60);
    assert_eq!(record["data"]["weather"]["train"]["examples"], 40);
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let place = Place::new();
    let set = [("steps", "12"), ("evaluate_every", "6")];
    let (a, b) = (place.train("a", &set).run, place.train("b", &set).run);
    assert_eq!(timeless(&a.events()), timeless(&b.events()));
    assert_eq!(lines(&a.evaluations()), lines(&b.evaluations()));
    let other = place.train("c", &[("steps", "12"), ("evaluate_every", "6"), ("seed", "8")]).run;
    assert_ne!(timeless(&a.events()), timeless(&other.events()));
}

/// Under proportional sampling: MT-Uncertainty changes the tasks' shares of the loss from step to step.
#[test]
fn the_loss_falls() {
    let place = Place::new();
    let set = [
        ("sampler", "proportional"),
        ("steps", "off"),
        ("epochs", "80"),
        ("dropout", "0"),
        ("evaluate_every", "800"),
    ];
    let outcome = place.train("run", &set);
    let events = lines(&outcome.run.events());
    assert_eq!(events.len(), 80 * 10); // 80 examples in batches of 8
    let (first, last) = (mean_loss(&events[..10]), mean_loss(&events[790..]));
    assert!(last < 0.02 * first, "{first} to {last}");
    let evaluation = outcome.evaluation.as_ref().unwrap();
    assert!(evaluation.mean > 0.95, "{evaluation}");
    assert!(events[0]["tasks"]["weather"]["entropy"].is_null());
    assert!(outcome.finished.data_used > 0.9, "{}", outcome.finished.data_used);
}

#[test]
fn a_checkpoint_gives_the_same_figures() {
    let place = Place::new();
    let outcome = place.train("run", &[("steps", "30"), ("evaluate_every", "10")]);
    let run = Run::open(&outcome.run.folder, &PLAN).unwrap();
    let best = outcome.finished.best.unwrap();

    let mut network = build();
    let folder = checkpoint::find(&run.checkpoints(), Which::Best).unwrap();
    let step = checkpoint::load(&folder, &PLAN, &mut network.parameters()).unwrap();
    assert_eq!(step, best.step);
    let tokenizer = run.tokenizer(&PLAN).unwrap();
    let dev =
        inputs::split(&PLAN, Split::Dev, Reading::strict(&run.record.paths.data, None), &tokenizer).unwrap();
    let found = evaluate::evaluate(&network, PLAN.tasks, &dev, evaluate::UNWATCHED).unwrap();
    let kept = fs::read_to_string(run.evaluations()).unwrap();
    let found = found.to_json(step, Split::Dev).to_string();
    assert!(kept.lines().any(|line| line == found), "{found} is not in\n{kept}");

    // at most the best and the last are kept
    let steps = names(&run.checkpoints());
    assert!(steps.contains(&"step-30".to_owned()) && steps.len() <= 3, "{steps:?}");
}

#[test]
fn a_checkpoint_of_another_program_names_what_differs() {
    let place = Place::new();
    let outcome = place.train("run", &[("steps", "1")]);
    let mut other = PLAN;
    other.sequence = 10;
    other.backbone.ffn = 64;
    let mut network = build();
    let before = network.parameters()[0].read();
    let error = checkpoint::load(&outcome.checkpoint, &other, &mut network.parameters()).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("`backbone.ffn` is 32 in the checkpoint and 64 in the model"), "{text}");
    assert!(text.contains("`sequence` is 12 in the checkpoint and 10 in the model"), "{text}");
    assert_eq!(network.parameters()[0].read(), before);
}

#[test]
fn the_command_line_tells_success_from_mistakes() {
    let place = Place::new();
    let folder = |path: PathBuf| path.into_os_string().into_string().unwrap();
    let (data, out) = (folder(place.data()), folder(place.out("run")));
    let cache = folder(place.folder.path().join("cache"));
    let run = |arguments: &[&str]| {
        let arguments = ["tiny"].iter().chain(arguments).copied();
        camtl::runner::run::<16, tiny::Tiny>(&PLAN, "model tiny", arguments)
    };
    let train = ["train", "--data", &data, "--out", &out, "--cache", &cache, "--steps", "3"];
    assert_eq!(run(&[&train[..], &["--set", "lr=1e-3"]].concat()), ExitCode::SUCCESS);
    assert_eq!(run(&train), ExitCode::FAILURE, "the run exists");
    assert_eq!(run(&[&train[..], &["--set", "speed=1"]].concat()), ExitCode::FAILURE);
    let narrow = folder(place.out("narrow"));
    let narrow = ["train", "--data", &data, "--out", &narrow, "--set", "batch=11tokens"];
    assert_eq!(run(&narrow), ExitCode::FAILURE, "an example may have 12 tokens");
    assert_eq!(run(&["train", "--steps", "many"]), ExitCode::from(2));
    assert!(!names(Path::new(&cache)).is_empty());
    let record: Value =
        serde_json::from_slice(&fs::read(place.out("run").join("run.json")).unwrap()).unwrap();
    assert_eq!(
        (record["steps"].as_u64(), &record["settings"]["optimizer"]["lr"]),
        (Some(3), &Value::from(1e-3))
    );

    assert_eq!(run(&["eval", "--run", &out, "--cache", &cache, "--json"]), ExitCode::SUCCESS);
    assert_eq!(run(&["eval", "--run", &data]), ExitCode::FAILURE);
    assert_eq!(run(&["eval", "--run", &out, "--checkpoint", "step-9"]), ExitCode::FAILURE);

    let texts = place.folder.path().join("texts.tsv");
    fs::write(&texts, "text_a\nthe sun\nold ice\n").unwrap();
    let (texts, predictions) = (folder(texts), place.folder.path().join("predictions.jsonl"));
    let ask = ["predict", "--run", &out, "--task", "weather"];
    let given = ["--in", &texts, "--out", predictions.to_str().unwrap()];
    assert_eq!(run(&[&ask[..], &given].concat()), ExitCode::SUCCESS);
    let predictions = lines(&predictions);
    assert_eq!(predictions.len(), 2);
    assert!(predictions[0]["probabilities"]["warm"].is_number());
    assert_eq!(run(&[&ask[..], &["--text", "the sun"]].concat()), ExitCode::SUCCESS);
    assert_eq!(run(&ask), ExitCode::from(2), "no text");
    assert_eq!(run(&["predict", "--run", &out, "--task", "rain", "--text", "x"]), ExitCode::FAILURE);
    assert_eq!(run(&["parameters"]), ExitCode::SUCCESS);
}

#[test]
fn an_interrupted_training_leaves_a_checkpoint() {
    let place = Place::new();
    let options = place.options("run", &[]);
    let outcome = train(&PLAN, "model tiny", build(), &options, &AtomicBool::new(true)).unwrap();
    assert!(outcome.finished.interrupted && outcome.evaluation.is_none());
    assert_eq!(names(&outcome.run.checkpoints()), ["step-1"]);
    assert!(checkpoint::find(&outcome.run.checkpoints(), Which::Best).unwrap().ends_with("step-1"));
}

#[test]
fn a_mistake_in_the_inputs_leaves_nothing_behind() {
    let place = Place::new();
    let refused = |name: &str| {
        let error = place.try_train(name, &[("steps", "1")]).unwrap_err();
        let help = miette::Diagnostic::help(&error).map(|help| help.to_string()).unwrap_or_default();
        format!("{error} | {help}")
    };

    let rows = place.data().join("weather/train.tsv");
    let good = fs::read_to_string(&rows).unwrap();
    fs::write(&rows, format!("{good}mild\tthe fog\n")).unwrap();
    let message = refused("label");
    assert!(message.contains("train.tsv:42: `mild` is not a label of the task"), "{message}");
    assert!(message.contains("`cold`, `warm`"), "{message}");
    fs::write(&rows, good).unwrap();

    fs::rename(place.data().join("warmth"), place.data().join("elsewhere")).unwrap();
    let message = refused("folder");
    assert!(message.contains("task `warmth`: there is no folder"), "{message}");
    fs::rename(place.data().join("elsewhere"), place.data().join("warmth")).unwrap();

    let mut options = place.options("data", &[]);
    options.data = place.folder.path().join("nowhere");
    let error = train(&PLAN, "", build(), &options, &AtomicBool::new(false)).unwrap_err();
    assert!(error.to_string().contains("there is no data folder"), "{error}");

    let mut options = place.options("backbone", &[]);
    options.backbone = Some(place.data());
    let error = train(&PLAN, "", build(), &options, &AtomicBool::new(false)).unwrap_err();
    assert!(error.to_string().contains("--backbone has no use"), "{error}");
    assert_eq!(place.runs(), [""; 0]);

    place.train("taken", &[("steps", "1")]);
    let before = names(&place.out("taken"));
    let message = refused("taken");
    assert!(message.contains("already holds a run") && message.contains("--out"), "{message}");
    assert_eq!(names(&place.out("taken")), before);
    assert_eq!(place.runs(), ["taken"]);
}

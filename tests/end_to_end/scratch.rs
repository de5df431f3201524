//! From random weights: build, train, evaluate, predict.

use std::path::Path;
use std::process::Command;
#[cfg(unix)]
use std::process::Stdio;
#[cfg(unix)]
use std::time::{Duration, Instant};

use camtl::analysis;
use camtl::ir::{self, Fate};
use camtl::span::Source;
use serde_json::{Value, json};

use crate::support::{Place, text, values};

#[test]
fn a_model_is_built_trained_evaluated_and_asked() {
    let place = Place::new();
    let binary = place.build("tiny.cam");
    assert!(place.succeed(&["build", "tiny.cam"]).starts_with("up to date: "));

    let said = place.succeed(&["train", "tiny.cam", "--data", "data"]);
    assert!(said.contains("runs/tiny"), "{said}");
    assert_eq!(place.read("runs/tiny/model.cam"), place.read("tiny.cam"));
    for file in ["run.json", "report.html", "tokenizer/vocab.txt", "checkpoints/best.json"] {
        assert!(place.path("runs/tiny").join(file).is_file(), "{file} is missing");
    }
    assert_eq!(place.lines("runs/tiny/events.jsonl").len(), 12);
    let last = place.path("runs/tiny/checkpoints/step-12");
    for file in ["model.safetensors", "state.safetensors", "state.json"] {
        assert!(last.join(file).is_file(), "{file} is missing");
    }

    it_evaluates_as_in_training(&place);
    it_predicts(&place);
    the_seed_decides(&place);
    #[cfg(unix)]
    it_goes_on_after_ctrl_c(&place);
    its_parameters_are_those_of_the_model(&place, "tiny.cam", None, &binary);
    let record: Value = serde_json::from_str(&place.read("runs/tiny/run.json")).unwrap();
    let stats: Value = serde_json::from_str(&place.succeed(&["stats", "tiny.cam", "--json"])).unwrap();
    for (recorded, counted) in [("all", "total"), ("trained", "trained"), ("new", "new")] {
        assert_eq!(record["parameters"][recorded], stats["parameters"][counted], "{recorded}");
    }
}

fn it_evaluates_as_in_training(place: &Place) {
    let evaluations = place.lines("runs/tiny/eval.jsonl");
    assert_eq!(evaluations.iter().map(|line| line["step"].as_u64()).collect::<Vec<_>>(), [Some(6), Some(12)]);
    let best: Value = serde_json::from_str(&place.read("runs/tiny/checkpoints/best.json")).unwrap();
    let of_best = evaluations.iter().find(|line| line["step"] == best["step"]).unwrap();
    assert_eq!(values(&place.succeed(&["eval", "runs/tiny", "--json"])), std::slice::from_ref(of_best));

    let table = place.succeed(&["eval", "runs/tiny"]);
    for task in ["sentiment", "agree", "warmth", "mean"] {
        assert!(table.contains(task), "{table}");
    }
}

fn it_predicts(place: &Place) {
    let ask = |arguments: &[&str]| values(&place.succeed(&[&["predict", "runs/tiny"], arguments].concat()));
    let asked = ask(&["--task", "sentiment", "--text", "this film is great"]);
    let [one] = asked.as_slice() else { panic!("{asked:?}") };
    let probabilities = ["negative", "positive"].map(|label| one["probabilities"][label].as_f64().unwrap());
    assert!((probabilities[0] + probabilities[1] - 1.0).abs() < 1e-5, "{one}");
    let likelier = if probabilities[1] > probabilities[0] { "positive" } else { "negative" };
    assert_eq!(one["label"], likelier);

    place.write("texts.tsv", "text_a\nthis film is awful\nthis film is great\n");
    let from_file = ask(&["--task", "sentiment", "--in", "texts.tsv"]);
    assert_eq!((from_file.len(), &from_file[1]), (2, one));
    assert_eq!(ask(&["--task", "warmth", "--in", "texts.tsv", "--out", "warmth.jsonl"]), [Value::Null; 0]);
    assert!(place.lines("warmth.jsonl").iter().all(|line| line["value"].is_number()));
    let pair = ask(&["--task", "agree", "--text", "this was good", "--text-b", "this is fine"]);
    assert!(["same", "opposite"].contains(&pair[0]["label"].as_str().unwrap()), "{pair:?}");
}

fn the_seed_decides(place: &Place) {
    let timeless = |run: &str| {
        let mut events = place.lines(&format!("{run}/events.jsonl"));
        events.iter_mut().for_each(|event| drop(event.as_object_mut().unwrap().remove("time").unwrap()));
        events
    };
    let profiled = place.camtlc(&["train", "tiny.cam", "--data", "data", "--out", "again", "--profile"]);
    it_tells_where_time_and_memory_went(place, &text(&profiled.stderr));
    assert_eq!(timeless("again"), timeless("runs/tiny"));
    assert_eq!(place.read("again/eval.jsonl"), place.read("runs/tiny/eval.jsonl"));
    place.succeed(&["train", "tiny.cam", "--data", "data", "--out", "other", "--seed", "4", "--steps", "6"]);
    assert_ne!(timeless("other"), timeless("runs/tiny")[..6]);
}

#[cfg(unix)]
fn it_goes_on_after_ctrl_c(place: &Place) {
    const STEPS: usize = 4000;
    let steps = || place.lines("long/events.jsonl").len();
    let training = place
        .command(&["train", "tiny.cam", "--data", "data", "--out", "long", "--steps", "4000"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while !place.path("long/events.jsonl").is_file() || place.read("long/events.jsonl").lines().count() < 9 {
        assert!(begun.elapsed() < Duration::from_secs(60), "no step in a minute");
        std::thread::sleep(Duration::from_millis(2));
    }
    assert!(Command::new("kill").args(["-INT", &training.id().to_string()]).status().unwrap().success());
    let out = training.wait_with_output().unwrap();
    let (said, done) = (text(&out.stdout), steps());
    assert!(out.status.success() && (9..STEPS).contains(&done), "{done} steps, {said}");
    assert!(said.contains(&format!("interrupted after step {done}: ")), "{said}");
    assert!(said.contains("go on with  camtlc resume long"), "{said}");

    place.succeed(&["resume", "long"]);
    let events = place.lines("long/events.jsonl");
    assert_eq!(events.len(), STEPS);
    assert!((1..=STEPS).zip(&events).all(|(step, event)| event["step"] == step));
    let out = place.camtlc(&["resume", "long"]);
    assert_eq!(out.status.code(), Some(1));
    assert!(text(&out.stderr).contains("has made all its 4000 steps"), "{}", text(&out.stderr));
}

fn it_tells_where_time_and_memory_went(place: &Place, said: &str) {
    let profile: Value = serde_json::from_str(&place.read("again/profile.json")).unwrap();
    assert_eq!(profile["steps"], 12);
    let phases = profile["phases"].as_array().unwrap();
    let share: f64 = phases.iter().map(|phase| phase["share"].as_f64().unwrap()).sum();
    assert!((share - 1.0).abs() < 1e-6, "{profile:#}");
    for (phase, calls) in [("draw", 12), ("forward", 12), ("update", 12), ("evaluate", 2), ("checkpoint", 2)]
    {
        let of = phases.iter().find(|of| of["name"] == phase).unwrap();
        assert_eq!(of["calls"], calls, "{phase}");
        assert!(of["seconds"].as_f64().unwrap() > 0.0 && said.contains(phase), "{phase}: {said}");
    }
    // the generated program counts its blocks
    let memory = &profile["memory"];
    assert!(memory["height"].as_u64() > memory["gradients"].as_u64(), "{memory:#}");
    assert!(memory["activations"].as_u64() > Some(0), "{memory:#}");
    assert!(place.read("again/report.html").contains("Time of 12 steps"));
    assert!(!place.path("runs/tiny/profile.json").exists(), "not asked for");
}

/// What the compiler lists and counts is what the program has.
pub fn its_parameters_are_those_of_the_model(
    place: &Place,
    model: &str,
    variant: Option<&str>,
    binary: &Path,
) {
    let out = Command::new(binary).arg("parameters").output().unwrap();
    assert!(out.status.success(), "{}", text(&out.stderr));
    let built: Vec<Value> = serde_json::from_slice(&out.stdout).unwrap();
    let source = Source::new(model, place.read(model));
    let compiled =
        analysis::compile_model(&source, &analysis::NoFiles).unwrap_or_else(|_| panic!("{model} is wrong"));
    let listed: Vec<Value> = ir::parameters(compiled.form(variant).unwrap())
        .into_iter()
        .map(|parameter| {
            json!({
                "name": parameter.name,
                "shape": parameter.shape,
                "state": if parameter.fate.is_trained() { "trained" } else { "frozen" },
                "loaded": parameter.fate != Fate::New,
            })
        })
        .collect();
    assert_eq!(built, listed);

    let variant: Vec<&str> = variant.into_iter().flat_map(|name| ["--variant", name]).collect();
    let stats = place.succeed(&[&["stats", model, "--json"], variant.as_slice()].concat());
    let stats: Value = serde_json::from_str(&stats).unwrap();
    let total: u64 = built
        .iter()
        .map(|parameter| -> u64 {
            parameter["shape"].as_array().unwrap().iter().map(|side| side.as_u64().unwrap()).product()
        })
        .sum();
    assert_eq!(stats["parameters"]["total"], total);
}

//! What a training picked, logged and replayed.

use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use camtl::train::{Options, Outcome, TrainError, train};
use serde_json::Value;

use super::tiny::{PLAN, Place, build, lines};

const SHORT: [(&str, &str); 2] = [("steps", "12"), ("evaluate_every", "6")];

fn logged(place: &Place, name: &str, set: &[(&str, &str)]) -> Outcome {
    let options = Options { log_picks: true, ..place.options(name, set) };
    train(&PLAN, "model tiny", build(), &options, &AtomicBool::new(false)).unwrap()
}

fn replayed(place: &Place, name: &str, set: &[(&str, &str)], log: &Path) -> Result<Outcome, TrainError> {
    let options = Options { replay: Some(log.to_owned()), log_picks: true, ..place.options(name, set) };
    train(&PLAN, "model tiny", build(), &options, &AtomicBool::new(false))
}

/// The picks of each step, without their scores.
fn picks(outcome: &Outcome) -> Vec<Value> {
    let mut log = lines(&outcome.run.picks());
    for pick in log[1..].iter_mut().flat_map(|step| step["picks"].as_array_mut().unwrap()) {
        pick["score"].take();
    }
    log
}

/// Loss and gradient of each step.
fn learned(outcome: &Outcome) -> Vec<[f64; 2]> {
    let events = lines(&outcome.run.events());
    events.iter().map(|event| ["loss", "grad_norm"].map(|key| event[key].as_f64().unwrap())).collect()
}

#[test]
fn a_replay_is_the_same_training() {
    let place = Place::new();
    // what of the first is computed in scoring, the constant layer, differs in its last bits
    let kinds: [(&[(&str, &str)], bool); 5] = [
        (&[("sampler", "temperature 3")], true),
        (&[("sampler", "sequential"), ("batch", "40tokens")], true),
        (&[], false),
        (&[("candidates", "16"), ("rescore", "3")], false),
        (&[("candidates", "12"), ("batch", "40tokens")], false),
    ];
    for (i, (kind, is_exact)) in kinds.into_iter().enumerate() {
        let set = [kind, &SHORT].concat();
        let first = logged(&place, &format!("first-{i}"), &set);
        let again = replayed(&place, &format!("again-{i}"), &set, &first.run.picks()).unwrap();
        assert_eq!(picks(&first), picks(&again), "{kind:?}");
        let (a, b) = (learned(&first), learned(&again));
        let furthest =
            a.iter().flatten().zip(b.iter().flatten()).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        let weights = |outcome: &Outcome| fs::read(outcome.checkpoint.join("model.safetensors")).unwrap();
        match is_exact {
            true => assert!(furthest == 0.0 && weights(&first) == weights(&again), "{kind:?}: {furthest}"),
            false => assert!(furthest < 1e-5, "{kind:?}: {furthest}"),
        }
        assert_eq!(again.run.record.replayed, Some(first.run.picks()));
        let events = lines(&again.run.events());
        assert!(events.iter().all(|event| event["tasks"]["weather"]["candidates"] == 0), "nothing is scored");
    }
}

#[test]
fn a_log_holds_every_pick_with_its_score_and_line() {
    let place = Place::new();
    let outcome = logged(&place, "scored", &SHORT);
    let log = lines(&outcome.run.picks());
    assert_eq!(log.len(), 13);
    assert_eq!(log[0]["tasks"]["warmth"]["examples"], 40);
    for (step, line) in (1..).zip(&log[1..]) {
        assert_eq!(line["step"], step);
        let picks = line["picks"].as_array().unwrap();
        assert_eq!(picks.len(), 8);
        for pick in picks {
            assert!(pick["score"].as_f64().unwrap() > 0.0, "{pick}");
            assert_eq!(pick["line"].as_u64(), pick["example"].as_u64().map(|example| example + 2));
        }
    }
    let plain = logged(&place, "plain", &[&[("sampler", "uniform")][..], &SHORT].concat());
    assert!(lines(&plain.run.picks())[1]["picks"][0]["score"].is_null());
    assert!(!place.train("without", &SHORT).run.picks().exists());
}

#[test]
fn a_log_that_does_not_fit_is_refused_before_a_run_is_made() {
    let place = Place::new();
    let log = logged(&place, "run", &SHORT).run.picks();
    let refused = |text: &str, steps: &str| {
        let path = place.folder.path().join("picks.jsonl");
        fs::write(&path, text).unwrap();
        let error = replayed(&place, "again", &[("steps", steps)], &path).unwrap_err();
        error.to_string().replace(&path.display().to_string(), "LOG")
    };
    let good = fs::read_to_string(&log).unwrap();
    assert_eq!(refused(&good, "13"), "`LOG` has the picks of 12 steps, and 13 are to be made");
    assert!(refused("", "1").starts_with("LOG:1 is no line of a log of picks"));
    assert!(refused(&good[..good.len() - 9], "12").starts_with("LOG:13 is no line of a log of picks"));
    let swapped = good.replacen("\"step\":2,", "\"step\":3,", 1);
    assert!(refused(&swapped, "12").ends_with("step 3 stands where step 2 belongs"));
    let header = good.lines().next().unwrap();
    let alone = |pick: &str| refused(&format!("{header}\n{{\"step\":1,\"picks\":[{pick}]}}\n"), "1");
    assert!(alone("").ends_with("a step trains on at least one example"));
    let beyond = "{\"task\":\"weather\",\"example\":40,\"line\":42,\"score\":null}";
    assert!(alone(beyond).ends_with("task `weather` has 40 examples, none at 40"));
    assert!(alone(&beyond.replace("weather", "rain")).ends_with("there is no task `rain`"));

    let rows = place.data().join("weather/train.tsv");
    let text = fs::read_to_string(&rows).unwrap();
    fs::write(&rows, format!("{text}warm\tthe sun\n")).unwrap();
    assert!(refused(&good, "12").ends_with("task `weather` had 40 examples and has 41"));
    fs::write(&rows, text.replace("the", "a")).unwrap();
    assert!(refused(&good, "12").ends_with("task `weather` has as many examples, of another content"));
    assert_eq!(place.runs(), ["run"]);
}

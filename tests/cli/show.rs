//! What shows: `graph`, `stats`, `diff`, `explain`, help.

use std::fs;
use std::process::Stdio;

use crate::support::{QUICKSTART, camtlc, code, command, rooted, stderr, stdout, text};

#[test]
fn wrong_usage_is_told_from_a_mistake() {
    for arguments in [
        &["chek"][..],
        &["check"],
        &["graph", QUICKSTART, "--format", "png"],
        &["train", QUICKSTART, "--set", "lr"],
        &["predict", "run", "--task", "cola"],
        &["predict", "run", "--task", "cola", "--text", "a", "--in", "b"],
    ] {
        assert_eq!(code(&camtlc(arguments)), 2, "{arguments:?}");
    }
}

#[test]
fn version_and_help_are_there() {
    let version = camtlc(&["--version"]);
    assert_eq!(stdout(&version), format!("camtlc {}\n", env!("CARGO_PKG_VERSION")));
    for arguments in [&["--help"][..], &["train", "--help"], &["predict", "--help"]] {
        let out = camtlc(arguments);
        assert_eq!(code(&out), 0);
        assert!(stdout(&out).contains("Usage: camtlc"), "{}", stdout(&out));
    }
}

#[test]
fn graphs_and_stats_go_to_stdout() {
    for format in ["text", "dot", "mermaid", "svg", "json"] {
        let out = camtlc(&["graph", QUICKSTART, "--format", format]);
        assert_eq!(code(&out), 0, "{format}: {}", stderr(&out));
        assert!(stdout(&out).contains("embeddings"), "{format}");
    }
    let out = camtlc(&["stats", QUICKSTART, "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&out.stdout).expect("JSON");
    assert_eq!(json["model"], "quickstart");
}

#[test]
fn a_code_is_explained_by_its_long_and_its_short_name() {
    let out = camtlc(&["explain", "cam::shape::heads"]);
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    assert!(
        stdout(&out).starts_with("cam::shape::heads\n\nThe heads do not divide hidden.\n"),
        "{}",
        stdout(&out)
    );
    assert!(stdout(&out).contains("\nWrong\n\n    backbone bert {\n"), "{}", stdout(&out));
    assert_eq!(stdout(&camtlc(&["explain", "shape::heads"])), stdout(&out));
}

#[test]
fn codes_are_listed_by_area() {
    let all = camtlc(&["explain"]);
    assert_eq!(code(&all), 0, "{}", stderr(&all));
    let heads = stdout(&all).lines().find(|line| line.starts_with("cam::shape::heads ")).map(str::to_owned);
    assert!(heads.is_some_and(|line| line.ends_with("  the heads do not divide hidden")), "{}", stdout(&all));

    let shapes = camtlc(&["explain", "shape"]);
    assert_eq!(code(&shapes), 0, "{}", stderr(&shapes));
    assert!(stdout(&shapes).lines().all(|line| line.starts_with("cam::shape::")), "{}", stdout(&shapes));
}

#[test]
fn an_unknown_code_is_a_mistake_with_a_help() {
    for (name, help) in [
        ("shape::head", "did you mean `cam::shape::heads`?"),
        ("cam::shape_heads", "did you mean `cam::shape::heads`?"),
        ("E0308", "`camtlc explain` lists all codes"),
    ] {
        let out = camtlc(&["explain", name]);
        assert_eq!(code(&out), 1);
        assert!(stderr(&out).contains("camtlc::explain"), "{}", stderr(&out));
        assert!(stderr(&out).contains(&format!("no code is called `{name}`")), "{}", stderr(&out));
        assert!(stderr(&out).contains(help), "{}", stderr(&out));
        assert!(stdout(&out).is_empty(), "{}", stdout(&out));
    }
}

#[test]
fn costs_are_those_of_the_step_that_is_asked_for() {
    let figures = |arguments: &[&str]| -> serde_json::Value {
        let out = camtlc(&[&["stats", QUICKSTART, "--json"], arguments].concat());
        assert_eq!(code(&out), 0, "{}", stderr(&out));
        serde_json::from_slice(&out.stdout).expect("JSON")
    };
    let (own, double) = (figures(&[]), figures(&["--batch", "64", "--length", "32"]));
    assert_eq!(own["load"], serde_json::json!({ "batch": 32, "length": 32 }));
    let layers = |figures: &serde_json::Value| {
        let components = figures["components"].as_array().expect("a list");
        let layers = components.iter().find(|part| part["component"] == "layers").expect("layers");
        layers["flops"]["step"].as_u64().expect("a number")
    };
    assert_eq!(layers(&double), 2 * layers(&own));

    let out = camtlc(&["stats", QUICKSTART, "--length", "33"]);
    assert_eq!(code(&out), 1);
    assert!(stderr(&out).contains("`--length 32`"), "{}", stderr(&out));
    for wrong in ["0", "-1", "many", "1000001"] {
        assert_eq!(code(&camtlc(&["stats", QUICKSTART, "--batch", wrong])), 2, "{wrong}");
    }
}

#[test]
fn two_models_are_compared() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let narrow = folder.path().join("narrow.cam");
    let text_of_it = fs::read_to_string(rooted(QUICKSTART)).expect("read");
    fs::write(&narrow, text_of_it.replace("width 32", "width 16")).expect("written");

    let out = camtlc(&["diff", QUICKSTART, QUICKSTART]);
    assert_eq!((code(&out), stdout(&out).as_str()), (0, "no difference\n"), "{}", stderr(&out));

    let out = camtlc(&["diff", QUICKSTART, &text(&narrow)]);
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    // Both are called `quickstart`.
    assert!(stdout(&out).starts_with(&format!("{QUICKSTART} -> {}\n", text(&narrow))), "{}", stdout(&out));
    assert!(stdout(&out).contains("to layer 3 { width 32 } -> to layer 3 { width 16 }"), "{}", stdout(&out));

    let out = camtlc(&["diff", QUICKSTART, "models/camtl_minilm.cam", "--length", "16", "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&out.stdout).expect("JSON");
    assert_eq!((&json["from"]["model"], &json["to"]["load"]["length"]), (&"quickstart".into(), &16.into()));
    assert_eq!(json["equal"], false);

    for arguments in [["no/such.cam", QUICKSTART], [QUICKSTART, "no/such.cam"]] {
        let out = camtlc(&[&["diff"], &arguments[..]].concat());
        assert_eq!(code(&out), 1);
        assert!(stderr(&out).contains("cannot read `no/such.cam`"), "{}", stderr(&out));
    }
}

#[test]
fn a_reader_that_stops_early_is_no_error() {
    let mut child = command(&["graph", QUICKSTART, "--format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("camtlc starts");
    drop(child.stdout.take());
    let out = child.wait_with_output().expect("camtlc ends");
    assert_eq!(code(&out), 0, "{}", stderr(&out));
}

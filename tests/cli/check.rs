//! What judges a file: `check` and `fmt`.

use std::fs;

use crate::support::{QUICKSTART, camtlc, camtlc_with, code, rooted, stderr, stdout, text};

#[test]
fn a_good_model_is_checked() {
    let out = camtlc(&["check", QUICKSTART]);
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    assert!(stdout(&out).contains("`quickstart` is fine"), "{}", stdout(&out));
}

#[test]
fn a_file_that_is_not_there_is_a_mistake_with_a_cause_and_a_help() {
    for command in ["check", "fmt", "graph", "stats", "build", "train"] {
        let out = camtlc(&[command, "no/such.cam"]);
        assert_eq!(code(&out), 1, "{command}");
        assert!(stderr(&out).contains("cannot read `no/such.cam`"), "{command}: {}", stderr(&out));
        assert!(stderr(&out).contains("help: "), "{command}: {}", stderr(&out));
        assert!(stdout(&out).is_empty(), "{command}: {}", stdout(&out));
    }
}

#[test]
fn a_wrong_model_is_shown_under_its_lines_and_the_next_file_is_checked_too() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let wrong = folder.path().join("wrong.cam");
    fs::write(&wrong, "model wrong\nbackbone bert { heds 12 }\n").expect("written");
    let out = camtlc(&["check", &text(&wrong), QUICKSTART]);
    assert_eq!(code(&out), 1);
    assert!(stderr(&out).contains("wrong.cam:2"), "{}", stderr(&out));
    assert!(stderr(&out).contains("heds"), "{}", stderr(&out));
    assert!(stdout(&out).contains("`quickstart` is fine"), "{}", stdout(&out));
}

#[test]
fn fmt_checks_and_then_rewrites() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("untidy.cam");
    let tidy = fs::read_to_string(rooted(QUICKSTART)).expect("read");
    let untidy = tidy.replacen("model quickstart", "model    quickstart", 1);
    assert_ne!(tidy, untidy);
    fs::write(&file, &untidy).expect("written");

    let out = camtlc(&["fmt", "--check", &text(&file)]);
    assert_eq!(code(&out), 1);
    assert!(stderr(&out).contains("untidy.cam is not in the standard layout"), "{}", stderr(&out));
    assert_eq!(fs::read_to_string(&file).expect("read"), untidy);

    assert_eq!(code(&camtlc(&["fmt", &text(&file)])), 0);
    assert_eq!(code(&camtlc(&["fmt", "--check", &text(&file)])), 0);
    assert_eq!(fs::read_dir(folder.path()).expect("listed").count(), 1, "a temporary file was left");
}

#[test]
fn fmt_reads_stdin() {
    let tidy = fs::read_to_string(rooted(QUICKSTART)).expect("read");
    let out = camtlc_with(&["fmt", "-"], &tidy.replacen("model quickstart", "model   quickstart", 1));
    assert_eq!(code(&out), 0);
    assert!(stdout(&out).contains("model quickstart\n"), "{}", stdout(&out));
}

#[test]
fn check_reads_stdin_and_tells_everything_as_json() {
    let text = "model wrong\nbackbone bert { heds 12 }\nsequence é\n";
    let out = camtlc_with(&["check", "--json", "-"], text);
    assert_eq!(code(&out), 1);
    assert!(stderr(&out).is_empty(), "{}", stderr(&out));
    let json: serde_json::Value = serde_json::from_str(&stdout(&out)).expect("JSON");
    let file = &json["files"][0];
    assert_eq!(file["file"], "stdin");
    assert_eq!(file["errors"], file["diagnostics"].as_array().map(Vec::len).expect("a list"));
    let mut found = file["diagnostics"].as_array().expect("a list").iter();
    let unexpected = found.find(|one| one["code"] == "cam::syntax::unexpected");
    let label = &unexpected.expect("the sequence is no number")["labels"][0];
    assert_eq!(label["file"], "stdin");
    assert_eq!(label["start"], serde_json::json!({ "line": 3, "column": 10, "offset": 47 }));

    let out = camtlc(&["check", "--json", QUICKSTART, "no/such.cam"]);
    assert_eq!(code(&out), 1);
    let json: serde_json::Value = serde_json::from_str(&stdout(&out)).expect("JSON");
    assert_eq!(json["files"][0]["model"], "quickstart");
    assert_eq!(json["files"][1]["diagnostics"][0]["code"], "camtlc::file");
}

#[test]
fn warnings_are_mistakes_on_request() {
    let file = "models/camtl_base.cam";
    assert_eq!(code(&camtlc(&["check", file])), 0);
    assert_eq!(code(&camtlc(&["check", "--deny-warnings", file])), 1);
    assert_eq!(code(&camtlc(&["check", "--deny-warnings", QUICKSTART])), 0);
}

#[test]
fn a_variant_is_chosen_by_its_name() {
    let file = "models/camtl_base.cam";
    let out = camtlc(&["check", file, "--variant", "baseline"]);
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    assert!(stdout(&out).contains("`camtl_base.baseline` is fine"), "{}", stdout(&out));
    let conditional = stdout(&camtlc(&["graph", file]));
    let plain = stdout(&camtlc(&["graph", file, "--variant", "baseline"]));
    assert!(conditional.contains("(conditional)") && !plain.contains("(conditional)"), "{plain}");
    for command in ["check", "graph", "stats", "build", "train"] {
        let out = camtlc(&[command, file, "--variant", "basline"]);
        assert_eq!(code(&out), 1, "{command}");
        assert!(stderr(&out).contains("did you mean `baseline`?"), "{command}: {}", stderr(&out));
    }
}

#[test]
fn a_file_that_is_no_text_is_told_apart() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("model.cam");
    fs::write(&file, b"model a\n// caf\xe9\n").expect("written");
    for command in ["check", "fmt", "graph"] {
        let out = camtlc(&[command, &text(&file)]);
        assert_eq!(code(&out), 1);
        assert!(stderr(&out).contains("line 2 is not UTF-8"), "{}", stderr(&out));
    }
}

#[test]
fn an_assertion_that_does_not_hold_stops_what_builds_and_not_what_shows() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("model.cam");
    let quickstart = fs::read_to_string(rooted(QUICKSTART)).expect("read");
    fs::write(&file, format!("{quickstart}\nassert parameters < 1 k\n")).expect("written");
    let file = text(&file);
    for (arguments, expected) in [
        (&["check", &file] as &[&str], 1),
        (&["build", &file], 1),
        (&["train", &file], 1),
        (&["stats", &file], 0),
        (&["graph", &file], 0),
        (&["diff", &file, QUICKSTART], 0),
    ] {
        let out = camtlc(arguments);
        assert_eq!(code(&out), expected, "{arguments:?}: {}", stderr(&out));
        assert!(stderr(&out).contains("`parameters < 1 k` does not hold"), "{arguments:?}: {}", stderr(&out));
    }
}

//! Rows that cannot be read: an error by default, left out and counted where that is asked for.

use serde_json::Value;

use crate::support::{Place, text};

#[test]
fn unreadable_rows_are_left_out_where_that_is_asked_for_and_always_told() {
    let place = Place::new();
    let rows = place.read("data/sentiment/train.tsv");
    let good = rows.lines().count() - 1;
    let bad = "positive\nneutral\tthe film was good\nnegative\ta\tb\npositive\n";
    place.write("data/sentiment/train.tsv", &format!("{rows}{bad}"));
    let first = good + 2;

    let refused = place.camtlc(&["train", "tiny.cam", "--data", "data", "--out", "run"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        text(&refused.stderr).contains(&format!("train.tsv:{first}: the row has 1 columns instead of 2"))
    );
    assert!(!place.path("run").exists());

    // twice: what is told does not depend on whether the tokens were kept
    let skip = "--skip-unreadable";
    for out in ["run", "again"] {
        let done = place.camtlc(&["train", "tiny.cam", "--data", "data", "--out", out, skip]);
        let said = text(&done.stderr);
        assert!(done.status.success(), "{said}");
        assert!(said.contains("sentiment, train: 4 rows left out, which cannot be read"), "{said}");
        for line in [first, first + 1, first + 2] {
            assert!(said.contains(&format!("train.tsv:{line}: ")), "{said}");
        }
        assert!(said.contains("  and 1 more"), "{said}");
        let record: Value = serde_json::from_str(&place.read(&format!("{out}/run.json"))).unwrap();
        let train = &record["data"]["sentiment"]["train"];
        assert_eq!((&train["examples"], &train["left_out"]), (&good.into(), &4.into()));
    }

    let refused = place.camtlc(&["simulate", "tiny.cam", "--data", "data"]);
    assert_eq!(refused.status.code(), Some(1));
    let told = place.camtlc(&["simulate", "tiny.cam", "--data", "data", skip, "--json"]);
    assert!(text(&told.stderr).contains("sentiment, train: 4 rows left out"), "{}", text(&told.stderr));
    let simulation: Value = serde_json::from_slice(&told.stdout).unwrap();
    let task = &simulation["simulation"]["tasks"][0];
    assert_eq!((&task["examples"], &task["unreadable"]), (&good.into(), &4.into()));

    let dev = place.read("data/sentiment/dev.tsv");
    place.write("data/sentiment/dev.tsv", &format!("{dev}neutral\tthe film was good\n"));
    assert_eq!(place.camtlc(&["eval", "run"]).status.code(), Some(1));
    let told = place.camtlc(&["eval", "run", skip]);
    assert!(text(&told.stderr).contains("sentiment, dev: 1 row left out, which cannot be read\n"));
    let asked = ["eval", "run", "--task", "sentiment", "--as", "tsv:sentiment"];
    assert_eq!(place.camtlc(&asked).status.code(), Some(1));
    let told = place.camtlc(&[&asked[..], &[skip]].concat());
    assert!(told.status.success() && text(&told.stderr).contains("tsv:sentiment, dev: 1 row left out"));

    // of nothing, nothing can be learned
    place.write("data/sentiment/train.tsv", &format!("label\ttext_a\n{bad}"));
    let nothing = place.camtlc(&["train", "tiny.cam", "--data", "data", "--out", "none", skip]);
    assert!(nothing.status.code() == Some(1) && !place.path("none").exists());
}

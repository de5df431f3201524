//! A model of two files in one of its variants: what is built, and what a run of it remembers.

use serde_json::Value;

use crate::scratch::its_parameters_are_those_of_the_model;
use crate::support::{Place, scratch};

const VARIANT: &str = r#"
include "lists/warmth.cam"

variant plain {
    detach attention, norm, bottleneck
    drop agree
    train { sampler proportional   steps 6   evaluate every 3 }
}
"#;

#[test]
fn a_run_knows_its_variant_and_needs_no_other_file() {
    let place = Place::new();
    let warmth =
        r#"warmth    { regress 0.0 .. 5.0                data tsv "warmth"   uncertainty as sentiment }"#;
    let model = scratch();
    assert!(model.contains(warmth));
    place.write("lists/warmth.cam", &format!("tasks {{ {warmth} }} // the last line\n"));
    let weighted = r#"opposite           data tsv "agree"   weight 0.5"#;
    let model = model.replace(warmth, "").replace(r#"opposite           data tsv "agree""#, weighted);
    place.write("split.cam", &format!("{model}{VARIANT}").replace("model tiny", "model split"));

    let said = place.succeed(&["train", "split.cam", "--variant", "plain", "--data", "data"]);
    assert!(said.contains("runs/split.plain"), "{said}");
    let record: Value = serde_json::from_str(&place.read("runs/split.plain/run.json")).unwrap();
    assert_eq!((&record["model"], &record["variant"]), (&"split".into(), &"plain".into()));
    assert_eq!(place.lines("runs/split.plain/events.jsonl").len(), 6);

    // The run holds all that it was made from.
    std::fs::remove_dir_all(place.path("lists")).unwrap();
    std::fs::remove_file(place.path("split.cam")).unwrap();
    let table = place.succeed(&["eval", "runs/split.plain"]);
    assert!(table.contains("warmth") && !table.contains("agree"), "{table}");
    let binary = place.build_form("runs/split.plain/model.cam", Some("plain"));
    its_parameters_are_those_of_the_model(&place, "runs/split.plain/model.cam", Some("plain"), &binary);
}

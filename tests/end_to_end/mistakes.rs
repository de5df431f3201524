//! What a user can get wrong: each is one error on stderr with the words that help, exit code 1, and nothing is written.

use crate::pretrained::write_bert;
use crate::support::{Place, on_checkpoint, scratch, text};

/// Trains with `arguments`, which fails; `words` are all in the one error.
fn refused(place: &Place, arguments: &[&str], words: &[&str]) {
    let before = place.listing();
    let out = place.camtlc(&[&["train"], arguments].concat());
    let (said, shown) = (text(&out.stderr), text(&out.stdout));
    assert_eq!(out.status.code(), Some(1), "{arguments:?}: {said}");
    assert_eq!(said.matches('×').count(), 1, "{arguments:?}: {said}");
    for word in words {
        assert!(said.contains(word), "{arguments:?}: `{word}` is not in {said}");
    }
    assert!(said.contains("help: "), "{arguments:?}: {said}");
    assert_eq!(shown, "", "{arguments:?}");
    assert_eq!(place.listing(), before, "{arguments:?}");
}

#[test]
fn in_the_model() {
    let place = Place::new();
    let model = |name: &str, wrong: String, right: String| {
        assert_ne!(wrong, right, "nothing is wrong");
        place.write(name, &wrong);
    };
    model("misspelt.cam", scratch().replace("hidden 16", "hiden 16"), scratch());
    refused(
        &place,
        &["misspelt.cam", "--data", "data"],
        &["misspelt.cam:3", "hiden", "did you mean `hidden`"],
    );
    model("outside.cam", on_checkpoint().replace("layer 0", "layers 0..3"), on_checkpoint());
    refused(&place, &["outside.cam", "--data", "data"], &["outside.cam:4", "layers 0..3"]);
}

#[test]
fn in_the_data_and_the_settings() {
    let place = Place::new();
    place.build("tiny.cam");
    let refused = |arguments: &[&str], words: &[&str]| {
        refused(&place, &[&["tiny.cam", "--out", "run"], arguments].concat(), words);
    };
    let here = ["--data", "data"];
    refused(&["--data", "elsewhere"], &["there is no data folder `elsewhere`"]);
    refused(&[&here[..], &["--set", "learning_rate=1"]].concat(), &["there is no setting `learning_rate`"]);
    refused(&[&here[..], &["--set", "lr=fast"]].concat(), &["`fast` is no value of `lr`"]);
    refused(&[&here[..], &["--backbone", "data"]].concat(), &["--backbone has no use"]);

    let rows = place.read("data/sentiment/train.tsv");
    place.write("data/sentiment/train.tsv", &format!("{rows}positive\n"));
    let line = rows.lines().count() + 1;
    refused(&here, &[&format!("data/sentiment/train.tsv:{line}: the row has 1 columns instead of 2")]);
    place.write("data/sentiment/train.tsv", &rows.replacen("negative", "neutral", 1));
    refused(&here, &["data/sentiment/train.tsv:2: `neutral` is not a label of the task", "`negative`"]);
    place.write("data/sentiment/train.tsv", &rows);

    std::fs::rename(place.path("data/agree"), place.path("agree")).unwrap();
    refused(&here, &["task `agree`: there is no folder `data/agree`"]);
}

#[test]
fn in_the_checkpoint() {
    let place = Place::new();
    place.build("tuned.cam");
    let refused = |arguments: &[&str], words: &[&str]| {
        refused(&place, &[&["tuned.cam", "--out", "run", "--data", "data"], arguments].concat(), words);
    };
    refused(&[], &["`tiny-bert`", "--backbone DIR"]);
    refused(&["--backbone", "none"], &["no checkpoint folder at none"]);
    refused(&["--backbone", "data"], &["data/config.json"]);
    write_bert(&place.path("wide"), 20);
    refused(
        &["--backbone", "wide"],
        &["of another size", "`hidden` is 20 in the checkpoint and 16 in the model"],
    );

    // Its sizes are as they should be, its tensors are not.
    write_bert(&place.path("mixed"), 16);
    std::fs::copy(place.path("wide/model.safetensors"), place.path("mixed/model.safetensors")).unwrap();
    let words = ["`pooler.dense.weight` is [20, 20] in the checkpoint and [16, 16] in the model"];
    refused(&["--backbone", "mixed"], &words);
}

//! A task of each kind from its file layout to the file that its benchmark accepts.

use serde_json::Value;

use crate::support::{Place, VOCAB, text, values};

fn model() -> String {
    let backbone =
        format!("tokenizer \"vocab.txt\" layers 1 hidden 16 heads 2 ffn 32 vocab {VOCAB} positions 24");
    format!(
        r#"model kinds

backbone bert {{ {backbone} }}

sequence 24

tasks {{
    cola   {{ classify 2                  data glue "CoLA" }}
    stsb   {{ regress 0.0 .. 5.0          data glue "STS-B"   uncertainty as words }}
    words  {{ tag O, B-praise, I-praise   data conll "words" }}
    find   {{ span {{ stride 6 }}         data squad "find" }}
    cause  {{ choose 2                    data superglue "COPA" }}
    detail {{ classify 2                  data superglue "MultiRC" }}
    pairs  {{ classify 2                  data superglue "RTE" }}
}}

attach norm to layer 0

train {{ sampler mt_uncertainty   batch 8   steps 4   seed 3 }}
"#
    )
}

/// Of each task a train, a dev and a test file; the last without labels.
fn write_data(place: &Place) {
    let long = "the film was good . ".repeat(8);
    let question = |answers: &str| {
        format!(
            r#"{{"data": [{{"paragraphs": [{{"context": "{long}the book was great .", "qas": [
                {{"id": "q7", "question": "this is", "answers": [{answers}]}}]}}]}}]}}"#
        )
    };
    let start = long.len() + "the book was ".len();
    let answered = question(&format!(r#"{{"text": "great", "answer_start": {start}}}"#));
    let copa = |label: &str| {
        format!(
            r#"{{"premise": "the film was good", "choice1": "poor", "choice2": "great", "question": "cause"{label}, "idx": 4}}"#
        )
    };
    let multirc = |label: &str| {
        format!(
            r#"{{"idx": 2, "passage": {{"text": "the film was good", "questions": [{{"idx": 3, "question": "is this",
            "answers": [{{"idx": 8, "text": "good"{label}}}, {{"idx": 9, "text": "poor"{label}}}]}}]}}}}"#
        )
        .replace('\n', " ")
    };
    for (split, labelled) in [("train", true), ("dev", true), ("test", false)] {
        let of_superglue = if split == "dev" { "val" } else { split };
        let cola = match labelled {
            true => "x\t1\t\tthe film was good\nx\t0\t*\tfilm the good was\n".to_owned(),
            false => "index\tsentence\n0\tthe film\n1\tthe book\n".to_owned(),
        };
        let stsb = match labelled {
            true => {
                "index\tsentence1\tsentence2\tscore\n0\tthe film\tthe book\t2.5\n1\ta book\ta book\t5.0\n"
            }
            false => "index\tsentence1\tsentence2\n0\tthe film\tthe book\n",
        };
        let words = match labelled {
            true => "the\tO\nfilm\tO\ngreat\tB-praise\ngood\tI-praise\n\nfine\tB-praise\n",
            false => "the\nfilm\n\ngreat\n",
        };
        place.write(&format!("data/CoLA/{split}.tsv"), &cola);
        place.write(&format!("data/STS-B/{split}.tsv"), stsb);
        place.write(&format!("data/words/{split}.conll"), words);
        place.write(
            &format!("data/find/{split}.json"),
            &if labelled { answered.clone() } else { question("") },
        );
        let label = |label: &str| if labelled { format!(", \"label\": {label}") } else { String::new() };
        place.write(&format!("data/COPA/{of_superglue}.jsonl"), &copa(&label("1")));
        place.write(&format!("data/MultiRC/{of_superglue}.jsonl"), &multirc(&label("1")));
        let pair = format!(
            r#"{{"premise": "the film", "hypothesis": "the book"{}, "idx": 5}}"#,
            label("\"entailment\"")
        );
        place.write(&format!("data/RTE/{of_superglue}.jsonl"), &pair);
    }
    // what SuperGLUE asks RTE's head besides
    let broad =
        r#"{"sentence1": "the film", "sentence2": "a book", "idx": 6, "label": "entailment", "logic": ""}"#;
    let gender = r#"{"premise": "the film", "hypothesis": "a book", "idx": 7, "label": "not_entailment"}"#;
    place.write("data/AX-b/AX-b.jsonl", broad);
    place.write("data/AX-g/AX-g.jsonl", gender);
}

#[test]
fn every_kind_is_trained_measured_and_asked_for_its_benchmark() {
    let place = Place::new();
    place.write("kinds.cam", &model());
    write_data(&place);
    place.succeed(&["train", "kinds.cam", "--data", "data"]);
    let figures = values(&place.succeed(&["eval", "runs/kinds", "--json"])).remove(0);
    let expected = [
        ("cola", "matthews"),
        ("stsb", "pearson"),
        ("words", "recall"),
        ("find", "exact_match"),
        ("cause", "accuracy"),
        ("detail", "f1a"),
        ("pairs", "accuracy"),
    ];
    for (task, figure) in expected {
        let value = figures["tasks"][task][figure].as_f64();
        assert!(value.is_some_and(f64::is_finite), "{task} has no {figure}: {figures}");
    }

    let answer = |arguments: &[&str]| -> Value {
        values(&place.succeed(&[&["predict", "runs/kinds"], arguments].concat())).remove(0)
    };
    let tags = answer(&["--task", "words", "--text", "the film great"]);
    assert_eq!(tags["tags"].as_array().map(Vec::len), Some(3));
    let found = answer(&["--task", "find", "--text", "this is", "--text-b", "the book was great"]);
    assert!("the book was great".contains(found["answer"].as_str().unwrap()), "{found}");
    let asked = ["--task", "cause", "--text", "the film", "--choice", "good", "--choice", "poor"];
    assert!(answer(&asked)["choice"].as_u64().is_some_and(|choice| choice < 2));

    let said = place.succeed(&["predict", "runs/kinds", "--all", "--out", "answers"]);
    let others = ["CoLA.tsv", "STS-B.tsv", "words.conll", "find.json"];
    let of_superglue = ["COPA.jsonl", "MultiRC.jsonl", "RTE.jsonl", "AX-b.jsonl", "AX-g.jsonl"];
    let files = [others.as_slice(), &of_superglue].concat();
    assert_eq!(said.lines().count(), files.len());
    for file in files {
        assert!(said.contains(file), "{said}");
    }
    let cola = place.read("answers/CoLA.tsv");
    assert!(cola.starts_with("index\tprediction\n0\t") && cola.lines().count() == 3, "{cola}");
    assert_eq!(place.read("answers/words.conll").matches("\n\n").count(), 2);
    let answers: Value = serde_json::from_str(&place.read("answers/find.json")).unwrap();
    assert!(answers["q7"].is_string(), "{answers}");
    let copa = &place.lines("answers/COPA.jsonl")[0];
    assert!(copa["idx"] == 4 && copa["label"].is_u64(), "{copa}");
    for (file, idx) in [("RTE", 5), ("AX-b", 6), ("AX-g", 7)] {
        let pair = &place.lines(&format!("answers/{file}.jsonl"))[0];
        assert!(pair["idx"] == idx && pair["label"].as_str().unwrap().ends_with("entailment"), "{pair}");
    }
    let passage = &place.lines("answers/MultiRC.jsonl")[0];
    assert_eq!(
        (&passage["idx"], &passage["passage"]["questions"][0]["answers"][1]["idx"]),
        (&2.into(), &9.into())
    );

    // a split that is missing leaves no folder, and a folder that is there is not written over
    std::fs::remove_file(place.path("data/COPA/test.jsonl")).unwrap();
    let refused = place.camtlc(&["predict", "runs/kinds", "--all", "--out", "more"]);
    assert!(refused.status.code() == Some(1) && text(&refused.stderr).contains("COPA"));
    assert!(!place.path("more").exists());
    let refused = place.camtlc(&["predict", "runs/kinds", "--all", "--split", "dev", "--out", "answers"]);
    assert_eq!(refused.status.code(), Some(1), "{}", text(&refused.stderr));
}

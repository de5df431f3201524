//! The data room from the outside: the quickstart's files, the token cache, and real GLUE where it is at hand.
//!
//! Real data is not part of the project. `CAMTL_GLUE=DIR cargo test --test data -- --ignored real_glue` reads it from
//! `DIR`, which holds `CoLA`, `SST-2` and so on; with `CAMTL_CHECKPOINT=DIR` a BERT's tokenizer is tried on it.
//! `CAMTL_DATA=DIR cargo test --test data -- --ignored eighteen` reads `glue/CoLA`, `superglue/CB`, `squad`, `wnut17`
//! and so on below `DIR`.
#![cfg(all(feature = "compiler", feature = "runtime"))]

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use camtl::cli::quickstart_data;
use camtl::data::read::{Expected, ReadError, examples};
use camtl::data::{Format, Goal, Input, Kind, Request, Source, Split, Target, Tokenizer, Unreadable, load};

const TASKS: [(&str, Kind); 3] = [
    ("sentiment", Kind::Classify { labels: &["negative", "positive"] }),
    ("entails", Kind::Classify { labels: &["contradiction", "entailment", "neutral"] }),
    ("warmth", Kind::Regress { low: 0.0, high: 5.0, unit: true }),
];

fn quickstart() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models/quickstart")
}

fn request<'a>(task: &'static str, kind: Kind, split: Split, root: &'a Path) -> Request<'a> {
    let source = Source::tsv(task);
    Request { task, source, kind, split, root, unreadable: Unreadable::Fail, cache: None }
}

#[test]
fn the_quickstart_is_what_its_rules_make() {
    let mut size = 0;
    for (path, text) in quickstart_data::files() {
        // A checkout may have turned line ends round.
        let committed = fs::read_to_string(quickstart().join(&path)).unwrap().replace("\r\n", "\n");
        assert!(committed == text, "models/quickstart/{path} is not what `camtlc quickstart-data` makes");
        size += text.len();
    }
    assert!(size < 600_000, "{size} bytes");
}

#[test]
fn the_quickstart_is_readable_distinct_and_in_its_vocabulary() {
    let tokenizer = Tokenizer::open(&quickstart(), 256, 32).unwrap();
    for (task, kind) in TASKS {
        let root = quickstart();
        let read = |split| load(&request(task, kind, split, &root), &tokenizer).unwrap();
        let (train, dev) = (read(Split::Train), read(Split::Dev));
        assert_eq!((train.len(), dev.len()), (2000, 300), "{task}");
        assert!(train.labelled() && dev.labelled());
        let mut seen = HashSet::new();
        for part in [&train, &dev] {
            assert_eq!((part.truncated(), part.left_out().count()), (0, 0), "{task}");
            for i in 0..part.len() {
                assert!(!part.ids(i).contains(&1), "{task}: an unknown word in line {}", part.line(i));
                assert!(seen.insert(part.ids(i).to_vec()), "{task}: line {} is not new", part.line(i));
                assert!(0 < part.first(i) && part.first(i) <= part.tokens(i));
            }
        }
        if let Kind::Classify { labels } = kind {
            for class in 0..labels.len() as u32 {
                let rows = (0..train.len()).filter(|&i| train.goal(i) == Goal::Class(class)).count();
                assert!(rows * labels.len() > 1600, "{task}: {rows} rows of {}", labels[class as usize]);
            }
        }
    }
}

#[test]
fn a_cache_is_used_while_it_is_whole_and_made_anew_where_it_is_not() {
    let (data, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let rows = "label\ttext_a\npositive\tthe film was good .\nnegative\tthe book was dull .\n";
    fs::create_dir(data.path().join("sentiment")).unwrap();
    fs::write(data.path().join("sentiment/train.tsv"), rows).unwrap();
    let tokenizer = Tokenizer::open(&quickstart(), 256, 32).unwrap();
    let plain = request("sentiment", TASKS[0].1, Split::Train, data.path());
    let cached = Request { cache: Some(cache.path()), ..plain };
    let files = || {
        let entries = fs::read_dir(cache.path()).unwrap().map(|entry| entry.unwrap().path());
        entries.collect::<Vec<_>>()
    };

    let fresh = load(&plain, &tokenizer).unwrap();
    assert!(files().is_empty());
    assert_eq!(load(&cached, &tokenizer).unwrap(), fresh);
    let [file] = files().try_into().unwrap();
    assert_eq!(load(&cached, &tokenizer).unwrap(), fresh);

    let whole = fs::read(&file).unwrap();
    let mut damaged = whole.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 0x10;
    fs::write(&file, damaged).unwrap();
    assert_eq!(load(&cached, &tokenizer).unwrap(), fresh);
    assert_eq!(fs::read(&file).unwrap(), whole);

    // Another content, sequence or label order is another cache.
    fs::write(data.path().join("sentiment/train.tsv"), rows.replace("film", "song")).unwrap();
    let changed = load(&cached, &tokenizer).unwrap();
    assert!(changed.ids(0) != fresh.ids(0) && changed.fingerprint() != fresh.fingerprint());
    let short = Tokenizer::open(&quickstart(), 256, 5).unwrap();
    assert_eq!(load(&cached, &short).unwrap().truncated(), 2);
    let turned = Request { kind: Kind::Classify { labels: &["positive", "negative"] }, ..cached };
    assert_eq!(load(&turned, &tokenizer).unwrap().goal(0), Goal::Class(0));
    assert_eq!(files().len(), 4);
}

#[test]
fn a_cache_that_cannot_be_written_does_not_stop_a_run() {
    let folder = tempfile::tempdir().unwrap();
    let blocked = folder.path().join("a file");
    fs::write(&blocked, "").unwrap();
    let tokenizer = Tokenizer::open(&quickstart(), 256, 32).unwrap();
    let root = quickstart();
    let plain = request("sentiment", TASKS[0].1, Split::Dev, &root);
    assert_eq!(load(&Request { cache: Some(&blocked), ..plain }, &tokenizer).unwrap().len(), 300);
}

const BINARY: Kind = Kind::Classify { labels: &["0", "1"] };
const PAIR: Kind = Kind::Classify { labels: &["entailment", "not_entailment"] };

/// Set, kind, and rows of train and dev. Of QNLI, MNLI and QQP, samples of the official sizes are counted.
const GLUE: [(&str, Kind, usize, usize); 9] = [
    ("CoLA", BINARY, 8551, 1043),
    ("SST-2", BINARY, 67349, 872),
    ("MRPC", BINARY, 3668, 408),
    ("RTE", PAIR, 2490, 277),
    ("STS-B", Kind::Regress { low: 0.0, high: 5.0, unit: true }, 5749, 1500),
    ("WNLI", BINARY, 635, 71),
    ("QNLI", PAIR, 9999, 5463),
    ("MNLI", Kind::Classify { labels: &["contradiction", "entailment", "neutral"] }, 10471, 9815),
    ("QQP", BINARY, 31862, 1000),
];

fn folder_of(variable: &str) -> PathBuf {
    PathBuf::from(std::env::var_os(variable).unwrap_or_else(|| panic!("{variable} names no folder")))
}

#[test]
#[ignore = "reads the data in CAMTL_GLUE"]
fn real_glue_is_read_to_the_last_row() {
    let root = folder_of("CAMTL_GLUE");
    for (set, kind, train, dev) in GLUE {
        let source = Source::glue(set, set);
        for (split, rows) in [(Split::Train, train), (Split::Dev, dev)] {
            let expected = Expected { kind, labelled: true, unreadable: Unreadable::Fail };
            let found = examples(set, source, split, &root, expected).unwrap();
            assert_eq!((found.rows.len(), found.left_out.count()), (rows, 0), "{set} {split}");
        }
        let expected = Expected { kind, labelled: false, unreadable: Unreadable::Fail };
        if let Ok(test) = examples(set, source, Split::Test, &root, expected) {
            assert!(test.rows.iter().all(|row| row.target == Target::None), "{set} test");
        }
    }
}

const TRUTH: Kind = Kind::Classify { labels: &["false", "true"] };
const INFERENCE: Kind = Kind::Classify { labels: &["contradiction", "entailment", "neutral"] };
const WNUT: Kind = Kind::Tag {
    labels: &[
        "O",
        "B-corporation",
        "I-corporation",
        "B-creative-work",
        "I-creative-work",
        "B-group",
        "I-group",
        "B-location",
        "I-location",
        "B-person",
        "I-person",
        "B-product",
        "I-product",
    ],
};

/// Folder, format, kind, and examples of train and dev.
type Set = (&'static str, Format, Kind, [usize; 2]);

/// The sets beside GLUE. The examples of MultiRC and ReCoRD are answers and entities.
const OTHERS: [Set; 10] = [
    ("superglue/BoolQ", Format::SuperGlue("BoolQ"), TRUTH, [1061, 3270]),
    ("superglue/CB", Format::SuperGlue("CB"), INFERENCE, [250, 56]),
    ("superglue/COPA", Format::SuperGlue("COPA"), Kind::Choose { choices: 2 }, [400, 100]),
    ("superglue/MultiRC", Format::SuperGlue("MultiRC"), BINARY, [27243, 4848]),
    ("superglue/ReCoRD", Format::SuperGlue("ReCoRD"), BINARY, [397, 369]),
    ("superglue/RTE", Format::SuperGlue("RTE"), PAIR, [2490, 277]),
    ("superglue/WiC", Format::SuperGlue("WiC"), TRUTH, [5428, 638]),
    ("superglue/WSC", Format::SuperGlue("WSC"), TRUTH, [554, 104]),
    ("squad", Format::Squad, Kind::Span { stride: 64 }, [87599, 10570]),
    ("wnut17", Format::Conll, WNUT, [3394, 1009]),
];

/// Lines of train and dev of the sets with several examples a line.
const LINES: [(&str, [usize; 2]); 2] = [("superglue/MultiRC", [456, 83]), ("superglue/ReCoRD", [32, 32])];

/// Nine sets of GLUE, eight of SuperGLUE of which RTE is the same, SQuAD and WNUT: eighteen tasks.
#[test]
#[ignore = "reads the data in CAMTL_DATA"]
fn eighteen_tasks_are_read_to_the_last_row() {
    let root = folder_of("CAMTL_DATA");
    let glue = GLUE.map(|(set, kind, train, dev)| (set, Source::glue(set, set), kind, [train, dev]));
    let others = OTHERS.map(|(folder, format, kind, rows)| (folder, Source::new(format, folder), kind, rows));
    for (at, (name, source, kind, rows)) in glue.into_iter().chain(others).enumerate() {
        let root = if at < GLUE.len() { root.join("glue") } else { root.clone() };
        for (i, split) in [Split::Train, Split::Dev].into_iter().enumerate() {
            let expected = Expected { kind, labelled: true, unreadable: Unreadable::Fail };
            let found = examples(name, source, split, &root, expected).unwrap();
            assert_eq!((found.rows.len(), found.left_out.count()), (rows[i], 0), "{name} {split}");
            if let Some((_, lines)) = LINES.iter().find(|(several, _)| *several == name) {
                let distinct: HashSet<u32> = found.rows.iter().map(|row| row.line).collect();
                assert_eq!(distinct.len(), lines[i], "{name} {split}");
            }
            assert!(found.rows.iter().all(|row| row.target != Target::None), "{name} {split}");
            assert!(!found.rows.iter().any(|row| is_empty(&row.input)), "{name} {split} has empty texts");
        }
        let expected = Expected { kind, labelled: false, unreadable: Unreadable::Fail };
        match examples(name, source, Split::Test, &root, expected) {
            Ok(test) if name == "wnut17" => assert_eq!((test.rows.len(), test.left_out.count()), (1287, 0)),
            Ok(test) => assert!(test.rows.iter().all(|row| row.target == Target::None), "{name} test"),
            Err(ReadError::NoFile { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
    let without_titles =
        Source::super_glue("BoolQ", "superglue/BoolQ").with_file(Split::Dev, "val_notitle.jsonl");
    let expected = Expected { kind: TRUTH, labelled: true, unreadable: Unreadable::Fail };
    assert_eq!(examples("boolq", without_titles, Split::Dev, &root, expected).unwrap().rows.len(), 3270);
}

/// Whether a text, a word, a question, a context or a choice has no letters.
fn is_empty(input: &Input) -> bool {
    let blank = |text: &str| text.trim().is_empty();
    match input {
        Input::Text { a, b } => blank(a) || b.as_deref().is_some_and(blank),
        Input::Words(words) => words.is_empty() || words.iter().any(|word| blank(word)),
        Input::Context { question, context } => blank(question) || blank(context),
        Input::Choices(choices) => choices.iter().any(|(a, b)| blank(a) || blank(b)),
    }
}

#[test]
#[ignore = "reads the data in CAMTL_GLUE and the tokenizer in CAMTL_CHECKPOINT"]
fn both_forms_of_a_tokenizer_agree_on_real_text() {
    let (root, checkpoint) = (folder_of("CAMTL_GLUE"), folder_of("CAMTL_CHECKPOINT"));
    let json = Tokenizer::open(&checkpoint.join("tokenizer.json"), 30522, 128).unwrap();
    let vocab = Tokenizer::open(&checkpoint.join("vocab.txt"), 30522, 128).unwrap();
    for (set, kind, _, rows) in GLUE {
        let source = Source::glue(set, set);
        let request = Request { source, ..request(set, kind, Split::Dev, &root) };
        let (a, b) = (load(&request, &json).unwrap(), load(&request, &vocab).unwrap());
        assert_eq!(a, b, "{set}");
        let longest = (0..a.len()).map(|i| a.tokens(i)).max().unwrap();
        assert!(a.len() == rows && longest <= 128, "{set}: {longest} tokens");
    }
}

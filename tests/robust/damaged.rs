//! Texts that are nearly, or not at all, of the language: never a panic, always a report that can be shown.

use std::{fs, path::Path};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::{
    generate::{self, Model},
    layout,
    properties::{self, Around},
};

#[test]
fn models_as_they_are_have_all_properties() {
    for text in corpus() {
        properties::check_text(&text, &Around::default());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_are_reported(bytes in vec(any::<u8>(), 0..400)) {
        check_text(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn arbitrary_words_of_the_language_are_reported(words in vec(word(), 0..60)) {
        check_text(&words.concat());
    }

    #[test]
    fn models_with_bytes_changed_are_reported(
        Model { text, files } in some_model(),
        changes in vec((any::<Index>(), any::<u8>()), 1..6),
    ) {
        let mut bytes = text.into_bytes();
        for (place, byte) in changes {
            let at = place.index(bytes.len());
            bytes[at] = byte;
        }
        properties::check_text(&String::from_utf8_lossy(&bytes), &files);
    }

    #[test]
    fn models_with_words_changed_are_reported(
        Model { text, files } in some_model(),
        changes in vec((any::<Index>(), change()), 1..6),
    ) {
        let mut tokens = tokens(&text);
        for (place, change) in changes {
            let at = place.index(tokens.len());
            match change {
                Change::Remove => tokens[at].clear(),
                Change::Double => tokens.insert(at, tokens[at].clone()),
                Change::Swap(other) => {
                    let other = other.index(tokens.len());
                    tokens.swap(at, other);
                }
                Change::Put(word) => tokens[at] = word,
                Change::CutHere => tokens.truncate(at + 1),
            }
        }
        properties::check_text(&tokens.concat(), &files);
    }
}

fn check_text(text: &str) {
    properties::check_text(text, &Around::default());
}

/// What is done to one token.
#[derive(Clone, Debug)]
enum Change {
    Remove,
    Double,
    Swap(Index),
    Put(String),
    CutHere,
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => word().prop_map(Change::Put),
        3 => Just(Change::Remove),
        3 => Just(Change::Double),
        3 => any::<Index>().prop_map(Change::Swap),
        1 => Just(Change::CutHere),
    ]
}

/// A generated model, or a file of the corpus.
fn some_model() -> impl Strategy<Value = Model> {
    let alone = select(corpus()).prop_map(|text| Model { text, files: Around::default() });
    prop_oneof![generate::model(), alone]
}

fn corpus() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut texts = Vec::new();
    for folder in ["models", "tests/ok", "tests/err"] {
        for entry in fs::read_dir(root.join(folder)).expect("the corpus is there") {
            let path = entry.expect("an entry").path();
            if path.extension().is_some_and(|extension| extension == "cam") {
                texts.push(fs::read_to_string(path).expect("the corpus is text"));
            }
        }
    }
    texts.sort();
    texts
}

/// Runs of letters, runs of white space, and every other letter on its own.
fn tokens(text: &str) -> Vec<String> {
    let sort = |letter: char| match letter {
        _ if letter.is_alphanumeric() || letter == '_' => 0,
        _ if letter.is_whitespace() => 1,
        _ => 2,
    };
    let letters: Vec<char> = text.chars().collect();
    let runs = letters.chunk_by(|a, b| sort(*a) == sort(*b) && sort(*a) != 2);
    // A model has tokens; `Index` needs one.
    runs.map(|run| run.iter().collect()).collect()
}

/// Words with and without meaning, numbers, signs, white space and comments.
fn word() -> impl Strategy<Value = String> {
    let words = "model backbone bert sequence tasks freeze attach train span as every in to across after layers \
        layer embeddings pooler attention norm bottleneck alignment classify regress metric data glue tsv \
        uncertainty sampler mt_uncertainty candidates rescore batch tokens cache off GiB optimizer adamw lr schedule linear warmup include variant of detach \
        unfreeze from drop assert parameters trained memory flops fidelity paper reference weight backbone \
        { } , .. <= < >= > 0 1 6 12 768 0.5 2e-5 10% 1_000 99999999999 18446744073709551616 1e999 -0 1. 0x1 \
        \"CoLA\" \"\" \" name é \u{1F600} \u{a0} \u{0} // \\ # ; = %";
    let words: Vec<&str> = words.split(' ').filter(|word| !word.is_empty()).collect();
    let words = prop_oneof![
        8 => select(words).prop_map(str::to_owned),
        1 => select(layout::COMMENTS.to_vec()).prop_map(|comment| format!("//{comment}\n")),
    ];
    let spaces = prop_oneof![4 => Just(" "), 2 => Just("\n"), 1 => Just("\r\n"), 1 => Just("")];
    (words, spaces).prop_map(|(word, space)| format!("{word}{space}"))
}

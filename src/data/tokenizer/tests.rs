//! Vocabularies of a few words, written where a test can see them.

use super::*;

const VOCAB: &str =
    "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\ncat\nsat\n##s\n.\nun\n##real\n##ist\n##ic\ncafe\n";

fn open(vocab: &str, sequence: usize) -> Tokenizer {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("vocab.txt"), vocab).unwrap();
    Tokenizer::open(folder.path(), vocab.lines().count(), sequence).unwrap()
}

fn tokens(tokenizer: &Tokenizer, encoded: &Encoded) -> String {
    encoded.ids.iter().map(|&id| tokenizer.token(id).unwrap()).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_single_text_is_wrapped_and_of_type_0() {
    let tokenizer = open(VOCAB, 16);
    let encoded = tokenizer.encode("The cats sat unrealistic.", None).unwrap();
    assert_eq!(tokens(&tokenizer, &encoded), "[CLS] the cat ##s sat un ##real ##ist ##ic . [SEP]");
    assert_eq!((encoded.first, encoded.cut), (11, 0));
}

#[test]
fn a_pair_splits_after_the_first_separator() {
    let tokenizer = open(VOCAB, 16);
    let encoded = tokenizer.encode("the cat", Some("dog sat")).unwrap();
    assert_eq!(tokens(&tokenizer, &encoded), "[CLS] the cat [SEP] [UNK] sat [SEP]");
    assert_eq!(encoded.first, 4);
}

#[test]
fn empty_texts_leave_the_specials() {
    let tokenizer = open(VOCAB, 16);
    assert_eq!(tokenizer.encode("", None).unwrap().ids, [2, 3]);
    assert_eq!(tokenizer.encode("", Some("")).unwrap().ids, [2, 3, 3]);
}

#[test]
fn long_pairs_are_cut_at_the_longer_text() {
    let tokenizer = open(VOCAB, 8);
    let encoded = tokenizer.encode("the the the the the the", Some("cat .")).unwrap();
    assert_eq!(tokens(&tokenizer, &encoded), "[CLS] the the the [SEP] cat . [SEP]");
    assert_eq!(encoded.cut, 3);
    let encoded = tokenizer.encode("the the the the", Some("cat cat cat cat")).unwrap();
    assert_eq!(tokens(&tokenizer, &encoded), "[CLS] the the [SEP] cat cat cat [SEP]");
    assert_eq!(tokenizer.encode(&"the ".repeat(50), None).unwrap().ids.len(), 8);
}

#[test]
fn texts_made_of_their_words_have_the_same_tokens() {
    use rayon::prelude::*;

    let cased = format!("{VOCAB}The\n");
    let hard = [
        "The cats sat unrealistic.",
        "  two  spaces and a tab\tthe\u{a0}cat ",
        "caf\u{e9} cafe\u{301} \u{301}cafe THE cat.The,cat",
        "\u{732b}the\u{72ac} cat \u{0} \u{200d} \u{fffd}sat",
        "[SEP] the[CLS]cat [MASK]. [ SEP ]",
        "",
        "\u{130}stanbul \u{fb01}ne \u{1f600}\u{fe0f} n\u{303}\u{302} \u{ac00}",
    ];
    let long = "a".repeat(120);
    for vocab in [VOCAB, &cased] {
        let tokenizer = open(vocab, 32);
        assert!(tokenizer.by_words);
        let texts: Vec<&str> = hard.into_iter().chain([long.as_str()]).collect();
        let words = tokenizer.words(texts.par_iter().copied()).unwrap();
        for (text, other) in texts.iter().zip(texts.iter().rev()) {
            let alone = tokenizer.encode(text, Some(other)).unwrap();
            assert_eq!(tokenizer.encode_from(&words, text, Some(other)), alone, "{text:?}, {other:?}");
        }
    }
}

#[test]
fn rules_that_look_beyond_words_are_kept() {
    use rayon::prelude::*;

    let folder = tempfile::tempdir().unwrap();
    let mut json = word_piece(&VOCAB.lines().collect::<Vec<_>>(), true);
    let added = json!({
        "id": 15, "content": "the cat", "single_word": false, "lstrip": false, "rstrip": false,
        "normalized": false, "special": false
    });
    json["added_tokens"].as_array_mut().unwrap().push(added);
    fs::write(folder.path().join("tokenizer.json"), json.to_string()).unwrap();
    let tokenizer = Tokenizer::open(folder.path(), 16, 32).unwrap();
    let text = "the cat sat";
    let words = tokenizer.words([text].into_par_iter()).unwrap();
    let encoded = tokenizer.encode_from(&words, text, None);
    assert_eq!(tokens(&tokenizer, &encoded), "[CLS] the cat sat [SEP]");
    assert_eq!(encoded.ids.len(), 4, "one token for two words");
}

#[test]
fn fit_agrees_with_the_tokenizers_library() {
    use tokenizers::utils::truncation::{TruncationParams, truncate_encodings};
    let encoding = |length: usize| {
        let none = || vec![0; length];
        tokenizers::Encoding::new(
            none(),
            none(),
            vec![String::new(); length],
            vec![None; length],
            vec![(0, 0); length],
            none(),
            none(),
            vec![],
            Default::default(),
        )
    };
    for room in 1..9 {
        for a in 0..12 {
            for b in 0..12 {
                let params = TruncationParams { max_length: room, ..Default::default() };
                let (x, y) = truncate_encodings(encoding(a), Some(encoding(b)), &params).unwrap();
                let expected = (x.get_ids().len(), y.unwrap().get_ids().len());
                assert_eq!(fit((a, b), room), expected, "{a} and {b} in {room}");
            }
        }
    }
}

#[test]
fn case_follows_the_configuration_and_else_the_vocabulary() {
    assert_eq!(open(VOCAB, 16).encode("THE Café", None).unwrap().ids, [2, 5, 14, 3]);
    let cased = format!("{VOCAB}Paris\n");
    assert_eq!(open(&cased, 16).encode("THE Paris", None).unwrap().ids, [2, 1, 15, 3]);

    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("vocab.txt"), VOCAB).unwrap();
    fs::write(folder.path().join("tokenizer_config.json"), r#"{"do_lower_case": false}"#).unwrap();
    let configured = Tokenizer::open(folder.path(), 15, 16).unwrap();
    assert_eq!(configured.encode("The", None).unwrap().ids, [2, 1, 3]);
    assert_ne!(configured.fingerprint(), open(VOCAB, 16).fingerprint());
}

#[test]
fn padding_and_truncation_of_a_json_are_dropped() {
    let tokens: Vec<&str> = VOCAB.lines().collect();
    let mut json = word_piece(&tokens, true);
    json["padding"] = json!({
        "strategy": { "Fixed": 128 }, "direction": "Right", "pad_to_multiple_of": null, "pad_id": 0,
        "pad_type_id": 0, "pad_token": "[PAD]"
    });
    json["truncation"] =
        json!({ "direction": "Right", "max_length": 3, "strategy": "LongestFirst", "stride": 0 });
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokenizer.json");
    fs::write(&path, json.to_string()).unwrap();
    fs::write(folder.path().join("vocab.txt"), "not\nthis\n").unwrap();
    let tokenizer = Tokenizer::open(folder.path(), 15, 16).unwrap();
    assert_eq!(tokenizer.encode("the cat sat .", None).unwrap().ids, [2, 5, 6, 7, 9, 3]);
}

#[test]
fn what_cannot_serve_the_model_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |vocab: usize, sequence: usize| {
        Tokenizer::open(folder.path(), vocab, sequence).unwrap_err().to_string()
    };
    assert!(refused(15, 16).starts_with("there is no tokenizer at"));
    fs::write(folder.path().join("vocab.txt"), VOCAB).unwrap();
    assert!(refused(14, 16).ends_with("numbers its tokens up to 14, the model has 14 embeddings"));
    assert_eq!(refused(15, 3), "a sequence of 3 tokens has no room for text");
    fs::write(folder.path().join("vocab.txt"), "[UNK]\n[CLS]\nthe\n").unwrap();
    assert!(refused(15, 16).ends_with("has no `[SEP]`"));
    fs::write(folder.path().join("tokenizer.json"), "{").unwrap();
    assert!(refused(15, 16).contains("is not a tokenizer: "));
}

/// RoBERTa's, against transformers (`tests/golden/roberta.py`).
#[test]
fn byte_level_pairs_agree_with_transformers() {
    use rayon::prelude::*;

    #[derive(serde::Deserialize)]
    struct Row {
        a: String,
        b: Option<String>,
        ids: Vec<u32>,
        cut: Vec<u32>,
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/roberta");
    let rows: Vec<Row> = serde_json::from_slice(&fs::read(folder.join("tokens.json")).unwrap()).unwrap();
    assert!(rows.len() > 12 && rows.iter().any(|row| row.b.is_some() && row.ids != row.cut));

    let apart = tempfile::tempdir().unwrap();
    for name in ["vocab.json", "merges.txt"] {
        fs::copy(folder.join(name), apart.path().join(name)).unwrap();
    }
    let files = [folder.join("tokenizer.json"), apart.path().to_owned(), apart.path().join("vocab.json")];
    for path in files {
        let whole = Tokenizer::open(&path, 300, 100).unwrap();
        let short = Tokenizer::open(&path, 300, 12).unwrap();
        for Row { a, b, ids, cut } in &rows {
            let encoded = whole.encode(a, b.as_deref()).unwrap();
            assert_eq!((&encoded.ids, encoded.cut), (ids, 0), "{a:?}, {b:?}");
            let encoded = short.encode(a, b.as_deref()).unwrap();
            assert_eq!(encoded.ids, *cut, "{a:?}, {b:?}");
            assert_eq!(encoded.cut, ids.len() - cut.len());
            let texts = [Some(a.as_str()), b.as_deref()];
            let words = short.words(texts.into_par_iter().flatten()).unwrap();
            assert_eq!(short.encode_from(&words, a, b.as_deref()), encoded);
        }
    }
    // `<s> a </s></s> b </s>`: the second text begins behind the first separator
    let pair = Tokenizer::open(apart.path(), 300, 100).unwrap().encode("the cat", Some("sat on")).unwrap();
    assert_eq!(
        (pair.ids[0], &pair.ids[pair.first - 1..=pair.first], pair.ids.last()),
        (0, &[2, 2][..], Some(&2))
    );
    assert!(Tokenizer::open(apart.path(), 300, 4).is_err() && Tokenizer::open(apart.path(), 299, 5).is_err());

    fs::remove_file(apart.path().join("merges.txt")).unwrap();
    let missing = Tokenizer::open(apart.path(), 300, 12).unwrap_err().to_string();
    assert!(missing.ends_with("merges.txt`"), "{missing}");
    fs::write(apart.path().join("merges.txt"), "#version: 0.2\nt h\nth e x\n").unwrap();
    let wrong = Tokenizer::open(apart.path(), 300, 12).unwrap_err().to_string();
    assert!(wrong.ends_with("line 3 is not two parts with a space between"), "{wrong}");
}

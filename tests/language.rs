//! The language, over its corpus: what each `.cam` file of `models/`, `tests/ok/` and `tests/err/` becomes.
//!
//! Every legal file is snapshot as tree, program and layout; every file of mistakes with the report about it.
//! Snapshots are compared, never rewritten: `cargo insta review` or `INSTA_UPDATE=always` accepts a change.

use std::{collections::BTreeSet, fmt::Write as _, fs, path::Path};

use camtl::{
    analysis,
    diagnostics::{Diagnostics, Style, codes::CODES},
    disk::Folder,
    fmt,
    ir::ParameterCount,
    span::{Source, Sources},
    syntax,
};
use serde_json::Value;

#[test]
fn legal_files_become_trees_and_programs() {
    for (stem, source) in legal() {
        let tree = syntax::parse(&source).expect("legal files parse");
        snapshot(&format!("ast__{stem}"), &outline(&json(&tree)));

        let folder = if stem.starts_with("camtl") || stem == "quickstart" { "models" } else { "tests/ok" };
        let files = Folder::of(&root().join(folder).join(&source.name));
        let compiled = analysis::compile_model(&source, &files).expect("legal files compile");
        let report = compiled.warnings.render(&compiled.sources, Style::Plain);
        let programs = std::iter::once(&compiled.program).chain(&compiled.variants);
        let programs: Vec<String> = programs.map(|program| outline(&json(program))).collect();
        snapshot(&format!("ir__{stem}"), &format!("{}\n{report}", programs.join("\n")));
    }
}

#[test]
fn legal_files_have_one_layout() {
    for (stem, source) in legal() {
        snapshot(&format!("fmt__{stem}"), &formatted(&source));
    }
}

#[test]
fn models_and_fixtures_are_in_their_layout() {
    let unformatted: Vec<String> = corpus("models")
        .into_iter()
        .chain(corpus("tests/err").into_iter().filter(|(stem, _)| !stem.starts_with("syntax_")))
        .filter(|(_, source)| formatted(source) != source.text)
        .map(|(stem, _)| stem)
        .collect();
    assert_eq!(unformatted, [""; 0]);
}

#[test]
fn each_mistake_is_reported_where_it_is() {
    for (stem, source) in corpus("tests/err") {
        let (found, report) = check(&source);
        let code = format!("cam::{}", stem.replacen('_', "::", 1));
        assert!(found.codes().iter().all(|found| *found == code), "{stem} shows {:?}", found.codes());
        assert!(!found.is_empty(), "{stem} shows nothing");
        snapshot(&format!("err__{stem}"), &format!("{}\n{report}", source.text));
    }
}

/// What no file of a reasonable size shows.
#[test]
fn files_of_any_size_are_reported_briefly() {
    let mut listing = String::new();
    for (code, text) in oversized() {
        let source = Source::new("large.cam", text);
        let (found, report) = check(&source);
        assert_eq!(found.codes(), [code]);
        listing.push_str(&report);
        listing.push('\n');
    }
    snapshot("oversized", &listing);
}

/// A text for each code that is about numbers of things.
fn oversized() -> [(&'static str, String); 4] {
    let model = |items: String| {
        format!(
            "model example\n\
             backbone bert {{ checkpoint \"x\" layers 2 hidden 8 heads 2 ffn 8 vocab 8 positions 8 }}\n\
             sequence 8\n\
             tasks {{ first {{ classify 2 data tsv \"first\" }} }}\n{items}"
        )
    };
    let tasks: String = (0..1_001).map(|i| format!("t{i} {{ classify 2 data tsv \"t\" }}\n")).collect();
    let variants: String = (0..102).map(|i| format!("variant v{i} {{ sequence 4 }}\n")).collect();
    [
        ("cam::item::too_many", model("assert flops > 1\n".repeat(5_000))),
        ("cam::syntax::too_long", "// a comment\n".repeat(100_000)),
        ("cam::task::too_many", model(format!("tasks {{\n{tasks}}}\ntrain {{ batch 8 }}"))),
        ("cam::variant::too_many", model(variants)),
    ]
}

/// The list of codes, the structs in the code and the fixtures name the same mistakes.
#[test]
fn codes_are_listed_used_and_shown() {
    let listed: Vec<&str> = CODES.iter().map(|code| code.code).collect();
    assert!(listed.is_sorted(), "the list is in alphabetical order");

    let mut used = Vec::new();
    for room in ["src/syntax", "src/analysis"] {
        for entry in fs::read_dir(root().join(room)).expect("the rooms are folders") {
            let text = fs::read_to_string(entry.expect("an entry").path()).expect("rooms hold text");
            let after = text.split("code(cam::").skip(1).filter_map(|rest| rest.split_once(')'));
            used.extend(after.map(|(code, _)| format!("cam::{code}")));
        }
    }
    used.sort();
    assert_eq!(used, listed, "each struct has its own code, and the list names it");

    let oversized = oversized().map(|(code, _)| code.trim_start_matches("cam::").replacen("::", "_", 1));
    let shown: BTreeSet<String> =
        corpus("tests/err").into_iter().map(|(stem, _)| stem).chain(oversized).collect();
    let files: Vec<String> =
        listed.iter().map(|code| code.trim_start_matches("cam::").replacen("::", "_", 1)).collect();
    assert_eq!(shown, files.into_iter().collect());
}

#[test]
fn all_mistakes_come_at_once() {
    let text = r#"model Everything

backbone bert {
    checkpoit "bert-base-cased"
    layers 12   hidden 770   heads 12   ffn 0
    vocab 28996   positions 64
}
sequence 128

tasks {
    cola { classify 1   metric mathews   data glue "Cola" }
    stsb { regress 5 .. 0   data glue "STS-B" }
    wnut { tag 13   data tsv "wnut" }
}

freeze layers 3..3, poler
attach norms to layers 6..12
attach norm to layers 6..18
attach alignment to layer 3

train {
    sampler uncertain   batch 0   dropout 2   batch 3
    optimizer adamw { lr -1 }
    schedule linear { warmup 200% }
}
"#;
    let source = Source::new("everything.cam", text);
    let found = analysis::compile(&source).expect_err("nearly every line is wrong");
    let listing: String =
        found.iter().map(|one| format!("{}: {one}\n", one.code().expect("a code"))).collect();
    snapshot("all_mistakes_at_once", &format!("{text}\n{listing}"));
}

/// A text that leaves the grammar says where, and what could have come instead.
#[test]
fn syntax_errors_name_what_was_expected() {
    let mut listing = String::new();
    for text in [
        "model",
        "model camtl backbone",
        "mdoel camtl",
        "backbone bert { layers 12\nsequence 128",
        "backbone bert { layers 12 } }",
        "backbone bert { checkpoint \"bert-base }",
        "backbone bert { checkpoint \"a\\b\" }",
        "sequence long",
        "tasks { cola classify 2 }",
        "tasks { cola { classify yes, } }",
        "tasks { cola { regress 0.. } }",
        "freeze",
        "freeze embeddings layers 0..6",
        "attach norm",
        "attach norm to layers 0..=6",
        "train { sampler = proportional }",
        "train { optimizer adamw { lr 1 { } } }",
        "model camtl; sequence 8",
        "# comment",
    ] {
        let source = Source::new("text", text);
        let found = syntax::parse(&source).expect_err("the text is no file of the language");
        let report = found.render(&Sources::of(source), Style::Plain);
        listing.push_str(&report);
        listing.push('\n');
    }
    snapshot("syntax_errors", &listing);
}

/// A misspelt key is one mistake: the key that it stands for is not also missing.
#[test]
fn misspelt_keys_are_not_missing_too() {
    let text = "model example\n\
        backbone bert { chekpoint \"x\" layers 2 hiden 8 heads 2 ffn 8 vocab 8 positions 8 }\n\
        sequence 8\n\
        tasks { only { clasify 2 data tsv \"only\" } }\n\
        attach attention to layer 0 { bloks 2 }\n\
        train { samler proportional }";
    let found = analysis::compile(&Source::new("example.cam", text)).expect_err("five keys are misspelt");
    assert_eq!(found.codes(), ["cam::key::unknown"; 5]);
}

/// With every size at its limit the counts of parameters still fit (they would panic on overflow here).
#[test]
fn the_largest_legal_model_can_be_counted() {
    let source = Source::new(
        "largest.cam",
        r#"model largest
backbone bert {
    checkpoint "x"
    layers 1_000   hidden 100_000   heads 100_000   ffn 1_000_000
    vocab 10_000_000   positions 100_000   token_types 1_000
}
sequence 100_000
tasks { a { classify 10_000   data tsv "a" } }
attach alignment after embeddings
attach attention to layers 0..1_000 { blocks 1 }
attach norm to layers 0..1_000
attach bottleneck to layers 0..1_000 { width 1_000_000 }
"#,
    );
    let (program, _) = analysis::compile(&source).expect("all sizes are legal");
    assert!(ParameterCount::of(&program).sum().total() > 1 << 60);
}

/// The layout of a source; `tests/robust` asks more of it.
fn formatted(source: &Source) -> String {
    fmt::format(source).expect("the source parses")
}

/// Compares with `tests/snapshots/language__NAME.snap`.
fn snapshot(name: &str, text: &str) {
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => true }, {
        insta::assert_snapshot!(name, text);
    });
}

/// What there is to say of a file of `tests/err`, and the report about it.
fn check(source: &Source) -> (Diagnostics, String) {
    let files = Folder::of(&root().join("tests/err").join(&source.name));
    let (sources, found) = match analysis::compile_model(source, &files) {
        Ok(mut compiled) => {
            compiled.warnings.append(compiled.failures);
            (compiled.sources, compiled.warnings)
        }
        Err(rejected) => (rejected.sources, rejected.diagnostics),
    };
    let report = found.render(&sources, Style::Plain);
    (found, report)
}

fn legal() -> Vec<(String, Source)> {
    corpus("models").into_iter().chain(corpus("tests/ok")).collect()
}

/// The `.cam` files of a folder by name.
fn corpus(folder: &str) -> Vec<(String, Source)> {
    let mut paths: Vec<_> = fs::read_dir(root().join(folder))
        .expect("the corpus is a folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "cam"))
        .collect();
    paths.sort();
    let read = |path: &std::path::PathBuf| {
        let stem = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let text = fs::read_to_string(path).expect("the corpus is text");
        let source = Source::new(format!("{stem}.cam"), text);
        (stem, source)
    };
    paths.iter().map(read).collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn json(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).expect("trees and programs are plain data")
}

/// JSON with as much on a line as fits: a snapshot to be read, not only compared.
fn outline(value: &Value) -> String {
    let mut text = String::new();
    write_outline(value, 0, &mut text);
    text
}

fn write_outline(value: &Value, level: usize, text: &mut String) {
    let inline = value.to_string();
    let (open, close, entries): (_, _, Vec<(String, &Value)>) = match value {
        Value::Object(fields) => {
            ('{', '}', fields.iter().map(|(key, value)| (format!("{key}: "), value)).collect())
        }
        Value::Array(values) => ('[', ']', values.iter().map(|value| (String::new(), value)).collect()),
        _ => ('"', '"', Vec::new()),
    };
    if entries.is_empty() || inline.len() + 2 * level <= 110 {
        text.push_str(&inline);
        return;
    }
    text.push(open);
    for (key, value) in entries {
        let _ = write!(text, "\n{}{key}", "  ".repeat(level + 1));
        write_outline(value, level + 1, text);
    }
    let _ = write!(text, "\n{}{close}", "  ".repeat(level));
}

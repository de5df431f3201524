//! A model as a build script compiles it, in a folder of the test's own.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Compiler, Error};

#[test]
fn a_model_becomes_a_module_of_its_name() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = folder.path().join("deep/camtl");
    let output = Compiler::new().out_dir(&out).try_compile("models/quickstart.cam").expect("a sound model");
    assert_eq!((output.name.as_str(), output.path.clone()), ("quickstart", out.join("quickstart.rs")));
    assert_eq!(output.instructions(), "cargo::rerun-if-changed=models/quickstart.cam\n");

    let text = fs::read_to_string(&output.path).expect("written");
    let parsed = syn::parse_file(&text).expect("it is Rust");
    let [syn::Item::Mod(module)] = parsed.items.as_slice() else { panic!("one module:\n{text}") };
    assert_eq!(module.ident, "quickstart");
}

#[test]
fn a_warning_is_a_line_with_its_place() {
    let (folder, path) = model(&TEXT.replace(
        "attach attention to layer 0 { blocks 4 }",
        "\
        attach attention to layer 0 { blocks 3 }",
    ));
    let output = Compiler::new().out_dir(folder.path()).try_compile(&path).expect("a sound model");
    let [warning] = output.warnings.as_slice() else { panic!("one warning: {:?}", output.warnings) };
    let place = format!("{}:10:", path.display());
    assert!(
        warning.starts_with(&place) && warning.contains("(cam::shape::uneven_blocks); help: "),
        "{warning}"
    );
    assert!(output.instructions().contains(&format!("\ncargo::warning={place}")));
}

#[test]
fn every_mistake_is_a_line_for_cargo_and_a_report_for_a_person() {
    let (folder, path) =
        model(&TEXT.replace("heads 2", "heads 3").replace("attach attention", "attach atention"));
    let error = Compiler::new().out_dir(folder.path()).try_compile(&path).expect_err("two mistakes");
    assert!(matches!(error, Error::Mistakes(_)));

    let instructions = error.instructions();
    let lines: Vec<&str> = instructions.lines().collect();
    let expected = ["4:36: ", "10:8: "].map(|place| format!("cargo::error={}:{place}", path.display()));
    assert_eq!(lines.len(), expected.len(), "{instructions}");
    for (line, start) in lines.iter().zip(&expected) {
        assert!(line.starts_with(start.as_str()), "{line} does not start with {start}");
    }
    assert!(
        lines[1].contains("(cam::attach::unknown_module); help: did you mean `attention`?"),
        "{}",
        lines[1]
    );
    assert!(error.report().contains("heads 3"), "{}", error.report());
    let made = fs::read_dir(folder.path()).expect("listed").count();
    assert_eq!(made, 1, "nothing but the model");
}

#[test]
fn a_variant_is_a_module_of_its_own_and_included_files_are_watched() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let compiler = Compiler::new().out_dir(folder.path());
    let output = compiler.clone().variant("baseline").try_compile("tests/ok/variants.cam").expect("a model");
    assert_eq!(output.name, "variants_baseline");
    assert!(output.path.ends_with("variants_baseline.rs") && output.path.is_file());
    assert_eq!(output.read[0], Path::new("tests/ok/variants.cam"));
    assert!(output.read.contains(&PathBuf::from("tests/ok/parts/tasks.cam")), "{:?}", output.read);

    let error = compiler.variant("base").try_compile("tests/ok/variants.cam").expect_err("no such variant");
    let line = error.instructions();
    assert!(
        line.starts_with("cargo::error=`variants` has no variant `base` (camtlc::variant); help: "),
        "{line}"
    );
}

#[test]
fn a_model_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let error =
        Compiler::new().out_dir(folder.path()).try_compile("models/nowhere.cam").expect_err("no file");
    let line = error.instructions();
    assert!(
        line.starts_with("cargo::error=the model `") && line.contains("models/nowhere.cam` cannot be read: ")
    );
    assert_eq!(line.lines().count(), 1, "{line}");
}

const TEXT: &str = r#"model weather

backbone bert {
    layers 1   hidden 16     heads 2
    ffn 32     vocab 16      positions 8
    tokenizer "vocab.txt"
}
sequence 8
tasks { sky { classify clear, cloudy   data tsv "sky" } }
attach attention to layer 0 { blocks 4 }
"#;

fn model(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("weather.cam");
    fs::write(&path, text).expect("written");
    (folder, path)
}

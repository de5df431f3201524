//! Generated crates, as rustc sees them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use camtl::{
    analysis::{self, Files},
    codegen::{self, Options, Runtime},
    disk::Folder,
    ir::Program,
    span::Source,
};
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;

use super::generate::{self, Model};
use super::legal::is_of_fidelity;

/// Generated models, beside those of the corpus.
const GENERATED: usize = 24;

/// Names that mean something to cargo, to rustc or among the dependencies.
const NAMES: [&str; 10] =
    ["build", "deps", "examples", "incremental", "_x", "_1a", "a_", "serde", "runner", "tokenizers"];

#[test]
#[ignore = "minutes: compiles 50 crates"]
fn rustc_takes_every_crate_without_a_warning() {
    let mut rejected = Vec::new();
    for (path, source) in corpus() {
        rejected.extend(check(&source, &Folder::of(&path)));
    }
    // The same models in every run.
    let mut runner = TestRunner::deterministic();
    let mut generated = 0;
    while generated < GENERATED {
        let model = generate::model().new_tree(&mut runner).expect("the generator rejects nothing");
        let Model { text, files } = model.current();
        let source = Source::new(format!("generated_{generated}"), text);
        if !analysis::compile_model(&source, &files).is_err_and(|error| is_of_fidelity(&error)) {
            rejected.extend(check(&source, &files));
            generated += 1;
        }
    }
    for name in NAMES {
        let text = format!(
            "model {name}\n\
             backbone bert {{ checkpoint \"x\" layers 2 hidden 8 heads 2 ffn 8 vocab 8 positions 8 }}\n\
             sequence 8\n\
             tasks {{ {name} {{ classify 2 data tsv \"x\" }} }}\n"
        );
        rejected.extend(check(&Source::new(format!("name_{name}"), text), &Folder::of(root())));
    }
    assert!(rejected.is_empty(), "{} crates are rejected\n{}", rejected.len(), rejected.join("\n"));
}

/// With the CUDA code of the runtime, on a machine without CUDA: nothing links. What `.ci/run` has checked of the
/// library before is taken over.
#[test]
#[ignore = "a minute: checks the dependencies for CUDA"]
fn clippy_takes_crates_for_cuda_without_a_warning() {
    for model in ["quickstart", "camtl_base"] {
        let path = root().join("models").join(model).with_extension("cam");
        let source = Source::new(model, fs::read_to_string(&path).expect("the model is there"));
        let compiled = analysis::compile_model(&source, &Folder::of(&path));
        let Ok(compiled) = compiled else { panic!("{model} is not legal") };
        let options = Options { runtime: Runtime::Path(root().to_owned()), portable: true, cuda: true };
        let mut generated = codegen::lower(&compiled.program, &compiled.text, &options);
        let manifest = &mut generated.files[0];
        let asked = manifest.text.replace("[\"cuda\"]", "[\"cuda\", \"ci-check\"]");
        assert_ne!(asked, manifest.text, "{} asks for cuda", manifest.path);
        manifest.text = asked;
        let folder = scratch().join("cuda").join(model);
        write(generated, &folder);
        let out = Command::new(env!("CARGO"))
            .args(["clippy", "--quiet", "--config", "profile.dev.opt-level=1"])
            .args([
                "--config",
                "profile.dev.package.'*'.opt-level=3",
                "--config",
                "profile.dev.package.'*'.debug=false",
            ])
            .args(["--", "-D", "warnings"])
            .current_dir(&folder)
            .env("CARGO_TARGET_DIR", root().join("target"))
            .output()
            .expect("cargo runs");
        assert!(out.status.success(), "{}\n{}", folder.display(), String::from_utf8_lossy(&out.stderr));
    }
}

fn corpus() -> Vec<(PathBuf, Source)> {
    let mut corpus = Vec::new();
    for folder in ["models", "tests/ok"] {
        for entry in fs::read_dir(root().join(folder)).expect("the corpus is there") {
            let path = entry.expect("an entry").path();
            if path.extension().is_some_and(|extension| extension == "cam") {
                let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
                let text = fs::read_to_string(&path).expect("the corpus is text");
                corpus.push((path, Source::new(name, text)));
            }
        }
    }
    corpus
}

/// What is wrong with the crates of a model and of its variants.
fn check(source: &Source, files: &dyn Files) -> Vec<String> {
    let compiled = match analysis::compile_model(source, files) {
        Ok(compiled) => compiled,
        Err(rejected) => panic!("{} is not legal: {:?}", source.name, rejected.diagnostics.codes()),
    };
    let programs = std::iter::once(&compiled.program).chain(&compiled.variants);
    programs.filter_map(|program| check_crate(&source.name, program, &compiled.text).err()).collect()
}

/// `cargo check` of a program's crate, warnings denied; rustc's words where it fails.
fn check_crate(name: &str, program: &Program, text: &str) -> Result<(), String> {
    let options = Options { runtime: Runtime::Path(root().to_owned()), portable: true, cuda: false };
    let folder = scratch().join("crates").join(format!("{name}-{}", program.full_name()));
    write(codegen::lower(program, text, &options), &folder);
    let out = Command::new(env!("CARGO"))
        .args(["check", "--quiet"])
        .current_dir(&folder)
        .env("CARGO_TARGET_DIR", scratch().join("target"))
        .env("RUSTFLAGS", "-D warnings")
        .output()
        .expect("cargo runs");
    match out.status.success() {
        true => Ok(()),
        false => Err(format!("{}\n{text}\n{}", folder.display(), String::from_utf8_lossy(&out.stderr))),
    }
}

fn write(generated: codegen::Crate, folder: &Path) {
    for file in generated.files {
        let path = folder.join(file.path);
        fs::create_dir_all(path.parent().expect("below the crate")).expect("folders can be made");
        fs::write(path, file.text).expect("files can be written");
    }
}

fn scratch() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("robust")
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

//! What the README shows is what `camtlc` says and makes.
#![cfg(feature = "cli")]

use std::fs;
use std::path::Path;
use std::process::Command;

use camtl::analysis;
use camtl::codegen::{self, Options, Runtime};
use camtl::span::Source;

#[test]
fn its_model_is_the_quickstart() {
    let block = block("\n```\n// ");
    assert_eq!(read("models/quickstart.cam"), format!("{block}\n"));
}

#[test]
fn its_graph_and_figures_are_of_the_model() {
    let base = "models/camtl_base.cam";
    let commands: [&[&str]; 3] =
        [&["graph", base], &["stats", base], &["diff", base, "--variant", "baseline"]];
    for command in commands {
        let block = block(&format!("```console\n$ camtlc {}\n", command.join(" ")));
        let (_, shown) = block.split_once('\n').unwrap();
        let out = camtlc(command, Path::new(env!("CARGO_MANIFEST_DIR")));
        assert_eq!(shown, String::from_utf8(out.stdout).unwrap().trim_end(), "{command:?}");
    }
}

#[test]
fn its_ablation_is_of_the_model() {
    let block = block("```\n// The paper's modules");
    assert!(read("models/camtl_base.cam").ends_with(&format!("\n{block}\n")));
}

#[test]
fn its_mistakes_are_told_as_it_says() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("wrong.cam"), format!("{}\n", block("```\nmodel wrong\n"))).unwrap();
    let out = camtlc(&["check", "wrong.cam"], folder.path());
    let block = block("```console\n$ camtlc check wrong.cam\n");
    let (_, shown) = block.split_once('\n').unwrap();
    assert_eq!(shown, String::from_utf8(out.stderr).unwrap().trim_end());
}

#[test]
fn its_excerpt_is_of_the_generated_crate() {
    let text = read("models/quickstart.cam");
    let source = Source::new("quickstart.cam", text.clone());
    let (program, _) = analysis::compile(&source).unwrap_or_else(|_| panic!("the quickstart is wrong"));
    let options = Options { runtime: Runtime::Version("0.0.0".to_owned()), portable: false, cuda: false };
    let generated = codegen::lower(&program, &text, &options);
    let network = generated.files.iter().find(|file| file.path == "src/network.rs").unwrap();
    let shown = block("```rust\n///");
    assert!(network.text.contains(&shown), "not in the crate: {shown}");
}

/// The fenced block that starts like this, without its fences.
fn block(start: &str) -> String {
    let readme = read("README.md");
    let at =
        readme.find(start).unwrap_or_else(|| panic!("the README has no block that starts with {start:?}"));
    let (_, text) = readme[at..].split_once("```").unwrap();
    let (_, text) = text.split_once('\n').unwrap();
    let (block, _) = text.split_once("\n```").unwrap();
    block.to_owned()
}

fn read(path: &str) -> String {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    text.replace("\r\n", "\n")
}

fn camtlc(arguments: &[&str], folder: &Path) -> std::process::Output {
    Command::new(env!("CARGO_BIN_EXE_camtlc")).args(arguments).current_dir(folder).output().unwrap()
}

//! Every model of the corpus as each printer shows it: graph, stats, and the generated Rust.
//!
//! A changed snapshot fails; `cargo insta review` shows what changed and accepts it.

use std::fs;
use std::path::{Path, PathBuf};

use camtl::analysis::Compiled;
use camtl::codegen::{self, Options, Runtime};
use camtl::disk::Folder;
use camtl::graph::{self, Format};
use camtl::ir::cost::Load;
use camtl::ir::{Count, ParameterCount, Program};
use camtl::span::Source;
use camtl::stats::Stats;

struct Model {
    /// "models_quickstart", "ok_ladder": the prefix of its snapshots.
    name: String,
    text: String,
    program: Program,
    variants: Vec<Program>,
}

#[test]
fn graphs() {
    let formats = [
        (Format::Text, "text"),
        (Format::Dot, "dot"),
        (Format::Mermaid, "mermaid"),
        (Format::Json, "json"),
        (Format::Svg, "svg"),
    ];
    for Model { name, program, .. } in corpus() {
        for (format, extension) in formats {
            insta::assert_snapshot!(format!("{name}.graph.{extension}"), graph::render(&program, format));
        }
    }
}

#[test]
fn stats() {
    for Model { name, program, .. } in corpus() {
        let stats = Stats::of(&program, Load::of(&program));
        insta::assert_snapshot!(format!("{name}.stats.text"), stats.text());
        insta::assert_snapshot!(format!("{name}.stats.json"), stats.json());
    }
}

#[test]
fn generated_crates() {
    for model in corpus() {
        let generated = lower(&model, false);
        for file in &generated.files {
            if matches!(file.path, "Cargo.lock" | "model.cam" | ".cargo/config.toml") {
                continue;
            }
            // Else every snapshot would change with the version.
            let text = file.text.replace(env!("CARGO_PKG_VERSION"), "VERSION");
            insta::assert_snapshot!(format!("{}.{}", model.name, file.path.replace('/', "_")), text);
        }
    }
}

#[test]
fn generated_rust_is_rust_and_reads_well() {
    for model in corpus() {
        for file in lower(&model, true).files {
            if !file.path.ends_with(".rs") {
                continue;
            }
            let place = format!("{} of {}", file.path, model.name);
            syn::parse_file(&file.text).unwrap_or_else(|error| panic!("{place}: {error}"));
            assert!(file.text.starts_with("//! "), "{place} does not say what it is");
            let widest = file.text.lines().map(|line| line.chars().count()).max().unwrap_or(0);
            assert!(widest <= 100, "{place} has a line of {widest} columns");
        }
    }
}

#[test]
fn the_parts_of_a_graph_add_up_to_the_program() {
    for Model { name, program, .. } in corpus() {
        let graph = graph::Graph::of(&program);
        let total: Count = graph.groups.iter().map(graph::Group::parameters).sum();
        assert_eq!(total, ParameterCount::of(&program).sum(), "{name}");
        let folded: Count = graph.folded().groups.iter().map(graph::Group::parameters).sum();
        assert_eq!(total, folded, "{name}, folded");
    }
}

#[test]
fn edges_join_nodes_that_are_there() {
    for Model { name, program, .. } in corpus() {
        for graph in [graph::Graph::of(&program), graph::Graph::of(&program).folded()] {
            let nodes: Vec<&str> =
                graph.groups.iter().flat_map(|group| &group.nodes).map(|node| node.id.as_str()).collect();
            for edge in &graph.edges {
                assert!(nodes.contains(&edge.from.as_str()), "{name}: {} is nowhere", edge.from);
                assert!(nodes.contains(&edge.to.as_str()), "{name}: {} is nowhere", edge.to);
            }
        }
    }
}

#[test]
fn a_graph_shows_each_layer_as_the_freezing_analysis_sees_it() {
    for Model { name, program, .. } in corpus() {
        for group in graph::Graph::of(&program).groups {
            if let Some(layers) = &group.layers {
                assert_eq!(group.state(), program.layers[layers.start].flow, "{name}, {}", group.label);
            }
        }
    }
}

#[test]
fn nothing_of_a_model_breaks_out_of_its_string() {
    let mut model = corpus().into_iter().next().expect("a corpus");
    let evil = "\"); std::process::exit(0); //\r\n*/ #![doc = \"x\"] \\ \u{7}";
    model.program.summary = Some(evil.to_owned());
    model.program.backbone.origin = camtl::ir::Origin::Checkpoint(evil.to_owned());
    for file in lower(&model, true).files {
        if file.path.ends_with(".rs") {
            let parsed = syn::parse_file(&file.text).expect("the generated file is Rust");
            let is_exit = file.text.lines().any(|line| line.trim_start().starts_with("std::process::exit"));
            assert!(!is_exit, "{}:\n{}", file.path, file.text);
            assert!(!parsed.items.is_empty());
        }
    }
}

#[test]
fn a_fingerprint_is_of_the_network_and_not_of_its_training() {
    let program = corpus().into_iter().next().expect("a corpus").program;
    let fingerprint = codegen::fingerprint(&program);
    assert_eq!(fingerprint.len(), 32);

    let mut retrained = program.clone();
    retrained.training.seed += 1;
    retrained.summary = None;
    assert_eq!(codegen::fingerprint(&retrained), fingerprint);

    let mut shorter = program;
    shorter.sequence -= 1;
    assert_ne!(codegen::fingerprint(&shorter), fingerprint);
}

#[test]
fn a_portable_crate_has_no_target_processor() {
    let model = corpus().into_iter().next().expect("a corpus");
    let has_config =
        |portable| lower(&model, portable).files.iter().any(|file| file.path == ".cargo/config.toml");
    assert!(has_config(false));
    assert!(!has_config(true));
}

fn lower(model: &Model, portable: bool) -> codegen::Crate {
    let options = Options { runtime: Runtime::Version("0.0.0".to_owned()), portable };
    codegen::lower(&model.program, &model.text, &options)
}

/// Every model in `models/` and `tests/ok/`.
fn corpus() -> Vec<Model> {
    let mut paths: Vec<PathBuf> =
        ["models", "tests/ok"].iter().flat_map(|folder| models_in(folder)).collect();
    paths.sort();
    assert!(!paths.is_empty(), "the corpus is not there");
    paths.iter().map(|path| load(path)).collect()
}

fn models_in(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = fs::read_dir(folder).expect("the corpus can be listed");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "cam")).collect()
}

fn load(path: &Path) -> Model {
    let part =
        |name: Option<&std::ffi::OsStr>| name.expect("a part of a path").to_string_lossy().into_owned();
    let name = format!("{}_{}", part(path.parent().and_then(Path::file_name)), part(path.file_stem()));
    let source = Source::new(&name, fs::read_to_string(path).expect("the model can be read"));
    match camtl::analysis::compile_model(&source, &Folder::of(path)) {
        Ok(Compiled { program, variants, text, .. }) => Model { name, text, program, variants },
        Err(rejected) => panic!("{name} has mistakes: {:?}", rejected.diagnostics.codes()),
    }
}

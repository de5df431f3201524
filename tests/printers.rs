//! Every model of the corpus as each printer shows it: graph, stats, and the generated Rust; and pairs of them.
//!
//! A changed snapshot fails; `cargo insta review` shows what changed and accepts it.

use std::fs;
use std::path::{Path, PathBuf};

use camtl::analysis::Compiled;
use camtl::codegen::{self, Options, Runtime};
use camtl::diff::{Diff, Fit, Side, Status};
use camtl::disk::Folder;
use camtl::graph::{self, Format};
use camtl::ir::cost::Load;
use camtl::ir::{Count, ParameterCount, Program, parameters};
use camtl::span::Source;
use camtl::stats::Stats;

struct Model {
    /// "models_quickstart", "ok_ladder": the prefix of its snapshots.
    name: String,
    text: String,
    program: Program,
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
fn diffs() {
    let quickstart = model("models/quickstart.cam");
    let mut baseline = quickstart.text.replace("sampler mt_uncertainty", "sampler proportional");
    baseline = baseline.lines().filter(|line| !line.starts_with("attach")).collect::<Vec<_>>().join("\n");
    let pairs = [
        ("modules", quickstart, compile("quickstart_baseline", baseline, Path::new("none")).remove(0)),
        ("sizes", model("models/camtl_base.cam"), model("models/camtl_minilm.cam")),
        ("tasks", model("models/camtl_minilm.cam"), model("models/camtl_minilm_glue.cam")),
        ("ladder", model("tests/ok/uneven.cam"), model("tests/ok/ladder.cam")),
        (
            "budget",
            load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ok/budget.cam")).remove(1),
            model("tests/ok/budget.cam"),
        ),
    ];
    for (name, from, to) in pairs {
        let diff = Diff::of(side(&from), side(&to));
        assert!(!diff.is_empty(), "{name}");
        insta::assert_snapshot!(format!("diff_{name}.text"), diff.text());
        insta::assert_snapshot!(format!("diff_{name}.json"), diff.json());
    }
}

#[test]
fn a_model_does_not_differ_from_itself() {
    for model in corpus() {
        let diff = Diff::of(side(&model), side(&model));
        assert_eq!(diff.text(), "no difference\n", "{}", model.name);
        assert!(diff.checkpoint.is_whole() && diff.figures.iter().all(|figure| figure.from == figure.to));
    }
}

/// Counts, of whichever direction: what is only in one model is what is only in the other the other way round.
#[test]
fn every_parameter_of_two_models_is_accounted_for() {
    let models = corpus();
    for (from, to) in models.iter().flat_map(|from| models.iter().map(move |to| (from, to))) {
        let fit = Diff::of(side(from), side(to)).checkpoint;
        let back = Diff::of(side(to), side(from)).checkpoint;
        let tensors = |fit: &Fit, statuses: &[Status]| -> usize {
            statuses.iter().map(|status| fit.sum(*status).0).sum()
        };
        let both = [Status::Fits, Status::OtherShape];
        let count = parameters(&from.program).len();
        assert_eq!(tensors(&fit, &both) + tensors(&fit, &[Status::OnlyFrom]), count, "{}", from.name);
        assert_eq!(fit.sum(Status::OnlyFrom), back.sum(Status::OnlyTo));
        assert_eq!(fit.sum(Status::Fits), back.sum(Status::Fits));
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

/// One is enough: its parts are those of the crates.
#[test]
fn an_embedded_model() {
    let model = corpus().into_iter().find(|model| model.name == "ok_plain").expect("it is in the corpus");
    let text = codegen::embed(&model.program, &model.text).replace(env!("CARGO_PKG_VERSION"), "VERSION");
    insta::assert_snapshot!(format!("{}.embedded.rs", model.name), text);
}

#[test]
fn an_embedded_model_is_rust_and_holds_its_text() {
    for mut model in corpus() {
        model.text.push_str("// \"#\r\n\t{}\\ \u{e9}");
        let text = codegen::embed(&model.program, &model.text);
        let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", model.name));
        let [syn::Item::Mod(module)] = parsed.items.as_slice() else { panic!("one module:\n{text}") };
        let (_, items) = module.content.as_ref().expect("it has its items");
        let source = items.iter().find_map(|item| match item {
            syn::Item::Const(constant) if constant.ident == "SOURCE" => Some(&*constant.expr),
            _ => None,
        });
        let Some(syn::Expr::Macro(concat)) = source else { panic!("no source:\n{text}") };
        let lines = concat
            .mac
            .parse_body_with(syn::punctuated::Punctuated::<syn::LitStr, syn::Token![,]>::parse_terminated);
        let source: String = lines.expect("string literals").iter().map(syn::LitStr::value).collect();
        assert_eq!(source, model.text);
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
    let options = Options { runtime: Runtime::Version("0.0.0".to_owned()), portable, cuda: false };
    codegen::lower(&model.program, &model.text, &options)
}

fn side(model: &Model) -> Side<'_> {
    Side { name: &model.name, program: &model.program, load: Load::of(&model.program) }
}

fn model(path: &str) -> Model {
    load(&Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).remove(0)
}

/// Every model in `models/` and `tests/ok/`, and all their variants.
fn corpus() -> Vec<Model> {
    let mut paths: Vec<PathBuf> =
        ["models", "tests/ok"].iter().flat_map(|folder| models_in(folder)).collect();
    paths.sort();
    assert!(!paths.is_empty(), "the corpus is not there");
    paths.iter().flat_map(|path| load(path)).collect()
}

fn models_in(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = fs::read_dir(folder).expect("the corpus can be listed");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "cam")).collect()
}

/// The model of a file, and each of its variants.
fn load(path: &Path) -> Vec<Model> {
    let part =
        |name: Option<&std::ffi::OsStr>| name.expect("a part of a path").to_string_lossy().into_owned();
    let name = format!("{}_{}", part(path.parent().and_then(Path::file_name)), part(path.file_stem()));
    compile(&name, fs::read_to_string(path).expect("the model can be read"), path)
}

/// `path` is where the files lie that the text includes.
fn compile(name: &str, text: String, path: &Path) -> Vec<Model> {
    let source = Source::new(name, text);
    let Compiled { program, variants, text, .. } =
        match camtl::analysis::compile_model(&source, &Folder::of(path)) {
            Ok(compiled) => compiled,
            Err(rejected) => panic!("{name} has mistakes: {:?}", rejected.diagnostics.codes()),
        };
    let form = |program: Program| Model {
        name: program.variant.iter().fold(name.to_owned(), |name, variant| format!("{name}.{variant}")),
        text: text.clone(),
        program,
    };
    std::iter::once(program).chain(variants).map(form).collect()
}

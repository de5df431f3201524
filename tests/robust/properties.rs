//! What holds of texts: any text is compiled or reported, a text that parses has one layout, and a program goes
//! through every printer. A broken property panics.

use std::collections::BTreeMap;

use camtl::{
    analysis::{self, Compiled, Files, NoFiles, Rejected},
    codegen::{self, Options, Runtime},
    diagnostics::{Diagnostics, Style, codes},
    diff::{Diff, Side},
    fmt,
    graph::{self, Format, Graph, Group},
    ir::{Count, ParameterCount, Program, cost::Load},
    span::{Source, Sources},
    stats::Stats,
    syntax,
};
use serde_json::Value;

/// The most mistakes that one compilation keeps.
const MOST_MISTAKES: usize = 1_000;

/// The files that a model includes, by their paths.
#[derive(Clone, Debug, Default)]
pub struct Around(pub BTreeMap<String, String>);

impl Files for Around {
    fn read(&self, path: &str) -> Result<String, String> {
        self.0.get(path).cloned().ok_or_else(|| "there is no such file".to_owned())
    }

    fn checkpoint_config(&self, _: &str) -> Option<String> {
        None
    }
}

/// All that holds of any text.
pub fn check_text(text: &str, files: &Around) {
    let source = Source::new("any.cam", text);
    check_syntax(&source);
    match analysis::compile_model(&source, files) {
        Ok(compiled) => check_compiled(&compiled),
        Err(rejected) => {
            let Rejected { sources, diagnostics } = *rejected;
            assert!(diagnostics.has_errors(), "no program and no mistake");
            check_report(&sources, &diagnostics);
        }
    }
}

/// A text does not parse and is reported, or has a layout that is its own layout and says the same.
pub fn check_syntax(source: &Source) {
    let file = match syntax::parse(source) {
        Ok(file) => file,
        Err(found) => return check_report(&Sources::of(source.clone()), &found),
    };
    let formatted = Source::new(&source.name, fmt::print(&file, source));
    let again = fmt::format(&formatted).expect("a layout parses");
    assert_eq!(formatted.text, again, "formatting twice is not formatting once");
    let formatted = syntax::parse(&formatted).expect("it has just been parsed");
    let tree = |file| without_spans(serde_json::to_value(file).expect("a tree is plain data"));
    assert_eq!(tree(&file), tree(&formatted), "formatting changes more than white space");
}

/// Every program of a model is printed, and its text in one means the same as its files.
pub fn check_compiled(compiled: &Compiled) {
    assert!(!compiled.warnings.has_errors(), "a program has mistakes: {:?}", compiled.warnings.codes());
    check_report(&compiled.sources, &compiled.warnings);
    check_program(&compiled.program, &compiled.text);
    for variant in &compiled.variants {
        check_program(variant, &compiled.text);
        check_diff(&compiled.program, variant);
    }
    let alone = Source::new("alone.cam", &compiled.text);
    match analysis::compile_model(&alone, &NoFiles) {
        Ok(alone) => {
            assert_eq!(alone.program, compiled.program, "the text in one means something else");
            assert_eq!(alone.variants, compiled.variants, "the text in one means something else");
        }
        Err(rejected) => panic!("the text in one has mistakes: {:?}", rejected.diagnostics.codes()),
    }
}

/// Every mistake has a known code, stands in its text, and can be shown; there are not too many.
pub fn check_report(sources: &Sources, found: &Diagnostics) {
    assert!(found.len() <= MOST_MISTAKES, "{} mistakes", found.len());
    for one in found.iter() {
        let code = one.code().expect("every mistake has a code").to_string();
        assert!(codes::find(&code).is_some(), "{code} is not in the list");
        for label in one.labels().into_iter().flatten() {
            let (file, start) = sources.locate(label.offset());
            let end = start + label.len();
            let words = sources.get(file).text.get(start..end);
            assert!(words.is_some(), "{code}: {start}..{end} is no part of the text");
        }
    }
    assert_eq!(found.render(sources, Style::Plain).is_empty(), found.is_empty());
    assert_eq!(found.entries(sources).len(), found.len());
}

/// Lowers to Rust, and graph and figures agree about the parameters.
pub fn check_program(program: &Program, text: &str) {
    let options = Options { runtime: Runtime::Version("0.0.0".to_owned()), portable: true, cuda: false };
    let files = codegen::lower(program, text, &options).files.into_iter();
    let rust = files.filter(|file| file.path.ends_with(".rs")).map(|file| file.text);
    for text in rust.chain([codegen::embed(program, text)]) {
        if let Err(error) = syn::parse_file(&text) {
            panic!("{error}\n{text}");
        }
    }
    for format in [Format::Text, Format::Dot, Format::Mermaid] {
        assert!(!graph::render(program, format).is_empty(), "an empty graph");
    }
    let picture = graph::render(program, Format::Svg);
    roxmltree::Document::parse(&picture).expect("a picture is XML");
    let graph = graph::render(program, Format::Json);
    serde_json::from_str::<Value>(&graph).expect("a graph is JSON");

    let counted = ParameterCount::of(program).sum();
    let graph = Graph::of(program);
    for graph in [graph.folded(), graph] {
        let total: Count = graph.groups.iter().map(Group::parameters).sum();
        assert_eq!(total, counted, "the graph's parts are not the program's");
    }
    let stats = Stats::of(program, Load::of(program));
    assert_eq!(stats.parameters, counted);
    let total: Count = stats.components.iter().map(|(_, count)| *count).sum();
    assert_eq!(total, counted, "the components are not the program");
    assert!(stats.text().contains(&program.name));
    serde_json::from_str::<Value>(&stats.json()).expect("figures are JSON");
}

/// What two programs do not share can be told, and a program shares all with itself.
fn check_diff(model: &Program, variant: &Program) {
    let [model, variant] = [("model", model), ("variant", variant)].map(|(name, program)| Side {
        name,
        program,
        load: Load::of(program),
    });
    let diff = Diff::of(model, variant);
    assert!(!diff.text().is_empty());
    serde_json::from_str::<Value>(&diff.json()).expect("differences are JSON");
    assert!(Diff::of(variant, variant).is_empty(), "a program differs from itself");
}

/// A tree with nothing left of where its words stood: no spans, and comments by their text.
fn without_spans(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.into_iter().filter(|(key, _)| key != "span" && key != "block");
            Value::Object(kept.map(|(key, value)| (key, without_spans(value))).collect())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(without_spans).collect()),
        other => other,
    }
}

//! What holds of texts: any text is compiled or reported, a text that parses has one layout, and a program goes
//! through every printer. A broken property panics.

use camtl::{
    analysis,
    codegen::{self, Options, Runtime},
    diagnostics::{Diagnostics, Style, codes},
    fmt,
    graph::{self, Format, Graph, Group},
    ir::{Count, ParameterCount, Program},
    span::Source,
    stats::Stats,
    syntax,
};
use serde_json::Value;

/// The most mistakes that one compilation keeps.
const MOST_MISTAKES: usize = 1_000;

/// All that holds of any text.
pub fn check_text(text: &str) {
    let source = Source::new("any.cam", text);
    check_syntax(&source);
    match analysis::compile(&source) {
        Ok((program, warnings)) => {
            assert!(!warnings.has_errors(), "a program has mistakes: {:?}", warnings.codes());
            check_report(&source, &warnings);
            check_program(&program, text);
        }
        Err(found) => {
            assert!(found.has_errors(), "no program and no mistake");
            check_report(&source, &found);
        }
    }
}

/// A text does not parse and is reported, or has a layout that is its own layout and says the same.
pub fn check_syntax(source: &Source) {
    let file = match syntax::parse(source) {
        Ok(file) => file,
        Err(found) => return check_report(source, &found),
    };
    let formatted = Source::new(&source.name, fmt::print(&file, source));
    let again = fmt::format(&formatted).expect("a layout parses");
    assert_eq!(formatted.text, again, "formatting twice is not formatting once");
    let formatted = syntax::parse(&formatted).expect("it has just been parsed");
    let tree = |file| without_spans(serde_json::to_value(file).expect("a tree is plain data"));
    assert_eq!(tree(&file), tree(&formatted), "formatting changes more than white space");
}

/// Every mistake has a known code, stands in the text, and can be shown; there are not too many.
pub fn check_report(source: &Source, found: &Diagnostics) {
    assert!(found.len() <= MOST_MISTAKES, "{} mistakes", found.len());
    for one in found.iter() {
        let code = one.code().expect("every mistake has a code").to_string();
        assert!(codes::find(&code).is_some(), "{code} is not in the list");
        for label in one.labels().into_iter().flatten() {
            let (start, end) = (label.offset(), label.offset() + label.len());
            assert!(source.text.get(start..end).is_some(), "{code}: {start}..{end} is no part of the text");
        }
    }
    let report = found.render(source, Style::Plain);
    assert_eq!(report.is_empty(), found.is_empty());
}

/// Lowers to Rust, and graph and figures agree about the parameters.
pub fn check_program(program: &Program, text: &str) {
    let options = Options { runtime: Runtime::Version("0.0.0".to_owned()), portable: true };
    for file in codegen::lower(program, text, &options).files {
        if file.path.ends_with(".rs")
            && let Err(error) = syn::parse_file(&file.text)
        {
            panic!("{}: {error}\n{}", file.path, file.text);
        }
    }
    for format in [Format::Text, Format::Dot, Format::Mermaid, Format::Json] {
        assert!(!graph::render(program, format).is_empty(), "an empty graph");
    }
    let graph = Graph::of(program);
    let counted = ParameterCount::of(program);
    for graph in [graph.folded(), graph] {
        let total: Count = graph.groups.iter().map(Group::parameters).sum();
        assert_eq!(total, counted.sum(), "the graph's parts are not the program's");
    }
    let stats = Stats::of(program);
    let total: Count = stats.components.iter().map(|(_, count)| *count).sum();
    assert_eq!(total, counted.sum(), "the components are not the program");
    assert!(stats.text().contains(&program.name));
    serde_json::from_str::<Value>(&stats.json()).expect("figures are JSON");
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

//! Generated legal models: each checks, has one layout, lowers, and is printed by every printer.

use camtl::{
    analysis::{self, Rejected},
    diagnostics::Style,
    span::Source,
};
use proptest::prelude::*;

use super::{
    generate::{self, Model},
    properties::{check_compiled, check_syntax},
};

/// Whether all mistakes are that the authors' code leaves a model less choice than the generator takes.
pub fn is_of_fidelity(rejected: &Rejected) -> bool {
    let codes = ["cam::fidelity::layers", "cam::fidelity::width"];
    let of_fidelity = |error: &(dyn miette::Diagnostic + Send + Sync)| {
        error.code().is_some_and(|code| codes.contains(&code.to_string().as_str()))
    };
    rejected.diagnostics.errors().all(of_fidelity)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn legal_models_go_through_every_stage(model in generate::model()) {
        let Model { text, files } = &model;
        for (path, text) in &files.0 {
            check_syntax(&Source::new(path, text));
        }
        let source = Source::new("legal.cam", text);
        check_syntax(&source);
        match analysis::compile_model(&source, files) {
            Ok(compiled) => check_compiled(&compiled),
            Err(rejected) if is_of_fidelity(&rejected) => {}
            Err(rejected) => {
                let report = rejected.diagnostics.render(&rejected.sources, Style::Plain);
                panic!("{text}\n{report}");
            }
        }
    }
}

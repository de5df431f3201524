//! Generated legal models: each checks, has one layout, lowers, and is printed by every printer.

use camtl::{analysis, diagnostics::Style, span::Source};
use proptest::prelude::*;

use super::{
    generate::{self, Model},
    properties::{check_compiled, check_syntax},
};

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
            Err(rejected) => {
                let report = rejected.diagnostics.render(&rejected.sources, Style::Plain);
                panic!("{text}\n{report}");
            }
        }
    }
}

//! Generated legal models: each checks, has one layout, lowers, and is printed by every printer.

use camtl::{analysis, diagnostics::Style, span::Source};
use proptest::prelude::*;

use super::{generate, properties};

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn legal_models_go_through_every_stage(text in generate::model()) {
        let source = Source::new("legal.cam", text);
        properties::check_syntax(&source);
        match analysis::compile(&source) {
            Ok((program, warnings)) => {
                properties::check_report(&source, &warnings);
                properties::check_program(&program, &source.text);
            }
            Err(found) => panic!("{}\n{}", source.text, found.render(&source, Style::Plain)),
        }
    }
}

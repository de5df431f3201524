//! `fidelity`: whose formulas are computed where the paper and the authors' code differ.

use miette::Diagnostic;
use thiserror::Error;

use super::index_items::Items;
use crate::{
    diagnostics::{Diagnostics, did_you_mean},
    ir::Fidelity,
    span::Span,
};

/// The paper's where the file is silent; `None` where a mistake was reported.
pub fn check_fidelity(items: &Items, sink: &mut Diagnostics) -> Option<Fidelity> {
    let Some(item) = items.fidelity else { return Some(Fidelity::default()) };
    match item.to.text.as_str() {
        "paper" => Some(Fidelity::Paper),
        "reference" => Some(Fidelity::Reference),
        other => {
            let help = did_you_mean(other, &["paper", "reference"]);
            sink.push(Unknown { fidelity: other.to_owned(), help, span: item.to.span });
            None
        }
    }
}

#[derive(Debug, Error, Diagnostic)]
#[error("there is no fidelity to `{fidelity}`")]
#[diagnostic(code(cam::fidelity::unknown), help("{help}"))]
struct Unknown {
    fidelity: String,
    help: String,
    #[label("unknown fidelity")]
    span: Span,
}

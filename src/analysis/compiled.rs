//! A model without mistakes: its program, and those of its variants.

use miette::Diagnostic;
use thiserror::Error;

use crate::{
    diagnostics::{Diagnostics, did_you_mean},
    ir::Program,
    span::Sources,
};

#[derive(Debug)]
pub struct Compiled {
    /// All texts that it was read from.
    pub sources: Sources,
    /// Its whole text: what it includes stands in the place of each `include`.
    pub text: String,
    /// The model itself.
    pub program: Program,
    /// Its variants, in the order of the file.
    pub variants: Vec<Program>,
    /// Sorted by place.
    pub warnings: Diagnostics,
    /// The assertions that do not hold: the model means something, and is not what its author wants. Nothing may be
    /// built of it; what shows it, shows where it goes too far.
    pub failures: Diagnostics,
}

impl Compiled {
    /// The program of a variant; without a name, the model's own.
    ///
    /// # Errors
    /// The model has no variant of this name.
    pub fn form(&self, variant: Option<&str>) -> Result<&Program, NoVariant> {
        let Some(name) = variant else { return Ok(&self.program) };
        let found = self.variants.iter().find(|program| program.variant.as_deref() == Some(name));
        found.ok_or_else(|| self.no_variant(name))
    }

    fn no_variant(&self, name: &str) -> NoVariant {
        let names: Vec<&str> = self.variants.iter().filter_map(|one| one.variant.as_deref()).collect();
        let help = match names.is_empty() {
            true => "it has none; `variant NAME { .. }` in its file makes one".to_owned(),
            false => did_you_mean(name, &names),
        };
        NoVariant { model: self.program.name.clone(), name: name.to_owned(), help }
    }
}

/// A variant was asked for that the model does not have.
#[derive(Debug, Error, Diagnostic)]
#[error("`{model}` has no variant `{name}`")]
#[diagnostic(code(camtlc::variant))]
pub struct NoVariant {
    model: String,
    name: String,
    #[help]
    help: String,
}

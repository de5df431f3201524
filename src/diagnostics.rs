//! What is wrong with a source, and how it is shown.
//!
//! A mistake is a typed struct of its own, beside the pass that finds it, with its code, text, labels and
//! help derived by `miette`. This module knows none of them: it collects, counts and prints. The only list is
//! [`codes::CODES`], which `tests/language.rs` holds against the structs and against `tests/err/`.

pub mod codes;
mod render;
mod suggest;

use miette::{Diagnostic, Severity};

pub use render::Style;
pub use suggest::{alternatives, did_you_mean, enumerate, nearest};

/// One mistake or warning of any kind.
pub type Boxed = Box<dyn Diagnostic + Send + Sync + 'static>;

/// A sink of diagnostics, in the order of their discovery.
#[derive(Debug, Default)]
pub struct Diagnostics {
    found: Vec<Boxed>,
}

impl Diagnostics {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn push(&mut self, diagnostic: impl Diagnostic + Send + Sync + 'static) {
        self.found.push(Box::new(diagnostic));
    }

    pub fn append(&mut self, mut other: Diagnostics) {
        self.found.append(&mut other.found);
    }

    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    pub fn len(&self) -> usize {
        self.found.len()
    }

    pub fn iter(&self) -> impl Iterator<Item = &(dyn Diagnostic + Send + Sync)> {
        self.found.iter().map(|boxed| &**boxed)
    }

    pub fn has_errors(&self) -> bool {
        self.errors().next().is_some()
    }

    /// Those that prevent a program.
    pub fn errors(&self) -> impl Iterator<Item = &(dyn Diagnostic + Send + Sync)> {
        self.iter().filter(|diagnostic| is_error(*diagnostic))
    }

    /// Those that do not.
    pub fn warnings(&self) -> impl Iterator<Item = &(dyn Diagnostic + Send + Sync)> {
        self.iter().filter(|diagnostic| !is_error(*diagnostic))
    }

    /// The code of each, in order: `cam::shape::heads`.
    pub fn codes(&self) -> Vec<String> {
        self.iter().filter_map(|diagnostic| diagnostic.code()).map(|code| code.to_string()).collect()
    }

    /// In the order of the text: the primary label decides, else the first; discovery breaks ties.
    pub fn sort(&mut self) {
        self.found.sort_by_key(|diagnostic| {
            let labels: Vec<_> = diagnostic.labels().into_iter().flatten().collect();
            let primary = labels.iter().find(|label| label.primary()).or(labels.first());
            primary.map_or(0, |label| label.offset())
        });
    }
}

fn is_error(diagnostic: &dyn Diagnostic) -> bool {
    !matches!(diagnostic.severity(), Some(Severity::Warning | Severity::Advice))
}

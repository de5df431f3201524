//! What is wrong with a model, and how it is shown.
//!
//! A mistake is a typed struct of its own, beside the pass that finds it, with its code, text, labels and
//! help derived by `miette`. This module knows none of them: it collects, counts and prints. The only list is
//! [`codes::CODES`], which `tests/language.rs` holds against the structs and against `tests/err/`.

pub mod codes;
mod excerpt;
mod json;
mod render;
mod suggest;

use std::collections::HashSet;

use miette::{Diagnostic, LabeledSpan, Severity};

use crate::span::Span;

pub use json::{Entry, Label, Position};
pub use render::Style;
pub use suggest::{alternatives, did_you_mean, enumerate, nearest};

/// One mistake or warning of any kind.
pub type Boxed = Box<dyn Diagnostic + Send + Sync + 'static>;

/// Kept of one model, of errors and of warnings: nobody reads more, and a text of a megabyte may have one a byte.
const MOST: usize = 1_000;

/// A sink of diagnostics, in the order of their discovery.
#[derive(Debug, Default)]
pub struct Diagnostics {
    found: Vec<Found>,
    errors: usize,
    /// Beyond [`MOST`].
    dropped: usize,
}

/// A diagnostic, and the variant in which alone it arises.
#[derive(Debug)]
struct Found {
    diagnostic: Boxed,
    variant: Option<Variant>,
}

#[derive(Clone, Debug)]
struct Variant {
    name: String,
    span: Span,
}

impl Diagnostics {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn push(&mut self, diagnostic: impl Diagnostic + Send + Sync + 'static) {
        self.keep(Found { diagnostic: Box::new(diagnostic), variant: None });
    }

    pub fn append(&mut self, other: Diagnostics) {
        self.dropped += other.dropped;
        for found in other.found {
            self.keep(found);
        }
    }

    fn keep(&mut self, found: Found) {
        let is_error = is_error(&*found.diagnostic);
        let kept = if is_error { self.errors } else { self.found.len() - self.errors };
        if kept == MOST {
            self.dropped += 1;
        } else {
            self.errors += usize::from(is_error);
            self.found.push(found);
        }
    }

    /// Would another error only be counted? Then what costs time need not be looked into any further.
    pub fn is_full(&self) -> bool {
        self.errors == MOST
    }

    /// Adds what arises in a variant alone: errors that are not here yet, and warnings that speak of its `text` or of
    /// a file that is not the model's own, which ends at `own`.
    /// A diagnostic that speaks only of other places is shown together with the variant's name.
    pub fn append_variant(
        &mut self,
        name: &str,
        name_span: Span,
        text: Span,
        own: usize,
        other: Diagnostics,
    ) {
        let known: HashSet<Key> = self.found.iter().map(|found| key(&*found.diagnostic)).collect();
        for mut found in other.found {
            let diagnostic = &*found.diagnostic;
            let is_inside = labels(diagnostic).any(|label| text.contains(label.offset()));
            let is_elsewhere = labels(diagnostic).any(|label| label.offset() > own);
            if known.contains(&key(diagnostic)) || !(is_inside || is_elsewhere || is_error(diagnostic)) {
                continue;
            }
            found.variant = (!is_inside).then(|| Variant { name: name.to_owned(), span: name_span });
            self.keep(found);
        }
    }

    /// How many were found beyond those that are kept.
    pub fn dropped(&self) -> usize {
        self.dropped
    }

    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    pub fn len(&self) -> usize {
        self.found.len()
    }

    pub fn iter(&self) -> impl Iterator<Item = &(dyn Diagnostic + Send + Sync)> {
        self.found.iter().map(|found| &*found.diagnostic)
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

    /// In the order of the texts: the primary label decides, else the first; discovery breaks ties.
    pub fn sort(&mut self) {
        self.found.sort_by_key(|found| place(&*found.diagnostic).unwrap_or(0));
    }
}

/// The offset that a diagnostic speaks of first.
fn place(diagnostic: &dyn Diagnostic) -> Option<usize> {
    let labels: Vec<_> = labels(diagnostic).collect();
    labels.iter().find(|label| label.primary()).or(labels.first()).map(LabeledSpan::offset)
}

fn labels(diagnostic: &dyn Diagnostic) -> impl Iterator<Item = LabeledSpan> {
    diagnostic.labels().into_iter().flatten()
}

/// What tells diagnostics apart: text and labels.
type Key = (String, Vec<(usize, usize)>);

fn key(diagnostic: &dyn Diagnostic) -> Key {
    (diagnostic.to_string(), labels(diagnostic).map(|label| (label.offset(), label.len())).collect())
}

fn is_error(diagnostic: &dyn Diagnostic) -> bool {
    !matches!(diagnostic.severity(), Some(Severity::Warning | Severity::Advice))
}

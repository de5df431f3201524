//! Diagnostics as data, for editors and CI.

use miette::{Diagnostic, LabeledSpan, Severity};
use serde::Serialize;

use super::{Diagnostics, Found, Variant, labels};
use crate::span::Sources;

/// One diagnostic as `camtlc check --json` prints it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    pub severity: &'static str,
    /// `cam::shape::heads`
    pub code: Option<String>,
    pub message: String,
    pub help: Option<String>,
    /// The variant in which alone it arises, where its labels do not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    pub labels: Vec<Label>,
}

/// A place in a file, and what there is to say of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Label {
    pub file: String,
    /// Is it the place where an editor puts the diagnostic? Exactly one label's is.
    pub primary: bool,
    pub text: Option<String>,
    pub start: Position,
    /// Behind the last letter.
    pub end: Position,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Position {
    /// From 1.
    pub line: usize,
    /// In letters (Unicode scalar values), from 1.
    pub column: usize,
    /// In bytes of the file, from 0.
    pub offset: usize,
}

impl Diagnostics {
    /// Every diagnostic with its places resolved.
    pub fn entries(&self, sources: &Sources) -> Vec<Entry> {
        self.found.iter().map(|found| entry(found, sources)).collect()
    }
}

fn entry(found: &Found, sources: &Sources) -> Entry {
    let Found { diagnostic, variant } = found;
    Entry {
        severity: match diagnostic.severity() {
            Some(Severity::Warning) => "warning",
            Some(Severity::Advice) => "advice",
            Some(Severity::Error) | None => "error",
        },
        code: diagnostic.code().map(|code| code.to_string()),
        message: diagnostic.to_string(),
        help: diagnostic.help().map(|help| help.to_string()),
        variant: variant.as_ref().map(|Variant { name, .. }| name.clone()),
        labels: places(&**diagnostic, sources),
    }
}

fn places(diagnostic: &dyn Diagnostic, sources: &Sources) -> Vec<Label> {
    let labels: Vec<LabeledSpan> = labels(diagnostic).collect();
    let primary = labels.iter().position(LabeledSpan::primary).unwrap_or(0);
    let label = |(i, label): (usize, &LabeledSpan)| {
        let (file, start) = sources.locate(label.offset());
        let source = sources.get(file);
        Label {
            file: source.name.clone(),
            primary: i == primary,
            text: label.label().map(str::to_owned),
            start: position(&source.text, start),
            end: position(&source.text, start + label.len()),
        }
    };
    labels.iter().enumerate().map(label).collect()
}

fn position(text: &str, offset: usize) -> Position {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    Position { line, column: before[start..].chars().count() + 1, offset }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_letters() {
        let position = position("é\r\nüx y", 6);
        assert_eq!(position, Position { line: 2, column: 2, offset: 6 });
    }
}

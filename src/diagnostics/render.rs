//! Diagnostics as text: the source, the labels under it, the help.

use std::fmt::{self, Display};

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, Severity, SourceCode, SourceSpan,
};

use super::{
    Diagnostics, Found,
    excerpt::{Excerpts, showable},
    is_error, labels, place,
};
use crate::span::Sources;

/// What the reader's side can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Unicode and colors: a terminal.
    Color,
    /// Unicode without colors: a pipe, a log, a snapshot.
    Plain,
}

/// Columns of a rendered report; fixed, so that the same mistake always reads the same.
const WIDTH: usize = 100;

/// Shown at once; the rest is counted.
const MOST: usize = 100;

impl Diagnostics {
    /// Every diagnostic under the lines of `sources` that it speaks of, a blank line between.
    pub fn render(&self, sources: &Sources, style: Style) -> String {
        let theme = match style {
            Style::Color => GraphicalTheme::unicode(),
            Style::Plain => GraphicalTheme::unicode_nocolor(),
        };
        let handler = GraphicalReportHandler::new_themed(theme)
            .with_width(WIDTH)
            .with_links(false)
            .with_context_lines(1);
        let mut text = String::new();
        for (i, found) in self.most_wanted().enumerate() {
            if i > 0 {
                text.push('\n');
            }
            // Writing into a String cannot fail, and a label outside the text is printed without its lines.
            let _ = handler.render_report(&mut text, &Located::new(found, sources));
        }
        let more = self.found.len().saturating_sub(MOST) + self.dropped;
        if more > 0 {
            text.push_str(&format!("\n  ... and {more} more\n"));
        }
        text
    }

    /// The first of all, in their order; where there is no room for all, errors before warnings.
    fn most_wanted(&self) -> impl Iterator<Item = &Found> {
        let mut errors = self.errors.min(MOST);
        let mut warnings = MOST - errors;
        self.found.iter().filter(move |found| {
            let room = if is_error(&*found.diagnostic) { &mut errors } else { &mut warnings };
            let is_shown = *room > 0;
            *room = room.saturating_sub(1);
            is_shown
        })
    }
}

/// A diagnostic together with the text it speaks of.
#[derive(Debug)]
struct Located<'a> {
    diagnostic: &'a (dyn Diagnostic + Send + Sync),
    source: Excerpts<'a>,
    /// Those in `source`.
    labels: Vec<LabeledSpan>,
    /// Labels in other texts, a text each.
    elsewhere: Vec<Elsewhere<'a>>,
}

/// The labels of a diagnostic in another text than its first.
#[derive(Debug)]
struct Elsewhere<'a> {
    source: Excerpts<'a>,
    labels: Vec<LabeledSpan>,
}

impl<'a> Located<'a> {
    fn new(found: &'a Found, sources: &'a Sources) -> Self {
        let source = |file| Excerpts { source: sources.get(file) };
        let diagnostic = &*found.diagnostic;
        let (main, _) = sources.locate(place(diagnostic).unwrap_or(0));
        let in_variant = found.variant.as_ref().map(|variant| {
            LabeledSpan::new_with_span(Some(format!("in the variant `{}`", variant.name)), variant.span)
        });
        let mut located =
            Self { diagnostic, source: source(main), labels: Vec::new(), elsewhere: Vec::new() };
        let mut files = Vec::new();
        for label in labels(diagnostic).chain(in_variant) {
            let (file, offset) = sources.locate(label.offset());
            let label = moved(&label, offset);
            if file == main {
                located.labels.push(label);
            } else if let Some(at) = files.iter().position(|known| *known == file) {
                located.elsewhere[at].labels.push(label);
            } else {
                files.push(file);
                located.elsewhere.push(Elsewhere { source: source(file), labels: vec![label] });
            }
        }
        located.labels = showable(located.labels, located.source.source);
        for elsewhere in &mut located.elsewhere {
            elsewhere.labels = showable(std::mem::take(&mut elsewhere.labels), elsewhere.source.source);
        }
        located
    }
}

/// Letters of the longest message or help: they quote the text, which may be one word of a megabyte.
const LETTERS: usize = 600;

fn cut(text: &str) -> String {
    match text.char_indices().nth(LETTERS) {
        Some((at, _)) => format!("{} ...", &text[..at]),
        None => text.to_owned(),
    }
}

fn moved(label: &LabeledSpan, offset: usize) -> LabeledSpan {
    let span = SourceSpan::new(offset.into(), label.len());
    let text = label.label().map(str::to_owned);
    match label.primary() {
        true => LabeledSpan::new_primary_with_span(text, span),
        false => LabeledSpan::new_with_span(text, span),
    }
}

impl Display for Located<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&cut(&self.diagnostic.to_string()))
    }
}

impl std::error::Error for Located<'_> {}

impl Diagnostic for Located<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        self.diagnostic.code()
    }

    fn severity(&self) -> Option<Severity> {
        self.diagnostic.severity()
    }

    fn help<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        let help = cut(&self.diagnostic.help()?.to_string());
        Some(Box::new(help))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        Some(Box::new(self.elsewhere.iter().map(|elsewhere| elsewhere as &dyn Diagnostic)))
    }
}

impl Display for Elsewhere<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "and in `{}`", self.source.source.name)
    }
}

impl std::error::Error for Elsewhere<'_> {}

impl Diagnostic for Elsewhere<'_> {
    fn severity(&self) -> Option<Severity> {
        Some(Severity::Advice)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}

//! Diagnostics as text: the source, the labels under it, the help.

use std::fmt::{self, Display};

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, Severity, SourceCode,
};

use super::Diagnostics;
use crate::span::Source;

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

impl Diagnostics {
    /// Every diagnostic under the lines of `source` that it speaks of, a blank line between.
    pub fn render(&self, source: &Source, style: Style) -> String {
        let theme = match style {
            Style::Color => GraphicalTheme::unicode(),
            Style::Plain => GraphicalTheme::unicode_nocolor(),
        };
        let handler = GraphicalReportHandler::new_themed(theme)
            .with_width(WIDTH)
            .with_links(false)
            .with_context_lines(1);
        let named = NamedSource::new(&source.name, source.text.clone());
        let mut text = String::new();
        for (i, diagnostic) in self.iter().enumerate() {
            if i > 0 {
                text.push('\n');
            }
            // Writing into a String cannot fail, and a label outside the text is printed without its lines.
            let _ = handler.render_report(&mut text, &Located { diagnostic, source: &named });
        }
        text
    }
}

/// A diagnostic together with the text it speaks of.
#[derive(Debug)]
struct Located<'a> {
    diagnostic: &'a (dyn Diagnostic + Send + Sync),
    source: &'a NamedSource<String>,
}

impl Display for Located<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Display::fmt(self.diagnostic, f)
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
        self.diagnostic.help()
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.diagnostic.labels()
    }
}

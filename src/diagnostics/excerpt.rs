//! The part of a source that a report shows: whole lines where they are short, a window where they are not.
//!
//! A text may be one line of a megabyte, and a label as long; nobody wants to read that, nor does `miette` like
//! columns beyond a `u16`.

use miette::{LabeledSpan, MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use crate::span::Source;

/// Bytes of the largest excerpt.
const MOST: usize = 2_000;
/// Bytes around a label in a line that is too long.
const AROUND: usize = 60;
/// Lines of the longest label.
const LINES: usize = 12;

/// A source as `miette` reads it.
#[derive(Clone, Copy, Debug)]
pub struct Excerpts<'a> {
    pub source: &'a Source,
}

impl SourceCode for Excerpts<'_> {
    /// Lines and columns count from 0; columns are letters.
    fn read_span<'b>(
        &'b self,
        span: &SourceSpan,
        lines_before: usize,
        lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'b> + 'b>, MietteError> {
        let text = self.source.text.as_str();
        let from = text.floor_char_boundary(span.offset());
        let to = text.ceil_char_boundary(span.offset().saturating_add(span.len()));
        let is_context = lines_before + lines_after > 0;
        let mut start = if is_context { line_start(text, from, lines_before) } else { from };
        let mut end = if is_context { line_end(text, to, lines_after) } else { to };
        if end - start > MOST {
            start = text.floor_char_boundary(from.saturating_sub(AROUND)).max(line_start(text, from, 0));
            end =
                text.ceil_char_boundary((to + AROUND).min(from + MOST)).min(line_end(text, to, 0)).max(start);
        }
        let line = text[..start].matches('\n').count();
        let column = text[line_start(text, start, 0)..start].chars().count();
        let lines = text[start..end].matches('\n').count() + 1;
        Ok(Box::new(MietteSpanContents::new_named(
            self.source.name.clone(),
            &text.as_bytes()[start..end],
            (start, end - start).into(),
            line,
            column,
            lines,
        )))
    }
}

/// Where the line of an offset begins, or one so many lines above.
fn line_start(text: &str, offset: usize, above: usize) -> usize {
    let mut start = text[..offset].rfind('\n').map_or(0, |at| at + 1);
    for _ in 0..above {
        start = text[..start.saturating_sub(1)].rfind('\n').map_or(0, |at| at + 1);
    }
    start
}

/// Where the line of an offset ends, its line break not included, or one so many lines below.
fn line_end(text: &str, offset: usize, below: usize) -> usize {
    let mut end = text[offset..].find('\n').map_or(text.len(), |at| offset + at);
    for _ in 0..below {
        end = text.get(end + 1..).and_then(|rest| rest.find('\n')).map_or(text.len(), |at| end + 1 + at);
    }
    end
}

/// The labels that one excerpt can show: none too long, none too far from the first or the primary one.
pub fn showable(mut labels: Vec<LabeledSpan>, source: &Source) -> Vec<LabeledSpan> {
    let text = source.text.as_str();
    for label in &mut labels {
        *label = shortened(label, text);
    }
    let primary = labels.iter().find(|label| label.primary()).or(labels.first()).cloned();
    labels.retain(|label| primary.as_ref().is_none_or(|primary| is_near(label, primary, text)));
    labels
}

fn shortened(label: &LabeledSpan, text: &str) -> LabeledSpan {
    let from = text.floor_char_boundary(label.offset());
    let to = text.floor_char_boundary((label.offset() + label.len()).min(from + MOST / 2));
    let lines = text[from..to].match_indices('\n').nth(LINES).map_or(to, |(at, _)| from + at);
    let span = SourceSpan::new(from.into(), lines - from);
    let words = label.label().map(str::to_owned);
    match label.primary() {
        true => LabeledSpan::new_primary_with_span(words, span),
        false => LabeledSpan::new_with_span(words, span),
    }
}

/// Far apart is shown apart; but on one line, or on neighbours, all that lies between is shown too.
fn is_near(label: &LabeledSpan, primary: &LabeledSpan, text: &str) -> bool {
    let start = label.offset().min(primary.offset());
    let end = (label.offset() + label.len()).max(primary.offset() + primary.len());
    end - start <= MOST || text[start..end].matches('\n').count() > 4
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, offset: usize, length: usize, context: usize) -> (String, usize, usize) {
        let source = Source::new("x", text);
        let excerpts = Excerpts { source: &source };
        let span = (offset, length).into();
        let contents = excerpts.read_span(&span, context, context).expect("every span is read");
        let shown = String::from_utf8(contents.data().to_vec()).expect("whole letters");
        (shown, contents.line(), contents.column())
    }

    #[test]
    fn short_lines_are_shown_whole() {
        assert_eq!(read("one\ntwo\nthree\nfour", 8, 2, 1), ("two\nthree\nfour".to_owned(), 1, 0));
        assert_eq!(read("é\nüx y", 7, 1, 0), ("y".to_owned(), 1, 3));
        assert_eq!(read("", 0, 0, 1), (String::new(), 0, 0));
    }

    #[test]
    fn a_long_line_is_cut_around_the_label() {
        let text = format!("{}here{}\nnext", "é".repeat(5_000), "x".repeat(5_000));
        let (shown, line, column) = read(&text, 10_000, 4, 1);
        assert!(shown.contains("here") && shown.len() < 200, "{shown}");
        assert_eq!((line, column), (0, 4_970));
    }
}

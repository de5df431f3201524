//! Where something stands in the texts of a model: [`Source`], [`Sources`], [`Span`], [`Spanned`].

use serde::{Serialize, Serializer};

/// A text and the name it is reported under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    pub name: String,
    pub text: String,
}

impl Source {
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into() }
    }
}

/// The texts of one model: its own and those that it includes, one behind the other in one space of offsets, so
/// that a [`Span`] alone says in which text it lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sources {
    /// Never empty; each with the offset of its first byte.
    files: Vec<(usize, Source)>,
}

impl Sources {
    /// The model's own text, at offset 0.
    pub fn of(source: Source) -> Self {
        Self { files: vec![(0, source)] }
    }

    /// Adds an included text; gives the offset of its first byte.
    pub fn add(&mut self, source: Source) -> usize {
        let (base, last) = &self.files[self.files.len() - 1];
        // One apart, so that the end of a text is not the start of the next.
        let base = base + last.text.len() + 1;
        self.files.push((base, source));
        base
    }

    /// The model's own.
    pub fn main(&self) -> &Source {
        &self.files[0].1
    }

    pub fn iter(&self) -> impl Iterator<Item = &Source> {
        self.files.iter().map(|(_, source)| source)
    }

    /// The text in which an offset lies: which one it is, and the offset in it.
    pub fn locate(&self, offset: usize) -> (usize, usize) {
        let file = self.files.partition_point(|(base, _)| *base <= offset) - 1;
        (file, offset - self.files[file].0)
    }

    /// By the number that [`Sources::locate`] gives.
    pub fn get(&self, file: usize) -> &Source {
        &self.files[file].1
    }
}

/// A range of bytes, half open: of one [`Source`], or of [`Sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    pub start: usize,
    pub end: usize,
}

impl Span {
    pub fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// From the start of `self` to the end of `last`.
    pub fn to(self, last: Span) -> Self {
        Self { start: self.start, end: last.end }
    }

    pub fn contains(self, offset: usize) -> bool {
        (self.start..self.end).contains(&offset)
    }
}

impl From<Span> for miette::SourceSpan {
    fn from(span: Span) -> Self {
        (span.start, span.end - span.start).into()
    }
}

/// As `12..15`, so that a printed tree stays readable.
impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{}..{}", self.start, self.end))
    }
}

/// A value, and the words it was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spanned<T> {
    pub value: T,
    pub span: Span,
}

impl<T> Spanned<T> {
    pub fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_lies_in_one_text() {
        let mut sources = Sources::of(Source::new("a", "abc"));
        assert_eq!(sources.add(Source::new("b", "")), 4);
        assert_eq!(sources.add(Source::new("c", "de")), 5);
        let found: Vec<_> = [0, 3, 4, 5, 7].map(|offset| sources.locate(offset)).to_vec();
        assert_eq!(found, [(0, 0), (0, 3), (1, 0), (2, 0), (2, 2)]);
    }
}

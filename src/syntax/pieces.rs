//! The pieces of one matched rule, in order, and the small tokens: words, numbers, texts.

use pest::iterators::{Pair, Pairs};

use super::{
    ast::{Amount, Number, Text, Word},
    mistakes::{BadNumber, NumberProblem},
    parse::Rule,
};
use crate::{diagnostics::Diagnostics, span::Span};

/// What one rule matched, and where the text that it was matched in starts among all texts.
#[derive(Clone, Debug)]
pub struct Piece<'i> {
    pair: Pair<'i, Rule>,
    base: usize,
}

impl<'i> Piece<'i> {
    pub fn new(pair: Pair<'i, Rule>, base: usize) -> Self {
        Self { pair, base }
    }

    pub fn rule(&self) -> Rule {
        self.pair.as_rule()
    }

    pub fn text(&self) -> &'i str {
        self.pair.as_str()
    }

    /// Of a token, or of a rule that ends with one: other rules may reach over white space and comments behind
    /// them.
    pub fn span(&self) -> Span {
        let span = self.pair.as_span();
        Span::new(self.base + span.start(), self.base + span.end())
    }

    /// Where a rule starts; its end is taken from its last token.
    pub fn start(&self) -> Span {
        let at = self.base + self.pair.as_span().start();
        Span::new(at, at)
    }

    pub fn inner(self) -> Pieces<'i> {
        let mut pieces = Pieces { pairs: self.pair.into_inner(), next: None, base: self.base };
        pieces.advance();
        pieces
    }
}

/// The inner pieces of a rule without comments, keywords and punctuation.
pub struct Pieces<'i> {
    pairs: Pairs<'i, Rule>,
    next: Option<Piece<'i>>,
    base: usize,
}

impl<'i> Pieces<'i> {
    /// The next piece, which the grammar says is there.
    pub fn expect(&mut self) -> Piece<'i> {
        // The grammar matched the whole rule, so each piece that it does not call optional exists;
        // `tests/robust` parses arbitrary text to hold the builders against the grammar.
        self.next().expect("a matched rule has all its pieces")
    }

    /// The next piece, if it is of this rule.
    pub fn accept(&mut self, rule: Rule) -> Option<Piece<'i>> {
        if self.next.as_ref()?.rule() == rule { self.next() } else { None }
    }

    fn advance(&mut self) -> Option<Piece<'i>> {
        let next = self.pairs.find(|pair| !is_punctuation(pair.as_rule()));
        std::mem::replace(&mut self.next, next.map(|pair| Piece::new(pair, self.base)))
    }
}

impl<'i> Iterator for Pieces<'i> {
    type Item = Piece<'i>;

    fn next(&mut self) -> Option<Self::Item> {
        self.advance()
    }
}

fn is_punctuation(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::COMMENT
            | Rule::comma
            | Rule::dots
            | Rule::quote
            | Rule::from
            | Rule::of
            | Rule::times
            | Rule::kw_include
            | Rule::kw_model
            | Rule::kw_backbone
            | Rule::kw_fidelity
            | Rule::kw_sequence
            | Rule::kw_tasks
            | Rule::kw_drop
            | Rule::kw_freeze
            | Rule::kw_unfreeze
            | Rule::kw_attach
            | Rule::kw_detach
            | Rule::kw_train
            | Rule::kw_assert
            | Rule::kw_variant
    )
}

pub fn word(piece: &Piece) -> Word {
    Word { span: piece.span(), text: piece.text().to_owned() }
}

/// The text between the quotes; `\"` and `\\` are the only escapes.
pub fn text(piece: Piece) -> Text {
    let span = piece.span();
    let inner = piece.inner().expect().text();
    let mut text = String::with_capacity(inner.len());
    let mut letters = inner.chars();
    while let Some(letter) = letters.next() {
        text.extend(if letter == '\\' { letters.next() } else { Some(letter) });
    }
    Text { span, text }
}

/// A bad number is reported and stands as [`Amount::Unclear`], so that parsing goes on to find the others.
pub fn number(piece: &Piece, sink: &mut Diagnostics) -> Number {
    let span = piece.span();
    let text = piece.text().to_owned();
    let amount = read_amount(&text).unwrap_or_else(|problem| {
        sink.push(BadNumber::new(&text, problem, span));
        Amount::Unclear
    });
    Number { span, text, amount }
}

fn read_amount(text: &str) -> Result<Amount, NumberProblem> {
    if let Some(digits) = text.strip_suffix('%') {
        return read_decimal(digits).map(Amount::Percent);
    }
    if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_') {
        let digits = text.replace('_', "");
        return digits.parse().map(Amount::Whole).map_err(|_| NumberProblem::TooLarge);
    }
    read_decimal(text).map(Amount::Decimal)
}

fn read_decimal(text: &str) -> Result<f64, NumberProblem> {
    // `f64::from_str` also reads "1." and "1.e5"; here a point stands between digits.
    let whole = text.split_once('.').is_none_or(|(_, rest)| rest.starts_with(|c: char| c.is_ascii_digit()));
    let value: f64 = text.replace('_', "").parse().map_err(|_| NumberProblem::Malformed)?;
    match (whole, value.is_finite()) {
        (false, _) => Err(NumberProblem::Malformed),
        (true, false) => Err(NumberProblem::TooLarge),
        (true, true) => Ok(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_written() {
        assert_eq!(read_amount("30_522"), Ok(Amount::Whole(30_522)));
        assert_eq!(read_amount("2e-5"), Ok(Amount::Decimal(2e-5)));
        assert_eq!(read_amount("-1.5"), Ok(Amount::Decimal(-1.5)));
        assert_eq!(read_amount("10%"), Ok(Amount::Percent(10.0)));
        assert_eq!(read_amount("99999999999999999999"), Err(NumberProblem::TooLarge));
        assert_eq!(read_amount("1e999"), Err(NumberProblem::TooLarge));
        assert_eq!(read_amount("12abc"), Err(NumberProblem::Malformed));
        assert_eq!(read_amount("1."), Err(NumberProblem::Malformed));
    }
}

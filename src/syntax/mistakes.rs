//! The two mistakes of syntax, and the words for what the grammar expects.

use miette::Diagnostic;
use pest::error::{Error as PestError, ErrorVariant, InputLocation};
use thiserror::Error;

use super::parse::Rule;
use crate::{
    diagnostics::{did_you_mean, enumerate},
    span::Span,
};

/// The text stops making sense at one place.
#[derive(Debug, Error, Diagnostic)]
#[error("unexpected {found}")]
#[diagnostic(code(cam::syntax::unexpected))]
pub struct Unexpected {
    found: String,
    expected: String,
    #[label("expected {expected}")]
    span: Span,
    #[help]
    help: Option<String>,
}

impl Unexpected {
    pub fn new(error: &PestError<Rule>, text: &str) -> Self {
        let at = match error.location {
            InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
        };
        let found = found(text, at);
        let expected = match &error.variant {
            ErrorVariant::ParsingError { positives, .. } => expected(positives),
            ErrorVariant::CustomError { .. } => Vec::new(),
        };
        let keywords: Vec<&str> =
            expected.iter().filter_map(|word| word.strip_prefix('`')?.strip_suffix('`')).collect();
        let help = match found {
            "" => Some("a block that was opened is not closed, or its item is not finished".to_owned()),
            "\"" => {
                Some("a text ends on its line with a second `\"`; `\\\"` is a quote inside of it".to_owned())
            }
            word => Some(did_you_mean(word, &keywords)).filter(|help| help.starts_with("did you mean")),
        };
        Self {
            found: match found {
                "" => "end of the file".to_owned(),
                found => format!("`{}`", found.escape_debug()),
            },
            expected: enumerate(&expected, "or"),
            span: Span::new(at, at + found.len()),
            help,
        }
    }
}

/// The word or the sign at an offset; empty at the end of the text.
fn found(text: &str, at: usize) -> &str {
    let rest = text.get(at..).unwrap_or_default();
    let is_letter = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '%');
    let word = rest.find(|c| !is_letter(c)).unwrap_or(rest.len());
    match rest.chars().next() {
        Some(first) if word == 0 => &rest[..first.len_utf8()],
        _ => &rest[..word],
    }
}

/// The expectations of the grammar in words, each once, keywords in their order.
fn expected(rules: &[Rule]) -> Vec<String> {
    let mut words: Vec<&str> = Vec::new();
    for word in rules.iter().filter_map(|rule| describe(*rule)) {
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words.into_iter().map(str::to_owned).collect()
}

/// `None` for what helps no reader: comments, and rules that always fail on one of their parts.
fn describe(rule: Rule) -> Option<&'static str> {
    Some(match rule {
        Rule::kw_model => "`model`",
        Rule::kw_backbone => "`backbone`",
        Rule::kw_sequence => "`sequence`",
        Rule::kw_tasks => "`tasks`",
        Rule::kw_freeze => "`freeze`",
        Rule::kw_attach => "`attach`",
        Rule::kw_train => "`train`",
        Rule::open | Rule::body | Rule::options => "`{`",
        Rule::close => "`}`",
        Rule::comma => "`,`",
        Rule::dots => "`..`",
        Rule::quote | Rule::inner => "a closing `\"`",
        Rule::name | Rule::task => "a name",
        Rule::word => "a word",
        Rule::part | Rule::part_name => "a part of the backbone",
        Rule::place | Rule::preposition => "`to`, `across` or `after`",
        Rule::key | Rule::entry | Rule::option | Rule::bare => "a key",
        Rule::number => "a number",
        Rule::text => "a text in quotes",
        Rule::range | Rule::prepositional | Rule::list | Rule::plain => "a value",
        Rule::marker | Rule::value_word => "a word",
        Rule::within => "`in`",
        Rule::EOI => "the end of the file",
        Rule::model => "`model`",
        Rule::backbone => "`backbone`",
        Rule::sequence => "`sequence`",
        Rule::tasks => "`tasks`",
        Rule::freeze => "`freeze`",
        Rule::attach => "`attach`",
        Rule::train => "`train`",
        Rule::file
        | Rule::item
        | Rule::phrase
        | Rule::scalar
        | Rule::literal
        | Rule::letter
        | Rule::keyword
        | Rule::WHITESPACE
        | Rule::COMMENT => return None,
    })
}

/// Something that starts as a number but is none, or one that no setting could hold.
#[derive(Debug, Error, Diagnostic)]
#[error("`{text}` {problem}")]
#[diagnostic(code(cam::syntax::number), help("numbers look like `128`, `30_522`, `0.1`, `2e-5` or `10%`"))]
pub struct BadNumber {
    pub text: String,
    pub problem: NumberProblem,
    #[label("here")]
    pub span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NumberProblem {
    #[error("is no number")]
    Malformed,
    #[error("is too large a number")]
    TooLarge,
}

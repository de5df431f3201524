//! The mistakes of syntax, and the words for what the grammar expects.

use miette::Diagnostic;
use pest::error::{Error as PestError, ErrorVariant, InputLocation};
use thiserror::Error;

use super::parse::Rule;
use crate::{
    diagnostics::{alternatives, enumerate, nearest},
    span::Span,
};

/// The text stops making sense at one place.
#[derive(Debug, Error, Diagnostic)]
#[error("unexpected {found}")]
#[diagnostic(code(cam::syntax::unexpected))]
pub struct Unexpected {
    found: String,
    expected: String,
    place: &'static str,
    #[label("expected {expected}{place}")]
    span: Span,
    #[help]
    help: Option<String>,
}

impl Unexpected {
    /// `error` is of the part of `text` that begins at `start`; `text` itself begins at `base` among all texts.
    pub fn new(error: &PestError<Rule>, text: &str, start: usize, base: usize) -> Self {
        let at = start
            + match error.location {
                InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
            };
        let expected = match &error.variant {
            ErrorVariant::ParsingError { positives, .. } => expected(positives),
            ErrorVariant::CustomError { .. } => Vec::new(),
        };
        let found = found(text, at);
        let span = match found {
            // The last letter, because there is nothing to point at behind it.
            "" => text
                .trim_end()
                .char_indices()
                .next_back()
                .map_or(Span::new(0, 0), |(start, last)| Span::new(start, start + last.len_utf8())),
            found => Span::new(at, at + found.len()),
        };
        Self {
            found: match found {
                "" => "end of the file".to_owned(),
                "\n" | "\r" => "end of the line".to_owned(),
                found => format!("`{found}`"),
            },
            help: help(found, &text[..at.min(text.len())], &expected),
            expected: enumerate(&expected, "or"),
            place: if found.is_empty() { " after this" } else { "" },
            span: Span::new(base + span.start, base + span.end),
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

/// `before`: the text up to what was found.
fn help(found: &str, before: &str, expected: &[String]) -> Option<String> {
    let expects = |what: &str| expected.iter().any(|expected| expected == what);
    let unclosed = expected.iter().any(|expected| expected == CLOSING);
    let fixed = match found {
        "" if unclosed => "a text ends on its line with a second `\"`",
        "" => "a block is not closed, or the last item is not finished",
        "\"" if expects("a name") => "names take no quotes",
        "=" if expects("`<=`, `>=`, `<` or `>`") => "comparisons are `<=`, `<`, `>=` and `>`",
        "=" if before.ends_with("..") => {
            "the end of a range is not included: `layers 9..12` are 9, 10 and 11"
        }
        _ if follows_a_comma(before) && !expects("a number") => {
            "entries stand side by side without commas: `lr 3e-5   weight_decay 0.01`; only lists have them"
        }
        "\"" | "\n" | "\r" => "a text ends on its line with a second `\"`",
        "\\" => "in a text, `\\\"` is a quote and `\\\\` a backslash; there are no other escapes",
        "#" | "/" => "a comment starts with `//`",
        "=" | ":" | ";" => "keys, values and items are parted by white space alone: `layers 12`",
        word if KEYWORDS.contains(&word) && expects("a word") => {
            return Some(format!("`{word}` starts an item; as a label it stands in quotes: `\"{word}\"`"));
        }
        word => {
            let is_item = expected.iter().any(|expected| expected == ITEM) && !KEYWORDS.contains(&word);
            let item = is_item.then(|| nearest(word, &KEYWORDS));
            return item.map(|near| match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("items start with {}", alternatives(&KEYWORDS, "or")),
            });
        }
    };
    Some(fixed.to_owned())
}

/// The words that items start with.
pub const KEYWORDS: [&str; 14] = [
    "include", "model", "backbone", "fidelity", "sequence", "tasks", "drop", "freeze", "unfreeze", "attach",
    "detach", "train", "assert", "variant",
];
/// Is the last word before this place parted by a comma from what stands before it?
fn follows_a_comma(before: &str) -> bool {
    let word = before.trim_end().trim_end_matches(|c: char| c.is_alphanumeric() || c == '_');
    word.len() < before.trim_end().len() && word.trim_end().ends_with(',')
}

const ITEM: &str = "the next item";
const KEY: &str = "a key";
const CLOSING: &str = "a closing `\"`";

/// The expectations of the grammar in words, each once.
fn expected(rules: &[Rule]) -> Vec<String> {
    let mut words: Vec<&str> = rules.iter().filter_map(|rule| describe(*rule)).collect();
    words.sort();
    words.dedup();
    // Where the next key or item may come, what is before it is complete: that it could also go on helps
    // nobody.
    if words.contains(&KEY) {
        words.retain(|word| matches!(*word, KEY | "a value" | "`}`"));
    } else if words.contains(&ITEM) {
        words.retain(|word| matches!(*word, ITEM | "`,`" | "`}`"));
    }
    words.into_iter().map(str::to_owned).collect()
}

/// `None` for what helps no reader.
fn describe(rule: Rule) -> Option<&'static str> {
    Some(match rule {
        Rule::file | Rule::item | Rule::change | Rule::EOI => ITEM,
        Rule::include | Rule::model | Rule::backbone | Rule::fidelity | Rule::sequence => ITEM,
        Rule::tasks | Rule::drop | Rule::freeze | Rule::unfreeze | Rule::attach | Rule::detach => ITEM,
        Rule::train | Rule::assertion | Rule::variant => ITEM,
        Rule::kw_include | Rule::kw_model | Rule::kw_backbone | Rule::kw_fidelity => ITEM,
        Rule::kw_sequence | Rule::kw_tasks | Rule::kw_drop | Rule::kw_freeze => ITEM,
        Rule::kw_unfreeze | Rule::kw_attach | Rule::kw_detach | Rule::kw_train => ITEM,
        Rule::kw_assert | Rule::kw_variant => ITEM,
        Rule::open | Rule::body | Rule::options => "`{`",
        Rule::close => "`}`",
        Rule::comma => "`,`",
        Rule::dots => "`..`",
        Rule::quote | Rule::inner => CLOSING,
        Rule::name | Rule::task => "a name",
        Rule::word | Rule::value_word => "a word",
        Rule::part | Rule::part_name => "a part of the backbone",
        Rule::place | Rule::preposition => "`to`, `across` or `after`",
        Rule::comparison => "`<=`, `>=`, `<` or `>`",
        Rule::unit | Rule::measure => "a unit",
        Rule::times | Rule::forgotten_times => "`x`",
        Rule::base => "`backbone`",
        Rule::from => "`from`",
        Rule::of => "`of`",
        Rule::key | Rule::entry | Rule::option | Rule::bare => KEY,
        Rule::number => "a number",
        Rule::text => "a text in quotes",
        Rule::range | Rule::prepositional | Rule::list | Rule::measured | Rule::plain | Rule::marker => {
            "a value"
        }
        Rule::within => "`in`",
        Rule::phrase | Rule::scalar | Rule::literal | Rule::letter | Rule::keyword => return None,
        Rule::WHITESPACE | Rule::COMMENT => return None,
    })
}

/// Something that starts as a number but is none, or one that no setting could hold.
#[derive(Debug, Error, Diagnostic)]
#[error("`{text}` {problem}")]
#[diagnostic(code(cam::syntax::number), help("{help}"))]
pub struct BadNumber {
    text: String,
    problem: NumberProblem,
    help: String,
    #[label("here")]
    span: Span,
}

impl BadNumber {
    pub fn new(text: &str, problem: NumberProblem, span: Span) -> Self {
        let digits = text.trim_end_matches(|c: char| c.is_alphabetic());
        let is_range = text.split_once('-').is_some_and(|(low, high)| {
            [low, high].iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
        });
        if is_range {
            let help = "a range is written with two points, its end not included: `layers 9..12`".to_owned();
            return Self { text: text.to_owned(), problem, help, span };
        }
        let mut help = "numbers look like `128`, `30_522`, `0.1`, `2e-5` or `10%`".to_owned();
        if digits.len() < text.len() {
            help += "; a word behind one stands apart: `1.2 x backbone`, `8 GiB`";
        }
        Self { text: text.to_owned(), problem, help, span }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NumberProblem {
    #[error("is no number")]
    Malformed,
    #[error("is too large a number")]
    TooLarge,
}

/// A text that no model would need.
#[derive(Debug, Error, Diagnostic)]
#[error("the text has more than {most} bytes, which no model needs")]
#[diagnostic(
    code(cam::syntax::too_long),
    help("a model of 24 tasks has about 5000; is this the file that was meant?")
)]
pub struct TooLong {
    pub most: usize,
    #[label("starts here")]
    pub span: Span,
}

//! Where the items of a text start, found without the grammar: for a text that leaves it.
//!
//! Keywords are reserved, so wherever one stands as a word an item starts. Only in the braces of a variant it is
//! one of the variant's own; where these are never closed, the variant ends before a keyword in the first column.
//! A word in the first column that is nearly a keyword, outside of braces, is taken for that keyword misspelt.

use super::mistakes::KEYWORDS;
use crate::diagnostics::nearest;

/// A part of a text that holds one item, or what stands before the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// `None` before the first item.
    pub keyword: Option<&'static str>,
    pub start: usize,
    pub end: usize,
}

/// The whole text in parts, in order, none of them without a word in it.
pub fn chunks(text: &str) -> Vec<Chunk> {
    let tokens: Vec<Token> = Tokens { text, at: 0 }.collect();
    let mut chunks: Vec<Chunk> = Vec::new();
    let mut current = Chunk { keyword: None, start: 0, end: 0 };
    let mut at = 0;
    // Braces that are open in the current part.
    let mut depth = 0_usize;
    while let Some(token) = tokens.get(at) {
        at += 1;
        match token {
            Token::Open => depth += 1,
            Token::Close => depth = depth.saturating_sub(1),
            Token::Word { .. } => {}
        }
        let misspelt = || misspelt_keyword(token, text).filter(|_| depth == 0);
        let Some((start, keyword)) = keyword(token).or_else(misspelt) else { continue };
        if current.keyword == Some("assert") && keyword == "backbone" && is_base(text, &tokens[..at], start) {
            continue;
        }
        current.end = start;
        chunks.push(current);
        current = Chunk { keyword: Some(keyword), start, end: start };
        depth = 0;
        if keyword == "variant" {
            at += variant_length(text, &tokens[at..]);
        }
    }
    current.end = text.len();
    chunks.push(current);
    chunks.retain(|chunk| !text[chunk.start..chunk.end].trim().is_empty());
    chunks
}

fn keyword(token: &Token) -> Option<(usize, &'static str)> {
    let Token::Word { start, word } = token else { return None };
    let keyword = KEYWORDS.into_iter().find(|keyword| keyword == word)?;
    Some((*start, keyword))
}

/// `1.2 x backbone`, or the same on one line with a mistake in it; `tokens` end with the word.
fn is_base(text: &str, tokens: &[Token], start: usize) -> bool {
    let [.., Token::Word { start: before, word }, _] = tokens else { return false };
    word.ends_with('x') || !text[*before..start].contains('\n')
}

fn misspelt_keyword(token: &Token, text: &str) -> Option<(usize, &'static str)> {
    let Token::Word { start, word } = token else { return None };
    let keyword = is_first_on_line(text, *start).then(|| nearest(word, &KEYWORDS)).flatten()?;
    Some((*start, keyword))
}

/// The number of tokens that belong to a variant, after its keyword.
fn variant_length(text: &str, tokens: &[Token]) -> usize {
    let next = tokens.iter().position(|token| token.is("variant")).unwrap_or(tokens.len());
    let mut depth = 0_usize;
    for (at, token) in tokens[..next].iter().enumerate() {
        match token {
            Token::Open => depth += 1,
            Token::Close if depth <= 1 => return at + 1,
            Token::Close => depth -= 1,
            Token::Word { .. } => {}
        }
    }
    let is_outside = |token: &Token| keyword(token).is_some_and(|(start, _)| is_first_on_line(text, start));
    tokens[..next].iter().position(is_outside).unwrap_or(next)
}

fn is_first_on_line(text: &str, at: usize) -> bool {
    text[..at].chars().next_back().is_none_or(|before| before == '\n')
}

enum Token<'a> {
    Open,
    Close,
    Word { start: usize, word: &'a str },
}

impl Token<'_> {
    fn is(&self, text: &str) -> bool {
        matches!(self, Token::Word { word, .. } if *word == text)
    }
}

/// Braces and words, without comments and texts.
struct Tokens<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            let rest = &self.text[self.at..];
            let first = rest.chars().next()?;
            let start = self.at;
            if is_letter(first) {
                let length = rest.find(|c| !is_letter(c)).unwrap_or(rest.len());
                self.at += length;
                return Some(Token::Word { start, word: &rest[..length] });
            }
            self.at += match first {
                '"' => text_length(rest),
                '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
                other => other.len_utf8(),
            };
            match first {
                '{' => return Some(Token::Open),
                '}' => return Some(Token::Close),
                _ => {}
            }
        }
    }
}

/// As in a word or a number of the grammar.
fn is_letter(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-')
}

/// Up to the closing quote, or to the end of the line where there is none.
fn text_length(rest: &str) -> usize {
    let mut letters = rest.char_indices().skip(1);
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return at + 1,
            '\n' => return at,
            '\\' => {
                letters.next();
            }
            _ => {}
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str) -> Vec<&str> {
        chunks(text).iter().map(|chunk| &text[chunk.start..chunk.end]).collect()
    }

    #[test]
    fn items_start_at_keywords() {
        let text = "mdoel a\nsequence 8 // tasks\ntrain { batch \"model\" freeze x";
        assert_eq!(
            pieces(text),
            ["mdoel a\n", "sequence 8 // tasks\n", "train { batch \"model\" ", "freeze x"]
        );
    }

    #[test]
    fn a_variant_keeps_its_own_items() {
        let text = "variant a { detach norm\n  freeze x }\nsequence 8";
        assert_eq!(pieces(text), ["variant a { detach norm\n  freeze x }\n", "sequence 8"]);
        let flush_left = "variant a {\ndetach norm\ntasks { x }\n}\nsequence 8";
        assert_eq!(pieces(flush_left), ["variant a {\ndetach norm\ntasks { x }\n}\n", "sequence 8"]);
        let unclosed = "variant a { detach norm\n  drop x\nsequence 8";
        assert_eq!(pieces(unclosed), ["variant a { detach norm\n  drop x\n", "sequence 8"]);
        let bare = "variant a\nsequence 8 variant b {} train {}";
        assert_eq!(pieces(bare), ["variant a\n", "sequence 8 ", "variant b {} ", "train {}"]);
    }

    #[test]
    fn a_misspelt_keyword_starts_an_item_too() {
        let text = "tasks { a {} }\nfreez x\nvarient v {\n  detach norm\n}\ntrain {\nbatc 8 }";
        let found: Vec<_> = chunks(text).iter().map(|chunk| chunk.keyword).collect();
        assert_eq!(found, [Some("tasks"), Some("freeze"), Some("variant"), Some("train")]);
    }

    #[test]
    fn the_base_of_an_assertion_is_no_item() {
        assert_eq!(pieces("assert a < 1x backbone\nbackbone b").len(), 2);
    }

    #[test]
    fn the_parts_are_the_whole() {
        let text = "\u{feff}model \"a\nsequence {{ é \"\\\" tasks\" variant x";
        assert_eq!(pieces(text).concat(), text);
    }
}

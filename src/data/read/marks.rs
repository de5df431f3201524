//! Marks around words of a text, where a task asks about them and not about the whole text.
//!
//! A word stands between its mark and spaces, `the * bank * of`, so that a tokenizer sees the word as it is elsewhere.

use std::ops::Range;

/// The text with a mark before and behind each of these parts; of two at one place the longer is the outer one.
pub fn marked(text: &str, parts: &[(Range<usize>, &str)]) -> String {
    let mut marks: Vec<(usize, bool, isize, String)> = Vec::with_capacity(2 * parts.len());
    for (range, mark) in parts {
        let length = range.len() as isize;
        marks.push((range.start, true, -length, format!("{mark} ")));
        marks.push((range.end, false, length, format!(" {mark}")));
    }
    marks.sort();
    let mut marked = String::with_capacity(text.len() + 4 * marks.len());
    let mut done = 0;
    for (at, _, _, mark) in marks {
        marked.push_str(&text[done..at]);
        marked.push_str(&mark);
        done = at;
    }
    marked.push_str(&text[done..]);
    marked
}

/// Characters, as Python counts them, in bytes; `None` for a range that is empty or leaves the text.
pub fn of_characters(text: &str, start: usize, end: usize) -> Option<Range<usize>> {
    let places = || text.char_indices().map(|(at, _)| at).chain([text.len()]);
    let (from, to) = (places().nth(start)?, places().nth(end)?);
    (from < to).then_some(from..to)
}

/// Where `span` stands, which should start at the `index`-th of the words between spaces.
///
/// Of a data set that counts words in more than one way (WSC), the occurrence nearest to that word counts, in any case
/// and with any white space; where the text has none, as many words from there on as the span has. `None` if there is
/// no such word either.
pub fn of_words(text: &str, index: usize, span: &str) -> Option<Range<usize>> {
    let words: Vec<Range<usize>> = words(text).collect();
    let wanted: Vec<&str> = span.split_whitespace().map(trimmed).collect();
    let occurs = |at: usize| {
        let found = words[at..].iter().zip(&wanted);
        !wanted.is_empty()
            && words.len() - at >= wanted.len()
            && found.clone().all(|(word, wanted)| {
                let word = trimmed(&text[word.clone()]);
                word.eq_ignore_ascii_case(wanted) || possessor(word).eq_ignore_ascii_case(wanted)
            })
    };
    let nearest = (0..words.len()).filter(|&at| occurs(at)).min_by_key(|at| at.abs_diff(index));
    let first = nearest.or((index < words.len()).then_some(index))?;
    let last = (first + wanted.len().max(1) - 1).min(words.len() - 1);
    let (start, end) = (words[first].start, words[last].end);
    let whole = &text[start..end];
    // Signs around the words are not what is asked about.
    let inner = trimmed(whole);
    let inner = if nearest.is_some() && !ends_possessed(wanted.last()?) { possessor(inner) } else { inner };
    let offset = inner.as_ptr() as usize - whole.as_ptr() as usize;
    if inner.is_empty() { Some(start..end) } else { Some(start + offset..start + offset + inner.len()) }
}

/// The words between white space.
fn words(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    text.split_whitespace().map(|word| {
        let start = word.as_ptr() as usize - text.as_ptr() as usize;
        start..start + word.len()
    })
}

/// Without the signs before and behind.
fn trimmed(word: &str) -> &str {
    let is_sign = |letter: char| !letter.is_alphanumeric();
    word.trim_matches(is_sign)
}

/// `Tom` of `Tom's`.
fn possessor(word: &str) -> &str {
    word.strip_suffix("'s").or_else(|| word.strip_suffix("\u{2019}s")).unwrap_or(word)
}

fn ends_possessed(word: &str) -> bool {
    possessor(word).len() != word.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_marked_in_any_order() {
        let text = "Mark told Pete.";
        assert_eq!(marked(text, &[(10..14, "#"), (0..4, "*")]), "* Mark * told # Pete #.");
        assert_eq!(marked(text, &[(0..9, "*"), (0..4, "#")]), "* # Mark # told * Pete.");
        assert_eq!(marked(text, &[(10..14, "#"), (5..14, "*")]), "Mark * told # Pete # *.");
        assert_eq!(marked(text, &[]), text);
    }

    #[test]
    fn characters_are_not_bytes() {
        assert_eq!(of_characters("é bank", 2, 6), Some(3..7));
        assert_eq!(of_characters("é bank", 2, 7), None);
        assert_eq!(of_characters("bank", 2, 2), None);
    }

    #[test]
    fn spans_are_found_near_their_word() {
        let found = |text: &'static str, index, span| of_words(text, index, span).map(|range| &text[range]);
        assert_eq!(found("He saw him. Him!", 3, "him"), Some("Him"));
        assert_eq!(found("He saw him. Him!", 2, "him"), Some("him"));
        assert_eq!(found("the man's dog", 0, "The man"), Some("the man"));
        assert_eq!(found("the man's dog", 1, "man's"), Some("man's"));
        assert_eq!(found("a  old\nfriend came", 1, "old friend"), Some("old\nfriend"));
        // counted one off, and not there at all
        assert_eq!(found("we use it so", 1, "it"), Some("it"));
        assert_eq!(found("we use it so", 1, "that one"), Some("use it"));
        assert_eq!(found("we use it", 2, "that one"), Some("it"));
        assert_eq!(found("we use it", 3, "that"), None);
        assert_eq!(found("a - b", 1, "-"), Some("-"));
    }
}

//! Sentences with a tag a word, in the layout of the CoNLL shared tasks.
//!
//! A line is a word, perhaps other columns, and the tag; columns are apart by a tab, or by spaces where a line has no
//! tab. A line of white space alone ends a sentence. `-DOCSTART-` stands between documents and is no word.

use super::super::example::{Example, Input, Target};
use super::super::lines::lines;
use super::super::source::Kind;
use super::{ReadError, Rows};

const DOCUMENT: &str = "-DOCSTART-";

/// A sentence that is being read.
#[derive(Default)]
struct Sentence<'a> {
    /// Of its first word.
    line: u32,
    words: Vec<&'a str>,
    tags: Vec<u32>,
    problem: Option<ReadError>,
}

/// A mistake in a word is one of its whole sentence.
pub fn conll(rows: &mut Rows, bytes: &[u8]) -> Result<(), ReadError> {
    let Kind::Tag { labels } = rows.expected.kind else { return Err(rows.wrong_kind("tags")) };
    let mut sentence = Sentence::default();
    for line in lines(bytes) {
        if line.is_blank() {
            finish(rows, std::mem::take(&mut sentence))?;
            continue;
        }
        let text = rows.text(line);
        if text.as_ref().is_ok_and(|text| text.starts_with(DOCUMENT)) {
            continue;
        }
        if sentence.line == 0 {
            sentence.line = line.number;
        }
        match text.and_then(|text| word(rows, text, line.number, labels)) {
            Ok((word, tag)) => {
                sentence.words.push(word);
                sentence.tags.extend(tag);
            }
            Err(error) => {
                sentence.problem.get_or_insert(error);
            }
        }
    }
    finish(rows, sentence)
}

/// A word, and the index of its tag; a line of one column has no tag.
fn word<'a>(
    rows: &Rows,
    text: &'a str,
    line: u32,
    labels: &[&str],
) -> Result<(&'a str, Option<u32>), ReadError> {
    let columns: Vec<&str> = match text.contains('\t') {
        true => text.split('\t').map(str::trim).collect(),
        false => text.split_whitespace().collect(),
    };
    let (word, tag) = match columns.as_slice() {
        [word] => (*word, None),
        [word, .., tag] => (*word, Some(*tag)),
        [] => ("", None),
    };
    if word.is_empty() {
        return Err(rows.unfit(line, "there is a tag without a word".to_owned()));
    }
    let Some(tag) = tag else {
        rows.no_label(line)?;
        return Ok((word, None));
    };
    match labels.iter().zip(0..).find(|(label, _)| **label == tag) {
        Some((_, index)) => Ok((word, Some(index))),
        None => Err(ReadError::label(rows.path, line, tag, labels)),
    }
}

fn finish(rows: &mut Rows, sentence: Sentence) -> Result<(), ReadError> {
    let Sentence { line, words, tags, problem } = sentence;
    if line == 0 {
        return Ok(()); // two separators in a row
    }
    let example = match problem {
        Some(problem) => Err(problem),
        None if tags.is_empty() => Ok(Target::None),
        None if tags.len() == words.len() => Ok(Target::Tags(tags)),
        None => Err(rows.unfit(line, "some words of the sentence have a tag and some have none".to_owned())),
    };
    let words = words.into_iter().map(str::to_owned).collect();
    let input = Input::Words(words);
    rows.take(example.map(|target| Some(Example { input, target, group: None, id: None, line })))
}

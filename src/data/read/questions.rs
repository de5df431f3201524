//! Questions and the contexts that answer them: SQuAD v1.1 and MRQA 2019.
//!
//! Both count characters, as Python does; an [`Answer`] starts at a byte.

use serde::Deserialize;

use super::super::example::{Answer, Example, Input, Target};
use super::super::source::Kind;
use super::marks::of_characters;
use super::{ReadError, Rows};

#[derive(Deserialize)]
struct Squad {
    /// `1.1`, or `v2.0`, which has questions without an answer.
    version: Option<String>,
    data: Vec<Article>,
}

#[derive(Deserialize)]
struct Article {
    paragraphs: Vec<Paragraph>,
}

#[derive(Deserialize)]
struct Paragraph {
    context: String,
    qas: Vec<Question>,
}

#[derive(Deserialize)]
struct Question {
    question: String,
    id: String,
    #[serde(default)]
    answers: Vec<Written>,
}

#[derive(Deserialize)]
struct Written {
    text: String,
    /// In characters.
    answer_start: usize,
}

/// SQuAD (Rajpurkar et al., 2016). The whole file is one line, so the line of an example is its number in the file.
pub fn squad(rows: &mut Rows, bytes: &[u8]) -> Result<(), ReadError> {
    check_kind(rows)?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let squad: Squad =
        serde_json::from_slice(bytes).map_err(|cause| ReadError::whole_json(rows.path, &cause))?;
    let mut number = 0;
    let Squad { version, data } = squad;
    for paragraph in data.into_iter().flat_map(|article| article.paragraphs) {
        let Paragraph { context, qas } = paragraph;
        for Question { question, id, answers } in qas {
            number += 1;
            let found: Result<Vec<Answer>, ReadError> = answers
                .iter()
                .map(|Written { text, answer_start: start }| {
                    let end = start.saturating_add(text.chars().count());
                    let range =
                        of_characters(&context, *start, end).filter(|at| context[at.clone()] == *text);
                    let range = range.ok_or_else(|| {
                        let problem = format!("`{text}` does not stand at character {start} of the context");
                        ReadError::Question { path: rows.path.to_owned(), id: id.clone(), problem }
                    })?;
                    Ok(Answer { start: range.start as u32, text: text.clone() })
                })
                .collect();
            let example = found.and_then(|answers| {
                example(rows, (question, &context, Some(id.clone())), answers, number).ok_or_else(|| {
                    let version = version.clone().unwrap_or_else(|| "of no stated version".to_owned());
                    ReadError::Unanswerable { path: rows.path.to_owned(), id: id.clone(), version }
                })
            });
            rows.take(example.map(Some))?;
        }
    }
    Ok(())
}

#[derive(Deserialize)]
struct Mrqa {
    context: Option<String>,
    #[serde(default)]
    qas: Vec<MrqaQuestion>,
    header: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct MrqaQuestion {
    question: String,
    qid: String,
    #[serde(default)]
    detected_answers: Vec<Detected>,
}

#[derive(Deserialize)]
struct Detected {
    /// Characters, the last one included.
    char_spans: Vec<(usize, usize)>,
}

/// MRQA 2019 (Fisch et al., 2019). Every place where the file found an answer in the context is one; its text is that
/// of the context. The first line is a header.
pub fn mrqa(rows: &mut Rows, bytes: &[u8]) -> Result<(), ReadError> {
    check_kind(rows)?;
    rows.json_lines(bytes, |rows, row: Mrqa, line| {
        let Some(context) = row.context else {
            if line == 1 && row.header.is_some() {
                return Ok(Vec::new());
            }
            return Err(rows.unfit(line, "there is no `context`".to_owned()));
        };
        for question in row.qas {
            let found = detected(rows, &context, question, line);
            rows.take(found.map(Some))?;
        }
        Ok(Vec::new())
    })
}

/// A question with the places where its answer was found.
fn detected(rows: &Rows, context: &str, question: MrqaQuestion, line: u32) -> Result<Example, ReadError> {
    let MrqaQuestion { question, qid, detected_answers } = question;
    let wrong =
        |problem: String| ReadError::Question { path: rows.path.to_owned(), id: qid.clone(), problem };
    let mut answers = Vec::new();
    for &(start, last) in detected_answers.iter().flat_map(|answer| &answer.char_spans) {
        let range = of_characters(context, start, last.saturating_add(1))
            .ok_or_else(|| wrong(format!("the characters {start} to {last} are not in the context")))?;
        answers.push(Answer { start: range.start as u32, text: context[range].to_owned() });
    }
    example(rows, (question, context, Some(qid.clone())), answers, line)
        .ok_or_else(|| wrong("it has no answer in the context".to_owned()))
}

fn check_kind(rows: &Rows) -> Result<(), ReadError> {
    match rows.expected.kind {
        Kind::Span { .. } => Ok(()),
        _ => Err(rows.wrong_kind("answers")),
    }
}

/// `None` where an answer is needed and there is none.
fn example(
    rows: &Rows,
    (question, context, id): (String, &str, Option<String>),
    mut answers: Vec<Answer>,
    line: u32,
) -> Option<Example> {
    let mut seen = Vec::new();
    answers.retain(|answer| {
        let is_new = !seen.contains(answer);
        if is_new {
            seen.push(answer.clone());
        }
        is_new
    });
    let target = match answers.is_empty() {
        true if rows.expected.labelled => return None,
        true => Target::None,
        false => Target::Answers(answers),
    };
    // A question may begin with white space, which means nothing.
    let input = Input::Context { question: question.trim().to_owned(), context: context.to_owned() };
    Some(Example { input, target, group: None, id, line })
}

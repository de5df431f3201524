//! The sets of SuperGLUE (Wang et al., NeurIPS 2019), each as a text, a pair, or choices.
//!
//! | set | first text | second text | target |
//! |---|---|---|---|
//! | BoolQ | passage | question | false, true |
//! | CB, RTE | premise | hypothesis | its word |
//! | COPA | premise, and what is asked | a choice | the right choice |
//! | MultiRC | paragraph | question and answer | 0, 1 for each answer; a group is a question |
//! | ReCoRD | passage | query with an entity in its gap | 0, 1 for each entity; a group is a query |
//! | WiC | sentence, the word in `*` | the other, likewise | false, true |
//! | WSC | text, the noun in `*`, the pronoun in `#` | the noun | false, true |
//!
//! The id of an example is its `idx`; of MultiRC `passage/question/answer`, of ReCoRD `query/entity`.

use std::ops::Range;

use serde::Deserialize;
use serde_json::Value;

use super::super::example::{Example, Input, Target};
use super::super::source::Kind;
use super::marks::{marked, of_characters, of_words};
use super::{ReadError, Rows};

/// The sets by their canonical names.
const SETS: [&str; 8] = ["BoolQ", "CB", "COPA", "MultiRC", "ReCoRD", "RTE", "WiC", "WSC"];

/// The rows of a file of `set`.
pub fn read(rows: &mut Rows, bytes: &[u8], task: &str, set: &str) -> Result<(), ReadError> {
    match set {
        "BoolQ" => rows.json_lines(bytes, bool_q),
        "CB" | "RTE" => rows.json_lines(bytes, inference),
        "COPA" => rows.json_lines(bytes, copa),
        "MultiRC" => {
            let mut questions = 0;
            rows.json_lines(bytes, |rows, row, line| multi_rc(rows, row, line, &mut questions))
        }
        "ReCoRD" => {
            let mut queries = 0;
            rows.json_lines(bytes, |rows, row, line| record(rows, row, line, &mut queries))
        }
        "WiC" => rows.json_lines(bytes, wic),
        "WSC" => rows.json_lines(bytes, wsc),
        _ => Err(ReadError::UnknownSet {
            task: task.to_owned(),
            benchmark: "SuperGLUE",
            set: set.to_owned(),
            known: SETS.join(", "),
        }),
    }
}

#[derive(Deserialize)]
struct BoolQ {
    passage: String,
    question: String,
    label: Option<Value>,
    idx: Option<Value>,
}

fn bool_q(rows: &mut Rows, row: BoolQ, line: u32) -> Result<Vec<Example>, ReadError> {
    let target = rows.target_of_json(line, row.label.as_ref())?;
    Ok(vec![Example { target, id: name(row.idx), ..Example::text(row.passage, Some(row.question), line) }])
}

/// The diagnostic pairs that RTE's head is asked about name their texts otherwise.
#[derive(Deserialize)]
struct Inference {
    #[serde(alias = "sentence1")]
    premise: String,
    #[serde(alias = "sentence2")]
    hypothesis: String,
    label: Option<Value>,
    idx: Option<Value>,
}

fn inference(rows: &mut Rows, row: Inference, line: u32) -> Result<Vec<Example>, ReadError> {
    let target = rows.target_of_json(line, row.label.as_ref())?;
    Ok(vec![Example { target, id: name(row.idx), ..Example::text(row.premise, Some(row.hypothesis), line) }])
}

#[derive(Deserialize)]
struct Copa {
    premise: String,
    choice1: String,
    choice2: String,
    question: String,
    label: Option<u32>,
    idx: Option<Value>,
}

fn copa(rows: &mut Rows, row: Copa, line: u32) -> Result<Vec<Example>, ReadError> {
    if !matches!(rows.expected.kind, Kind::Choose { .. }) {
        return Err(rows.wrong_kind("choices"));
    }
    let question = match row.question.as_str() {
        "cause" => "What was the cause of this?",
        "effect" => "What happened as a result?",
        other => return Err(rows.unfit(line, format!("the question is neither cause nor effect: `{other}`"))),
    };
    let target = match row.label {
        Some(label @ 0..=1) => Target::Class(label),
        Some(label) => return Err(ReadError::label(rows.path, line, &label.to_string(), &["0", "1"])),
        None => rows.no_label(line)?,
    };
    let first = format!("{} {question}", row.premise);
    let input = Input::Choices(vec![(first.clone(), row.choice1), (first, row.choice2)]);
    Ok(vec![Example { input, target, group: None, id: name(row.idx), line }])
}

#[derive(Deserialize)]
struct MultiRc {
    passage: Paragraph,
    idx: Option<Value>,
}

#[derive(Deserialize)]
struct Paragraph {
    text: String,
    questions: Vec<Question>,
}

#[derive(Deserialize)]
struct Question {
    question: String,
    answers: Vec<Candidate>,
    idx: Option<Value>,
}

#[derive(Deserialize)]
struct Candidate {
    text: String,
    label: Option<Value>,
    idx: Option<Value>,
}

/// `questions`: how many came before.
fn multi_rc(
    rows: &mut Rows,
    row: MultiRc,
    line: u32,
    questions: &mut u32,
) -> Result<Vec<Example>, ReadError> {
    let mut examples = Vec::new();
    let passage = name(row.idx);
    for question in row.passage.questions {
        let of_question = name(question.idx);
        for answer in question.answers {
            let target = rows.target_of_json(line, answer.label.as_ref())?;
            let names = [passage.as_deref(), of_question.as_deref(), name(answer.idx).as_deref()]
                .map(|name| name.unwrap_or_default().to_owned());
            let second = format!("{} {}", question.question, answer.text);
            examples.push(Example {
                target,
                group: Some(*questions),
                id: Some(names.join("/")),
                ..Example::text(row.passage.text.as_str(), Some(second), line)
            });
        }
        *questions += 1;
    }
    Ok(examples)
}

#[derive(Deserialize)]
struct Record {
    passage: News,
    qas: Vec<Query>,
}

#[derive(Deserialize)]
struct News {
    text: String,
    entities: Vec<Place>,
}

/// Characters `start..=end`.
#[derive(Deserialize)]
struct Place {
    start: usize,
    end: usize,
}

#[derive(Deserialize)]
struct Query {
    query: String,
    answers: Option<Vec<Fill>>,
    idx: Option<Value>,
}

#[derive(Deserialize)]
struct Fill {
    text: String,
}

/// What a query leaves open.
const GAP: &str = "@placeholder";

/// An entity that the passage names more than once is one candidate. `queries`: how many came before.
fn record(rows: &mut Rows, row: Record, line: u32, queries: &mut u32) -> Result<Vec<Example>, ReadError> {
    let text = &row.passage.text;
    let mut entities: Vec<&str> = Vec::new();
    for Place { start, end } in &row.passage.entities {
        let range = of_characters(text, *start, end.saturating_add(1)).ok_or_else(|| {
            rows.unfit(line, format!("an entity at {start} to {end} is not in the passage"))
        })?;
        if !entities.contains(&&text[range.clone()]) {
            entities.push(&text[range]);
        }
    }
    // Summaries follow the passage as highlights: a mark that is no text.
    let passage = text.replace("\n@highlight\n", "\n");
    let Kind::Classify { labels } = rows.expected.kind else { return Err(rows.wrong_kind("texts")) };
    let mut examples = Vec::new();
    for query in row.qas {
        if !query.query.contains(GAP) {
            return Err(rows.unfit(line, format!("a query has no `{GAP}`")));
        }
        let of_query = name(query.idx).unwrap_or_default();
        for entity in &entities {
            let target = match &query.answers {
                Some(answers) => {
                    let right = answers.iter().any(|answer| answer.text == *entity);
                    rows.class(line, labels, &[if right { "1" } else { "0" }])?
                }
                None => rows.no_label(line)?,
            };
            let second = query.query.replace(GAP, entity);
            examples.push(Example {
                target,
                group: Some(*queries),
                id: Some(format!("{of_query}/{entity}")),
                ..Example::text(passage.as_str(), Some(second), line)
            });
        }
        *queries += 1;
    }
    Ok(examples)
}

#[derive(Deserialize)]
struct Wic {
    sentence1: String,
    sentence2: String,
    start1: usize,
    end1: usize,
    start2: usize,
    end2: usize,
    label: Option<Value>,
    idx: Option<Value>,
}

fn wic(rows: &mut Rows, row: Wic, line: u32) -> Result<Vec<Example>, ReadError> {
    let with_mark = |text: &str, start, end| match of_characters(text, start, end) {
        Some(range) => Ok(marked(text, &[(range, "*")])),
        None => Err(rows.unfit(line, format!("the word at {start} to {end} is not in its sentence"))),
    };
    let first = with_mark(&row.sentence1, row.start1, row.end1)?;
    let second = with_mark(&row.sentence2, row.start2, row.end2)?;
    let target = rows.target_of_json(line, row.label.as_ref())?;
    Ok(vec![Example { target, id: name(row.idx), ..Example::text(first, Some(second), line) }])
}

#[derive(Deserialize)]
struct Wsc {
    text: String,
    target: Spans,
    label: Option<Value>,
    idx: Option<Value>,
}

#[derive(Deserialize)]
struct Spans {
    span1_index: usize,
    span1_text: String,
    span2_index: usize,
    span2_text: String,
}

fn wsc(rows: &mut Rows, row: Wsc, line: u32) -> Result<Vec<Example>, ReadError> {
    let Wsc { text, target: spans, label, idx } = row;
    let find = |index, span: &str| -> Result<Range<usize>, ReadError> {
        of_words(&text, index, span).ok_or_else(|| {
            rows.unfit(line, format!("`{span}` is not in the text, nor has it a word {index}"))
        })
    };
    let (noun, pronoun) =
        (find(spans.span1_index, &spans.span1_text)?, find(spans.span2_index, &spans.span2_text)?);
    let first = marked(&text, &[(noun, "*"), (pronoun, "#")]);
    let target = rows.target_of_json(line, label.as_ref())?;
    Ok(vec![Example { target, id: name(idx), ..Example::text(first, Some(spans.span1_text), line) }])
}

/// A data set's own name for a row is a number or a text.
fn name(idx: Option<Value>) -> Option<String> {
    match idx? {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    }
}

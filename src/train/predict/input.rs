//! What a task is asked: texts of the command line, or of a file.

use std::path::Path;

use serde::Deserialize;
use serde_json::Error;

use super::super::files;
use super::super::plan::{Kind, Task};
use super::PredictError;
use crate::data::read::{self, Expected};
use crate::data::{Example, Examples, Input, Target, Unreadable};

/// One question as the command line puts it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The text, the words, the question.
    pub text: String,
    /// The second text, or the context.
    pub text_b: Option<String>,
    pub choices: Vec<String>,
}

/// A line of a file of JSON lines, for each kind.
pub(super) fn takes(kind: Kind) -> &'static str {
    match kind {
        Kind::Classify { .. } | Kind::Regress { .. } => {
            "`{\"text_a\": \"..\"}` or `{\"text_a\": \"..\", \"text_b\": \"..\"}`"
        }
        Kind::Tag { .. } => "`{\"words\": [\"..\", ..]}`",
        Kind::Span { .. } => "`{\"question\": \"..\", \"context\": \"..\"}`",
        Kind::Choose { .. } => "`{\"text_a\": \"..\", \"choices\": [\"..\", ..]}`",
    }
}

/// The example that a question is for a task.
///
/// # Errors
/// [`PredictError::Parts`], for one that lacks what the task predicts from, or has something beside it.
pub fn example(task: &Task, asked: Asked) -> Result<Example, PredictError> {
    let Asked { text, text_b, choices } = asked;
    let input = match (task.kind, text_b, choices.is_empty()) {
        (Kind::Classify { .. } | Kind::Regress { .. }, b, true) => Input::Text { a: text, b },
        (Kind::Tag { .. }, None, true) => Input::Words(text.split_whitespace().map(str::to_owned).collect()),
        (Kind::Span { .. }, Some(context), true) => Input::Context { question: text, context },
        (Kind::Choose { .. }, None, false) => choices_of(&text, choices),
        _ => {
            let takes = match task.kind {
                Kind::Classify { .. } | Kind::Regress { .. } => "--text, and --text-b for pairs",
                Kind::Tag { .. } => "--text with words between spaces",
                Kind::Span { .. } => "--text with the question and --text-b with the context",
                Kind::Choose { .. } => "--text and two or more --choice",
            };
            return Err(PredictError::Parts { task: task.name.to_owned(), takes });
        }
    };
    good(input).map(of).map_err(|problem| PredictError::Empty { problem })
}

/// The examples of a file: JSON lines if its name ends in `.jsonl` or `.json`; else, for texts and pairs, tab-separated
/// with the header `text_a` or `text_a text_b`.
pub fn read(path: &Path, task: &Task) -> Result<Examples, PredictError> {
    let takes = takes(task.kind);
    let json = path.extension().is_some_and(|extension| extension == "jsonl" || extension == "json");
    if !json {
        if !matches!(task.kind, Kind::Classify { .. } | Kind::Regress { .. }) {
            return Err(PredictError::Format { task: task.name.to_owned(), takes });
        }
        let expected = Expected { kind: task.kind, labelled: false, unreadable: Unreadable::Fail };
        return Ok(read::tsv_file(path, expected)?);
    }
    let text = files::at(path, "read", std::fs::read_to_string(path))?;
    let rows = text
        .lines()
        .zip(1..)
        .filter(|(line, _)| !line.trim().is_empty())
        .map(|(text, line)| {
            let wrong = |cause| PredictError::Line { path: path.to_owned(), line, cause, takes };
            let input = input(task.kind, text).map_err(|cause| wrong(cause.to_string()))?;
            Ok(Example { line, ..of(good(input).map_err(|problem| wrong(problem.to_owned()))?) })
        })
        .collect::<Result<_, PredictError>>()?;
    Ok(Examples::of(rows))
}

#[derive(Deserialize)]
struct Texts {
    text_a: String,
    text_b: Option<String>,
}

#[derive(Deserialize)]
struct Words {
    words: Vec<String>,
}

#[derive(Deserialize)]
struct Question {
    question: String,
    context: String,
}

#[derive(Deserialize)]
struct Choices {
    text_a: String,
    choices: Vec<String>,
}

fn input(kind: Kind, line: &str) -> Result<Input, Error> {
    Ok(match kind {
        Kind::Classify { .. } | Kind::Regress { .. } => {
            let Texts { text_a: a, text_b: b } = serde_json::from_str(line)?;
            Input::Text { a, b }
        }
        Kind::Tag { .. } => Input::Words(serde_json::from_str::<Words>(line)?.words),
        Kind::Span { .. } => {
            let Question { question, context } = serde_json::from_str(line)?;
            Input::Context { question, context }
        }
        Kind::Choose { .. } => {
            let Choices { text_a, choices } = serde_json::from_str(line)?;
            choices_of(&text_a, choices)
        }
    })
}

fn choices_of(text: &str, choices: Vec<String>) -> Input {
    Input::Choices(choices.into_iter().map(|choice| (text.to_owned(), choice)).collect())
}

/// Refuses what nothing can be said of.
fn good(input: Input) -> Result<Input, &'static str> {
    match &input {
        Input::Words(words) if words.is_empty() => Err("there are no words"),
        Input::Choices(choices) if choices.len() < 2 => Err("there are fewer than two choices"),
        _ => Ok(input),
    }
}

fn of(input: Input) -> Example {
    Example { input, target: Target::None, group: None, id: None, line: 1 }
}

#[cfg(test)]
mod tests {
    use super::super::super::plan::{Metric, Source, Uncertainty};
    use super::*;

    const fn task(kind: Kind) -> Task {
        Task {
            name: "t",
            kind,
            metric: Metric::Accuracy,
            data: Source::tsv(""),
            weight: 1.0,
            uncertainty: Uncertainty::Entropy,
        }
    }

    const TAG: Task = task(Kind::Tag { labels: &["O"] });
    const SPAN: Task = task(Kind::Span { stride: 4 });
    const CHOOSE: Task = task(Kind::Choose { choices: 2 });

    #[test]
    fn the_command_line_asks_each_kind_in_its_own_way() {
        let asked = Asked { text: " a  b ".to_owned(), ..Asked::default() };
        let words = example(&TAG, asked.clone()).unwrap().input;
        assert_eq!(words, Input::Words(vec!["a".to_owned(), "b".to_owned()]));
        assert!(example(&SPAN, asked.clone()).unwrap_err().to_string().contains("`t`"));
        assert!(example(&CHOOSE, asked.clone()).is_err());
        let both = Asked { text_b: Some("c".to_owned()), ..asked.clone() };
        assert!(example(&SPAN, both.clone()).is_ok() && example(&TAG, both).is_err());
        let two = Asked { choices: vec!["c".to_owned(), "d".to_owned()], ..asked };
        assert!(matches!(example(&CHOOSE, two).unwrap().input, Input::Choices(two) if two.len() == 2));
        assert!(example(&TAG, Asked::default()).is_err(), "no words");
    }

    #[test]
    fn a_line_is_what_its_kind_takes() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("in.jsonl");
        let read = |task: &Task, text: &str| {
            std::fs::write(&file, text).unwrap();
            read(&file, task).map(|examples| examples.rows)
        };
        assert_eq!(
            read(&TAG, "{\"words\": [\"a\"]}\n").unwrap()[0].input,
            Input::Words(vec!["a".to_owned()])
        );
        let question = "\n{\"question\": \"q\", \"context\": \"c\"}";
        assert_eq!(read(&SPAN, question).unwrap()[0].line, 2);
        let error = read(&CHOOSE, "{\"text_a\": \"a\", \"choices\": [\"b\"]}").unwrap_err();
        assert!(error.to_string().contains("in.jsonl:1") && error.to_string().contains("fewer than two"));
        assert!(read(&CHOOSE, question).is_err());
        let error = super::read(&folder.path().join("in.tsv"), &SPAN).unwrap_err().to_string();
        assert!(error.contains("JSON lines"), "{error}");
    }
}

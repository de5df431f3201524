//! Predictions of every task for a split, in the layouts that the benchmarks accept.
//!
//! | data | file | content |
//! |---|---|---|
//! | GLUE | `CoLA.tsv`, `MNLI-m.tsv`; where their files are there, `MNLI-mm.tsv` and `AX.tsv`, by MNLI's head | `index` and `prediction` between tabs, labels as in the data |
//! | SuperGLUE | `BoolQ.jsonl`; where their files are there, `AX-b.jsonl` and `AX-g.jsonl`, by RTE's head | `{"idx": .., "label": ..}` a line; MultiRC's answers below their questions and passages |
//! | SQuAD, MRQA | `TASK.json` | an object: the answer by the question's id |
//! | CoNLL | `TASK.conll` | a word and its tag a line, an empty line behind each sentence |
//! | others | `TASK.jsonl` | a prediction a line, as `predict` prints them |

use std::path::Path;

use serde_json::{Map, Value, json};

use super::files;
use super::network::Network;
use super::plan::{Format, Kind, Source, Task};
use super::predict::{self, PredictError, Prediction};
use super::predictor::Predictor;
use crate::data::read::{self, Expected};
use crate::data::{Example, Input, Split, Unreadable};

/// One file: its name and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    pub name: String,
    pub text: String,
}

/// Predicts every task for its examples of `split` below the folder `data`, and writes a file a task into the folder
/// `out`, which must not be there yet: all of them or nothing.
///
/// # Errors
/// What reading finds, a split that is missing among it, and a folder that cannot be made.
pub fn write<N: Network>(
    model: &Predictor<N>,
    data: &Path,
    split: Split,
    out: &Path,
) -> Result<Vec<File>, PredictError> {
    let mut made: Vec<File> = Vec::new();
    for task in model.tasks() {
        let expected = Expected { kind: task.kind, labelled: false, unreadable: Unreadable::Fail };
        let examples = read::examples(task.name, task.data, split, data, expected)?;
        let predictions = model.predict_examples(task.name, &examples)?;
        let mut file = file(task, &examples.rows, &predictions);
        if made.iter().any(|other| other.name == file.name) {
            // a set that two tasks predict
            file.name = format!("{}.{}", task.name, file.name);
        }
        made.push(file);
        for (name, source) in beside(task, split) {
            let path = data.join(source.folder).join(source.files[split as usize].unwrap_or_default());
            if !path.is_file() || made.iter().any(|other| other.name == name) {
                continue;
            }
            let examples = read::examples(task.name, source, split, data, expected)?;
            let predictions = model.predict_examples(task.name, &examples)?;
            made.push(File { name: name.to_owned(), ..self::file(task, &examples.rows, &predictions) });
        }
    }
    files::folder(out, |folder| {
        made.iter().try_for_each(|file| files::write(&folder.join(&file.name), file.text.as_bytes()))
    })?;
    Ok(made)
}

/// Files that a benchmark wants of a head besides its own. GLUE, of MNLI's: the pairs from other sources, and the
/// diagnostic ones (AX), which the usual downloads have in a folder `diagnostic` or among MNLI's files; of two places the
/// first is taken. SuperGLUE, of RTE's: the diagnostic pairs (AX-b) and those of Winogender (AX-g), in folders beside its.
fn beside(task: &Task, split: Split) -> Vec<(&'static str, Source)> {
    let file = |name| task.data.with_file(split, name);
    match (task.data.format, split) {
        (Format::Glue("MNLI"), Split::Dev) => vec![("MNLI-mm.tsv", file("dev_mismatched.tsv"))],
        (Format::Glue("MNLI"), Split::Test) => vec![
            ("MNLI-mm.tsv", file("test_mismatched.tsv")),
            ("AX.tsv", file("diagnostic.tsv")),
            ("AX.tsv", file("../diagnostic/diagnostic.tsv")),
            ("AX.tsv", file("../AX/AX.tsv")),
        ],
        (Format::SuperGlue("RTE"), Split::Test) => {
            vec![("AX-b.jsonl", file("../AX-b/AX-b.jsonl")), ("AX-g.jsonl", file("../AX-g/AX-g.jsonl"))]
        }
        _ => Vec::new(),
    }
}

/// The file of one task; a prediction an example.
pub fn file(task: &Task, examples: &[Example], predictions: &[Prediction]) -> File {
    let rows = || examples.iter().zip(predictions);
    let (name, text) = match task.data.format {
        Format::Glue(set) => {
            let name = if set == "MNLI" { "MNLI-m" } else { set };
            (format!("{name}.tsv"), glue(task.kind, rows()))
        }
        Format::SuperGlue(set) => {
            let lines = match set {
                "MultiRC" => passages(rows()),
                "ReCoRD" => queries(rows()),
                _ => rows().zip(0..).map(|((row, said), at)| super_glue(set, row, said, at)).collect(),
            };
            (format!("{set}.jsonl"), lines.iter().map(|line| format!("{line}\n")).collect())
        }
        Format::Squad | Format::Mrqa(_) => {
            let answers: Map<String, Value> =
                rows().zip(0..).map(|((row, said), at)| answer(row, said, at)).collect();
            (format!("{}.json", task.name), format!("{}\n", Value::Object(answers)))
        }
        Format::Conll => {
            (format!("{}.conll", task.name), rows().map(|(row, said)| sentence(row, said)).collect())
        }
        Format::Snli | Format::SciTail | Format::Csv(_) | Format::Tsv(_) | Format::JsonLines(_) => {
            (format!("{}.jsonl", task.name), predict::to_lines(predictions))
        }
    };
    File { name, text }
}

type Row<'a> = (&'a Example, &'a Prediction);

fn glue<'a>(kind: Kind, rows: impl Iterator<Item = Row<'a>>) -> String {
    let line = |((row, said), at): (Row<'a>, usize)| {
        let index = row.id.clone().unwrap_or_else(|| at.to_string());
        let said = match (said, kind) {
            // within the range, and to three places, as the benchmark's own files have it
            (Prediction::Value { value }, Kind::Regress { low, high, .. }) => {
                format!("{:.3}", value.clamp(low, high))
            }
            (said, _) => label(said).to_owned(),
        };
        format!("{index}\t{said}\n")
    };
    let lines: String = rows.zip(0..).map(line).collect();
    format!("index\tprediction\n{lines}")
}

fn super_glue(set: &str, row: &Example, said: &Prediction, at: usize) -> Value {
    let label = match (set, said) {
        (_, Prediction::Choice { choice, .. }) => json!(choice),
        ("WSC", said) => json!(if label(said) == "true" { "True" } else { "False" }),
        (_, said) => json!(label(said)),
    };
    json!({ "idx": row.id.as_deref().map_or_else(|| json!(at), number), "label": label })
}

/// MultiRC: `{"idx": .., "passage": {"questions": [{"idx": .., "answers": [{"idx": .., "label": 0}, ..]}, ..]}}`.
fn passages<'a>(rows: impl Iterator<Item = Row<'a>>) -> Vec<Value> {
    let rows: Vec<([Value; 3], Value)> = rows.map(|(row, said)| (names(row), number(label(said)))).collect();
    let of_passage = |rows: &[([Value; 3], Value)]| {
        let of_question = |rows: &[([Value; 3], Value)]| {
            let answers = rows.iter().map(|([.., answer], label)| json!({ "idx": answer, "label": label }));
            json!({ "idx": rows[0].0[1], "answers": answers.collect::<Vec<_>>() })
        };
        let questions = rows.chunk_by(|(a, _), (b, _)| a[1] == b[1]).map(of_question);
        json!({ "idx": rows[0].0[0], "passage": { "questions": questions.collect::<Vec<_>>() } })
    };
    rows.chunk_by(|(a, _), (b, _)| a[0] == b[0]).map(of_passage).collect()
}

/// Passage, question and answer.
fn names(row: &Example) -> [Value; 3] {
    let mut parts = row.id.as_deref().unwrap_or_default().splitn(3, '/').map(number);
    [(); 3].map(|()| parts.next().unwrap_or_default())
}

/// ReCoRD: of the entities that could fill a query's gap, the likeliest.
fn queries<'a>(rows: impl Iterator<Item = Row<'a>>) -> Vec<Value> {
    let candidate = |(row, said): Row<'a>| {
        let (query, entity) = row.id.as_deref().and_then(|id| id.split_once('/')).unwrap_or_default();
        let share = match said {
            Prediction::Class { probabilities, .. } => {
                probabilities.iter().find(|(label, _)| *label == "1").map_or(0.0, |(_, share)| *share)
            }
            _ => 0.0,
        };
        (row.group, number(query), entity, share)
    };
    let candidates: Vec<_> = rows.map(candidate).collect();
    let best = |rows: &[(Option<u32>, Value, &str, f32)]| {
        let first = |best: usize, at: usize| if rows[at].3 > rows[best].3 { at } else { best };
        let (_, query, entity, _) = &rows[(0..rows.len()).fold(0, first)];
        json!({ "idx": query, "label": entity })
    };
    candidates.chunk_by(|a, b| a.0 == b.0).map(best).collect()
}

fn answer(row: &Example, said: &Prediction, at: usize) -> (String, Value) {
    let text = match said {
        Prediction::Answer { answer, .. } => answer.as_str(),
        _ => "",
    };
    (row.id.clone().unwrap_or_else(|| at.to_string()), json!(text))
}

fn sentence(row: &Example, said: &Prediction) -> String {
    let (Input::Words(words), Prediction::Tags { tags }) = (&row.input, said) else { return String::new() };
    let lines: String = words.iter().zip(tags).map(|(word, tag)| format!("{word}\t{tag}\n")).collect();
    format!("{lines}\n")
}

/// The label of a class; "" of other predictions, which no benchmark's set with labels has.
fn label(said: &Prediction) -> &'static str {
    match said {
        Prediction::Class { label, .. } => label,
        _ => "",
    }
}

/// A number where the text is one.
fn number(text: &str) -> Value {
    text.parse::<u64>().map_or_else(|_| json!(text), |number| json!(number))
}

#[cfg(test)]
mod tests {
    use super::super::plan::{Metric, Source, Uncertainty};
    use super::*;

    const BINARY: Kind = Kind::Classify { labels: &["0", "1"] };

    fn made(kind: Kind, format: Format, rows: &[(&str, Prediction)]) -> File {
        let task = Task {
            name: "t",
            kind,
            metric: Metric::Accuracy,
            data: Source::new(format, "f"),
            weight: 1.0,
            uncertainty: Uncertainty::Entropy,
        };
        let group = |id: &str| id.bytes().next().map(u32::from);
        let example =
            |id: &str| Example { id: Some(id.to_owned()), group: group(id), ..Example::text("a b", None, 1) };
        let examples: Vec<Example> = rows.iter().map(|(id, _)| example(id)).collect();
        let predictions: Vec<Prediction> = rows.iter().map(|(_, said)| said.clone()).collect();
        file(&task, &examples, &predictions)
    }

    fn class(label: &'static str, share: f32) -> Prediction {
        Prediction::Class { label, probabilities: vec![("0", 1.0 - share), ("1", share)] }
    }

    #[test]
    fn glue_wants_an_index_and_a_label_or_a_score() {
        let file = made(BINARY, Format::Glue("CoLA"), &[("0", class("1", 0.9)), ("1", class("0", 0.2))]);
        assert_eq!((file.name.as_str(), file.text.as_str()), ("CoLA.tsv", "index\tprediction\n0\t1\n1\t0\n"));
        assert_eq!(made(BINARY, Format::Glue("MNLI"), &[]).name, "MNLI-m.tsv");
        let scores = [("0", Prediction::Value { value: 5.25 }), ("1", Prediction::Value { value: 2.75 })];
        let file = made(Kind::Regress { low: 0.0, high: 5.0, unit: true }, Format::Glue("STS-B"), &scores);
        assert_eq!(file.text, "index\tprediction\n0\t5.000\n1\t2.750\n");
    }

    #[test]
    fn superglue_wants_an_object_a_line() {
        let yes = [("7", class("true", 0.0))];
        assert_eq!(made(BINARY, Format::SuperGlue("BoolQ"), &yes).text, "{\"idx\":7,\"label\":\"true\"}\n");
        assert_eq!(made(BINARY, Format::SuperGlue("WSC"), &yes).text, "{\"idx\":7,\"label\":\"True\"}\n");
        let second = [("3", Prediction::Choice { choice: 1, probabilities: vec![0.4, 0.6] })];
        let file = made(Kind::Choose { choices: 2 }, Format::SuperGlue("COPA"), &second);
        assert_eq!((file.name.as_str(), file.text.as_str()), ("COPA.jsonl", "{\"idx\":3,\"label\":1}\n"));
    }

    #[test]
    fn answers_of_multirc_stand_below_their_questions() {
        let rows = [
            ("0/0/0", class("1", 0.9)),
            ("0/0/1", class("0", 0.1)),
            ("0/1/2", class("1", 0.9)),
            ("4/1/3", class("0", 0.1)),
        ];
        let text = made(BINARY, Format::SuperGlue("MultiRC"), &rows).text;
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let first = json!({ "idx": 0, "passage": { "questions": [
            { "idx": 0, "answers": [{ "idx": 0, "label": 1 }, { "idx": 1, "label": 0 }] },
            { "idx": 1, "answers": [{ "idx": 2, "label": 1 }] },
        ] } });
        assert_eq!(lines[0], first);
        assert_eq!(lines[1]["passage"]["questions"][0]["answers"], json!([{ "idx": 3, "label": 0 }]));
        assert_eq!(lines.len(), 2);
    }

    #[test]
    fn record_fills_each_gap_with_the_likeliest_entity() {
        let rows = [("5/New York", class("0", 0.2)), ("5/A/B", class("0", 0.4)), ("6/Rome", class("1", 0.9))];
        let text = made(BINARY, Format::SuperGlue("ReCoRD"), &rows).text;
        assert_eq!(text, "{\"idx\":5,\"label\":\"A/B\"}\n{\"idx\":6,\"label\":\"Rome\"}\n");
    }

    #[test]
    fn answers_go_by_the_id_of_the_question() {
        let said =
            |answer: &str| Prediction::Answer { answer: answer.to_owned(), start: 0, probability: 1.0 };
        let file =
            made(Kind::Span { stride: 4 }, Format::Squad, &[("x1", said("a \"b\"")), ("x2", said(""))]);
        assert_eq!(
            (file.name.as_str(), file.text.as_str()),
            ("t.json", "{\"x1\":\"a \\\"b\\\"\",\"x2\":\"\"}\n")
        );
    }
}

//! What a task's `data` says: a format, a set or a folder, and which files and columns are meant.

use miette::Diagnostic;
use thiserror::Error;

use super::{
    check_data::Data,
    datasets::{self, Dataset},
    settings::Settings,
    values,
};
use crate::{
    diagnostics::{Diagnostics, did_you_mean},
    ir::{Columns, Files, Format, Source},
    span::Span,
    syntax::ast::{Entry, Text, Value},
};

const FORMATS: [&str; 10] =
    ["glue", "superglue", "squad", "mrqa", "conll", "snli", "scitail", "csv", "tsv", "jsonl"];

/// What may stand in the braces of every format, and besides in those of a table.
const FILES: [&str; 3] = ["train_file", "dev_file", "test_file"];
const COLUMNS: [&str; 4] = ["label", "text_a", "text_b", "id"];
/// Beside these, the columns of a choice each.
const CHOICES: &str = "choices";

/// `glue "CoLA"`, `glue "CoLA" in "some/folder"`, `csv "folder" { label "gold"   dev_file "val.csv" }`.
pub fn read_source(entry: &Entry, sink: &mut Diagnostics) -> Option<Data> {
    const TAKES: &str = "a format and a text in quotes";
    const RIGHT: &str = "`data glue \"CoLA\"` or `data tsv \"folder\"`";
    let [Value::Word(format), rest @ ..] = entry.values.as_slice() else {
        return values::report(entry, TAKES, RIGHT, sink);
    };
    let Some(name) = FORMATS.into_iter().find(|name| *name == format.text) else {
        let help = did_you_mean(&format.text, &FORMATS);
        sink.push(UnknownFormat { format: format.text.clone(), help, span: format.span });
        return None;
    };
    let has_sets = matches!(name, "glue" | "superglue" | "mrqa" | "conll");
    let (first, folder) = match rest {
        [Value::Text(first)] => (first, None),
        // Only the grammar's `in` puts a word between two texts.
        [Value::Text(first), Value::Word(_), Value::Text(folder)] if has_sets => (first, Some(folder)),
        _ => return values::report(entry, TAKES, RIGHT, sink),
    };
    let first = values::filled("data", first, sink)?;
    let is_table = matches!(name, "csv" | "tsv" | "jsonl");
    let legal: Vec<&'static str> =
        FILES.into_iter().chain(COLUMNS.into_iter().chain([CHOICES]).filter(|_| is_table)).collect();
    let settings = Settings::of_options("`data`", entry.body.as_ref(), &legal, sink);
    let files = read_files(&settings, sink);
    let columns = read_columns(&settings, name == "jsonl", sink);
    let folder = match folder {
        Some(folder) => values::filled("data", folder, sink)?.text.clone(),
        None => first.text.clone(),
    };
    let (format, known) = match name {
        "glue" => {
            let set = known_set("GLUE", &datasets::GLUE, first, sink)?;
            (Format::Glue(set.name.to_owned()), Some(set))
        }
        "superglue" => {
            let set = known_set("SuperGLUE", &datasets::SUPERGLUE, first, sink)?;
            (Format::SuperGlue(set.name.to_owned()), Some(set))
        }
        "squad" => (Format::Squad, Some(&datasets::SQUAD)),
        "mrqa" => (Format::Mrqa(first.text.clone()), Some(&datasets::MRQA)),
        // A folder of a known set's name holds that set; beside another folder the name has to be one.
        "conll" if rest.len() > 1 => {
            (Format::Conll, Some(known_set("the CoNLL layout", &datasets::CONLL, first, sink)?))
        }
        "conll" => (Format::Conll, datasets::find(&datasets::CONLL, &first.text).or(Some(&datasets::TAGGED))),
        "snli" => (Format::Snli, Some(&datasets::SNLI)),
        "scitail" => (Format::SciTail, Some(&datasets::SCITAIL)),
        "csv" => (Format::Csv(columns?), None),
        "tsv" => (Format::Tsv(columns?), None),
        _ => (Format::JsonLines(columns?), None),
    };
    Some(Data { source: Source { format, folder, files: files? }, known, span: entry.span })
}

fn known_set(
    benchmark: &'static str,
    sets: &'static [Dataset],
    name: &Text,
    sink: &mut Diagnostics,
) -> Option<&'static Dataset> {
    let found = datasets::find(sets, &name.text);
    if found.is_none() {
        let help = did_you_mean(&name.text, &datasets::names(sets));
        sink.push(UnknownSet { benchmark, set: name.text.clone(), help, span: name.span });
    }
    found
}

fn read_files(settings: &Settings, sink: &mut Diagnostics) -> Option<Files> {
    let [train, dev, test] = FILES.map(|key| text(settings, key, sink));
    Some(Files { train: train?, dev: dev?, test: test? })
}

/// Columns that the file does not name keep their own names. In JSON lines one key may hold all choices.
fn read_columns(settings: &Settings, is_json: bool, sink: &mut Diagnostics) -> Option<Columns> {
    let found = COLUMNS.map(|key| text(settings, key, sink));
    let choices = read_choices(settings, is_json, sink);
    if COLUMNS.into_iter().chain([CHOICES]).all(|key| settings.get(key).is_none()) {
        return Some(Columns::Usual);
    }
    let single = COLUMNS
        .iter()
        .zip(&found)
        .filter_map(|(key, column)| Some((column.as_ref()?.as_ref()?.as_str(), settings.get(key)?.span)));
    let of_choices = choices.iter().flatten().flatten().map(|text| (text.text.as_str(), text.span));
    let named: Vec<(&str, Span)> = single.chain(of_choices).collect();
    let mut good = true;
    for (at, (column, again)) in named.iter().enumerate() {
        if let Some((_, first)) = named[..at].iter().find(|(other, _)| other == column) {
            sink.push(RepeatedColumn { column: (*column).to_owned(), first: Some(*first), again: *again });
            good = false;
        }
    }
    let [label, text_a, text_b, id] = found;
    let own = |name: Option<String>, key: &str| name.unwrap_or_else(|| key.to_owned());
    let (label, text_a) = (own(label?, "label"), own(text_a?, "text_a"));
    let (text_b, id) = (text_b?, id?);
    let columns = match choices? {
        None => Columns::Named { label, text_a, text_b, id },
        Some(choices) => {
            let choices = choices.into_iter().map(|choice| choice.text.clone()).collect();
            Columns::Choices { label, text_a, text_b, choices, id }
        }
    };
    good.then_some(columns)
}

/// As [`text`], of a list.
fn read_choices<'a>(
    settings: &Settings<'a>,
    is_json: bool,
    sink: &mut Diagnostics,
) -> Option<Option<Vec<&'a Text>>> {
    if settings.get(CHOICES).is_none() {
        return Some(None);
    }
    let entry = settings.plain(CHOICES, sink)?;
    let texts: Option<Vec<&Text>> = match entry.values.as_slice() {
        [Value::Text(text)] if is_json => Some(vec![text]),
        [Value::List(list)] => list
            .values
            .iter()
            .map(|value| match value {
                Value::Text(text) => Some(text),
                _ => None,
            })
            .collect(),
        _ => None,
    };
    let Some(texts) = texts else {
        const TAKES: &str = "a column a choice, in quotes";
        return values::report(entry, TAKES, "`choices \"first\", \"second\"`", sink);
    };
    let filled = texts.into_iter().map(|text| values::filled(CHOICES, text, sink));
    Some(Some(filled.collect::<Option<_>>()?))
}

/// `Some(None)` where the key is not set, `None` where its value is a mistake.
fn text(settings: &Settings, key: &str, sink: &mut Diagnostics) -> Option<Option<String>> {
    if settings.get(key).is_none() {
        return Some(None);
    }
    Some(Some(settings.text(key, sink)?.text.clone()))
}

#[derive(Debug, Error, Diagnostic)]
#[error("no data format is called `{format}`")]
#[diagnostic(code(cam::data::unknown_format), help("{help}"))]
struct UnknownFormat {
    format: String,
    help: String,
    #[label("unknown format")]
    span: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("{benchmark} has no set `{set}`")]
#[diagnostic(code(cam::data::unknown_set), help("{help}"))]
struct UnknownSet {
    benchmark: &'static str,
    set: String,
    help: String,
    #[label("unknown set")]
    span: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("the column `{column}` is read twice")]
#[diagnostic(
    code(cam::data::repeated_column),
    help("each of label, text_a, text_b, id and the choices is a column of its own")
)]
struct RepeatedColumn {
    column: String,
    #[label("first here")]
    first: Option<Span>,
    #[label(primary, "and again here")]
    again: Span,
}

//! Each layout and each mistake, in files of a few lines.

use std::fs;

use super::super::example::Target;
use super::*;

mod formats;

const BINARY: Kind = Kind::Classify { labels: &["0", "1"] };
const ENTAILMENT: Kind = Kind::Classify { labels: &["entailment", "not_entailment"] };
const SCORE: Kind = Kind::Regress { low: 0.0, high: 5.0, unit: true };

fn expected(kind: Kind, labelled: bool) -> Expected {
    Expected { kind, labelled, unreadable: Unreadable::Fail }
}

fn glue(set: &'static str, split: Split, kind: Kind, text: &str) -> Result<Examples, ReadError> {
    let source = Source::glue(set, "unused");
    parse("task", source, split, Path::new("rows.tsv"), text.as_bytes(), expected(kind, split.labelled()))
}

fn tsv(kind: Kind, text: &[u8]) -> Result<Examples, ReadError> {
    parse("task", Source::tsv(""), Split::Train, Path::new("rows.tsv"), text, expected(kind, true))
}

fn example(text_a: &str, text_b: Option<&str>, target: Target, line: u32) -> Example {
    Example { target, ..Example::text(text_a, text_b.map(str::to_owned), line) }
}

fn named(id: &str, example: Example) -> Example {
    Example { id: Some(id.to_owned()), ..example }
}

/// Message and help, as a person sees them.
fn said(result: Result<Examples, ReadError>) -> String {
    let error = result.unwrap_err();
    let help = miette::Diagnostic::help(&error).map(|help| help.to_string()).unwrap_or_default();
    format!("{error} | {help}")
}

#[test]
fn cola_has_no_header_but_in_test() {
    let rows =
        glue("CoLA", Split::Train, BINARY, "gj04\t1\t\tIt sails.\ngj04\t0\t*\tIt \"sail\n").unwrap().rows;
    assert_eq!(rows[0], example("It sails.", None, Target::Class(1), 1));
    assert_eq!(rows[1], example("It \"sail", None, Target::Class(0), 2));
    let rows = glue("CoLA", Split::Test, BINARY, "index\tsentence\n0\tBill left.\n").unwrap().rows;
    assert_eq!(rows, [named("0", example("Bill left.", None, Target::None, 2))]);
}

#[test]
fn columns_are_found_by_name() {
    let mrpc = "\u{feff}Quality\t#1 ID\t#2 ID\t#1 String\t#2 String\r\n1\t7\t8\ta a\tb b\r\n";
    let rows = glue("MRPC", Split::Dev, BINARY, mrpc).unwrap().rows;
    assert_eq!(rows, [example("a a", Some("b b"), Target::Class(1), 2)]);
    let moved = "label\tsentence2\tsentence1\tindex\nentailment\tb\ta\t0\n";
    let rows = glue("RTE", Split::Train, ENTAILMENT, moved).unwrap().rows;
    assert_eq!(rows, [named("0", example("a", Some("b"), Target::Class(0), 2))]);
    let stsb = "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2\tscore\n\
        0\tg\tf\t2012\t1\tn\tn\ta\tb\t3.800\n";
    let rows = glue("STS-B", Split::Train, SCORE, stsb).unwrap().rows;
    assert_eq!(rows, [named("0", example("a", Some("b"), Target::Value(3.8), 2))]);
}

#[test]
fn a_test_set_has_labels_only_if_the_file_has() {
    let rows = glue("RTE", Split::Test, ENTAILMENT, "index\tsentence1\tsentence2\n0\ta\tb\n").unwrap().rows;
    assert_eq!(rows[0].target, Target::None);
    let error = said(glue("RTE", Split::Dev, ENTAILMENT, "index\tsentence1\tsentence2\n0\ta\tb\n"));
    assert_eq!(
        error,
        "rows.tsv:1: the header has no column `label` | the header's columns are `index`, `sentence1`, \
        `sentence2`"
    );
}

#[test]
fn tsv_columns_are_label_and_texts() {
    let rows = tsv(BINARY, b"label\ttext_a\ttext_b\n1\ta\t\n").unwrap().rows;
    assert_eq!(rows, [example("a", Some(""), Target::Class(1), 2)]);
    assert!(
        said(tsv(BINARY, b"label\ttext\n1\ta\n")).starts_with("rows.tsv:1: the header's column `text` is")
    );
    assert!(said(tsv(BINARY, b"label\ttext_a\ttext_a\n1\ta\tb\n")).contains("unknown or repeated"));
    assert!(said(tsv(BINARY, b"text_a\na\n")).contains("no column `label`"));
}

#[test]
fn a_bad_row_is_named_by_file_and_line() {
    let said_of = |kind, rows: &str| said(tsv(kind, format!("label\ttext_a\n{rows}").as_bytes()));
    assert_eq!(
        said_of(BINARY, "1\ta\n2\tb\n"),
        "rows.tsv:3: `2` is not a label of the task | the task's labels are `0`, `1`"
    );
    assert!(said_of(BINARY, "1\n").starts_with("rows.tsv:2: the row has 1 columns instead of 2"));
    assert!(said_of(BINARY, "1\ta\tb\n").starts_with("rows.tsv:2: the row has 3 columns instead of 2"));
    assert!(said_of(BINARY, "1\ta\n\n1\tb\n").starts_with("rows.tsv:3: the row has 1 columns"));
    assert!(said_of(SCORE, "high\ta\n").starts_with("rows.tsv:2: `high` is not a number"));
    assert!(said_of(SCORE, "NaN\ta\n").starts_with("rows.tsv:2: `NaN` is not a number"));
    assert!(said_of(SCORE, "5.5\ta\n").starts_with("rows.tsv:2: the value 5.5 is outside 0.0 .. 5.0"));
    assert!(said(tsv(BINARY, b"label\ttext_a\n1\t\xff\n")).starts_with("rows.tsv:2: the line is not UTF-8"));
    assert!(said(tsv(BINARY, b"")).starts_with("`rows.tsv` has no rows"));
    assert!(said(tsv(BINARY, b"label\ttext_a\n")).starts_with("`rows.tsv` has no rows"));
}

#[test]
fn skipped_rows_are_counted_and_never_all() {
    let skip = Expected { unreadable: Unreadable::Skip, ..expected(BINARY, true) };
    let read = |text: &[u8]| parse("task", Source::tsv(""), Split::Train, Path::new("rows.tsv"), text, skip);
    let examples = read(b"label\ttext_a\n1\ta\n1\n\xff\n7\tb\n0\tc\n").unwrap();
    assert_eq!((examples.rows.len(), examples.left_out.count()), (2, 3));
    assert_eq!(examples.rows[1].line, 6);
    assert!(said(read(b"label\ttext_a\nyes\ta\nno\tb\n")).starts_with("rows.tsv:2: `yes` is not a label"));
}

#[test]
fn missing_places_name_the_task_and_the_data_folder() {
    let root = tempfile::tempdir().unwrap();
    let source = Source::glue("CoLA", "glue/CoLA");
    let read = || said(examples("cola", source, Split::Dev, root.path(), expected(BINARY, true)));
    let folder = root.path().join("glue/CoLA");
    let help = format!("the data folder of this run is `{}`", root.path().display());
    let message = read();
    assert!(message.starts_with(&format!("task `cola`: there is no folder `{}`", folder.display())));
    assert!(message.contains(&help));
    fs::create_dir_all(&folder).unwrap();
    let message = read();
    let file = folder.join("dev.tsv");
    assert!(message.starts_with(&format!("task `cola`: there is no dev file `{}`", file.display())));
    assert!(message.contains(&help));
    let unknown = Source::glue("COLA", "");
    let message = said(examples("cola", unknown, Split::Dev, root.path(), expected(BINARY, true)));
    assert!(
        message
            .starts_with("task `cola` reads the GLUE set `COLA`, which does not exist | the sets are CoLA")
    );
}

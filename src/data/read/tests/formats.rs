//! The layouts beside GLUE's and plain tabs: what a row becomes, and which mistakes are named.

use std::io::Write;

use super::super::super::example::{Answer, Input, Target};
use super::*;
use crate::data::{Columns, Format};

const TRUTH: Kind = Kind::Classify { labels: &["false", "true"] };
const THREE: Kind = Kind::Classify { labels: &["contradiction", "entailment", "neutral"] };
const TAGS: Kind = Kind::Tag { labels: &["O", "B-per", "I-per"] };
const SPAN: Kind = Kind::Span { stride: 32 };
const CHOOSE: Kind = Kind::Choose { choices: 2 };
const MAP: Columns = Columns::Named { label: "gold", text_a: "left", text_b: Some("right"), id: Some("nr") };

fn read_as(format: Format, expected: Expected, text: &[u8]) -> Result<Examples, ReadError> {
    parse("task", Source::new(format, ""), Split::Train, Path::new("rows"), text, expected)
}

fn read(format: Format, kind: Kind, text: &str) -> Result<Examples, ReadError> {
    read_as(format, expected(kind, true), text.as_bytes())
}

fn rows(format: Format, kind: Kind, text: &str) -> Vec<Example> {
    read(format, kind, text).unwrap().rows
}

/// Of a test file, which may be without labels.
fn unlabelled(format: Format, kind: Kind, text: &str) -> Vec<Example> {
    read_as(format, expected(kind, false), text.as_bytes()).unwrap().rows
}

fn texts(example: &Example) -> (&str, &str) {
    let (a, b) = example.input.pair().unwrap();
    (a, b.unwrap_or("no second text"))
}

fn answer(start: u32, text: &str) -> Answer {
    Answer { start, text: text.to_owned() }
}

#[test]
fn labels_of_json_are_words_numbers_or_truth_values() {
    let text = r#"{"passage": "p", "question": "q", "idx": 3, "label": true}
{"passage": "p", "question": "q", "label": "false"}

{"passage": "p", "question": "q", "label": false}
"#;
    let found = rows(Format::SuperGlue("BoolQ"), TRUTH, text);
    assert_eq!(
        found[0],
        Example { id: Some("3".into()), ..super::example("p", Some("q"), Target::Class(1), 1) }
    );
    assert_eq!((&found[1].target, found[2].line), (&Target::Class(0), 4));
    assert_eq!(rows(Format::SuperGlue("BoolQ"), BINARY, &text.replace("\"false\"", "0")).len(), 3);

    let value = |label: &str| {
        rows(Format::JsonLines(Columns::Usual), SCORE, &format!(r#"{{"label": {label}, "text_a": "a"}}"#))
    };
    assert_eq!(value("3.5")[0].target, Target::Value(3.5));
    assert_eq!(value("\"4\"")[0].target, Target::Value(4.0));
}

#[test]
fn inference_is_a_pair() {
    let text = r#"{"premise": "p", "hypothesis": "h", "label": "neutral", "idx": 0}"#;
    let found = rows(Format::SuperGlue("CB"), THREE, text);
    assert_eq!((texts(&found[0]), &found[0].target), (("p", "h"), &Target::Class(2)));
    assert!(
        said(read(Format::SuperGlue("CB"), ENTAILMENT, text)).starts_with("rows:1: `neutral` is not a label")
    );
}

#[test]
fn copa_asks_for_cause_or_effect() {
    let text = r#"{"premise": "It fell.", "choice1": "a", "choice2": "b", "question": "effect", "label": 1, "idx": 7}"#;
    let found = rows(Format::SuperGlue("COPA"), CHOOSE, text);
    let first = "It fell. What happened as a result?".to_owned();
    let input = Input::Choices(vec![(first.clone(), "a".into()), (first, "b".into())]);
    assert_eq!(
        found,
        [Example { input, target: Target::Class(1), group: None, id: Some("7".into()), line: 1 }]
    );
    let unknown = text.replace("effect", "why");
    assert!(
        said(read(Format::SuperGlue("COPA"), CHOOSE, &unknown)).contains("neither cause nor effect: `why`")
    );
    let third = text.replace("\"label\": 1", "\"label\": 2");
    assert!(said(read(Format::SuperGlue("COPA"), CHOOSE, &third)).starts_with("rows:1: `2` is not a label"));
    assert!(
        said(read(Format::SuperGlue("COPA"), BINARY, text)).starts_with("`rows` holds choices, and the task")
    );
}

#[test]
fn answers_to_a_question_of_multirc_are_a_group() {
    let text = r#"{"idx": 4, "passage": {"text": "p", "questions": [
        {"question": "q", "idx": 9, "answers": [{"text": "x", "idx": 1, "label": 0}, {"text": "y", "idx": 2, "label": 1}]},
        {"question": "r", "idx": 10, "answers": [{"text": "z", "idx": 3, "label": 1}]}]}}"#
        .replace('\n', " ");
    let found = rows(Format::SuperGlue("MultiRC"), BINARY, &format!("{text}\n{text}"));
    let groups: Vec<_> = found.iter().map(|row| row.group.unwrap()).collect();
    assert_eq!(groups, [0, 0, 1, 2, 2, 3]);
    assert_eq!((texts(&found[1]), &found[1].target), (("p", "q y"), &Target::Class(1)));
    assert_eq!((found[1].id.as_deref(), found[4].line), (Some("4/9/2"), 2));
    let bare = text.replace(", \"label\": 0", "").replace(", \"label\": 1", "");
    assert!(said(read(Format::SuperGlue("MultiRC"), BINARY, &bare)).starts_with("rows:1: there is no label"));
    assert_eq!(unlabelled(Format::SuperGlue("MultiRC"), BINARY, &bare)[0].target, Target::None);
}

#[test]
fn each_entity_of_record_is_tried_once_in_the_gap() {
    let text = r#"{"passage": {"text": "Ann met Bo. Ann won.\n@highlight\nend", "entities": [{"start": 0, "end": 2}, {"start": 8, "end": 9}, {"start": 12, "end": 14}]}, "qas": [{"query": "@placeholder won", "answers": [{"start": 0, "end": 2, "text": "Ann"}], "idx": 5}]}"#;
    let found = rows(Format::SuperGlue("ReCoRD"), BINARY, text);
    assert_eq!(found.len(), 2);
    assert_eq!(texts(&found[0]), ("Ann met Bo. Ann won.\nend", "Ann won"));
    assert_eq!((&found[0].target, &found[1].target), (&Target::Class(1), &Target::Class(0)));
    assert_eq!((found[1].group, found[1].id.as_deref()), (Some(0), Some("5/Bo")));
    let outside = text.replace("\"end\": 14", "\"end\": 140");
    assert!(
        said(read(Format::SuperGlue("ReCoRD"), BINARY, &outside)).contains("12 to 140 is not in the passage")
    );
}

#[test]
fn words_that_are_asked_about_are_marked() {
    let text = r#"{"word": "place", "sentence1": "à my place", "sentence2": "Placed it.", "start1": 5, "end1": 10, "start2": 0, "end2": 6, "label": true, "idx": 0}"#;
    let found = rows(Format::SuperGlue("WiC"), TRUTH, text);
    assert_eq!(texts(&found[0]), ("à my * place *", "* Placed * it."));
    let outside = text.replace("\"end1\": 10", "\"end1\": 11");
    assert!(
        said(read(Format::SuperGlue("WiC"), TRUTH, &outside))
            .starts_with("rows:1: the word at 5 to 11 is not in")
    );

    let text = r#"{"text": "Tom told Pete. He left.", "target": {"span1_index": 0, "span1_text": "Tom", "span2_index": 3, "span2_text": "He"}, "label": false, "idx": 1}"#;
    let found = rows(Format::SuperGlue("WSC"), TRUTH, text);
    assert_eq!(texts(&found[0]), ("* Tom * told Pete. # He # left.", "Tom"));
    assert_eq!(found[0].target, Target::Class(0));
}

#[test]
fn a_set_that_does_not_exist_is_named_with_those_that_do() {
    assert!(said(read(Format::SuperGlue("Boolq"), TRUTH, "{}")).contains("the sets are BoolQ, CB, COPA"));
}

#[test]
fn answers_of_squad_start_at_bytes() {
    let text = r#"{"version": "1.1", "data": [{"title": "t", "paragraphs": [{"context": "é is Ann, not Bo", "qas": [
        {"id": "one", "question": " Who?", "answers": [{"text": "Ann", "answer_start": 5}, {"text": "Bo", "answer_start": 14}, {"text": "Ann", "answer_start": 5}]},
        {"id": "two", "question": "Whom?", "answers": [{"text": "Bo", "answer_start": 14}]}]}]}]}"#;
    let found = rows(Format::Squad, SPAN, text);
    let input = Input::Context { question: "Who?".into(), context: "é is Ann, not Bo".into() };
    let target = Target::Answers(vec![answer(6, "Ann"), answer(15, "Bo")]);
    assert_eq!(found[0], Example { input, target, group: None, id: Some("one".into()), line: 1 });
    assert_eq!((found.len(), found[1].line), (2, 2));

    let wrong = text.replace("\"answer_start\": 14}]", "\"answer_start\": 13}]");
    assert!(
        said(read(Format::Squad, SPAN, &wrong)).starts_with("rows: question `two`: `Bo` does not stand at")
    );
    let skip = Expected { unreadable: Unreadable::Skip, ..expected(SPAN, true) };
    let left = read_as(Format::Squad, skip, wrong.as_bytes()).unwrap();
    assert_eq!((left.rows.len(), left.left_out.count()), (1, 1));

    let bare = text.replace("[{\"text\": \"Bo\", \"answer_start\": 14}]", "[]");
    assert!(said(read(Format::Squad, SPAN, &bare)).contains("question `two` has no answer"));
    assert_eq!(unlabelled(Format::Squad, SPAN, &bare)[1].target, Target::None);
    assert!(
        said(read(Format::Squad, SPAN, &text[..200]))
            .starts_with("rows: the file is not what its format says")
    );
    assert!(said(read(Format::Squad, BINARY, text)).starts_with("`rows` holds answers"));
}

#[test]
fn mrqa_has_a_header_and_perhaps_a_gz() {
    let text = r#"{"header": {"dataset": "NewsQA", "split": "train"}}
{"context": "à la carte", "qas": [{"qid": "x", "question": "what?", "answers": ["La"], "detected_answers": [{"text": "la", "char_spans": [[2, 3], [2, 3]], "token_spans": [[1, 1]]}]}]}
"#;
    let found = rows(Format::Mrqa("NewsQA"), SPAN, text);
    assert_eq!((found.len(), found[0].line), (1, 2));
    assert_eq!(found[0].target, Target::Answers(vec![answer(3, "la")]));
    let outside = text.replace("[2, 3]]", "[2, 30]]");
    assert!(
        said(read(Format::Mrqa("NewsQA"), SPAN, &outside)).contains("`x`: the characters 2 to 30 are not in")
    );

    let root = tempfile::tempdir().unwrap();
    fs::create_dir_all(root.path().join("mrqa/train")).unwrap();
    let source = Source::new(Format::Mrqa("NewsQA"), "mrqa");
    let open = || examples("task", source, Split::Train, root.path(), expected(SPAN, true));
    let missing = said(open());
    assert!(
        missing.contains("train.jsonl.gz`, and no `train.jsonl` beside it, and no `train/NewsQA.jsonl.gz`")
    );
    let path = root.path().join("mrqa/train/NewsQA.jsonl.gz");
    // in two parts, as tools that join such files leave them
    let mut packed = Vec::new();
    for part in text.split_inclusive('\n') {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), Default::default());
        encoder.write_all(part.as_bytes()).unwrap();
        packed.extend(encoder.finish().unwrap());
    }
    fs::write(&path, &packed).unwrap();
    assert_eq!(open().unwrap().rows, found);
    fs::write(&path, &packed[..packed.len() - 9]).unwrap();
    assert!(said(open()).ends_with("NewsQA.jsonl.gz` cannot be read | "));
}

#[test]
fn sentences_are_apart_by_any_blank_line() {
    let text = "-DOCSTART- -X- O\n\nAnn\tB-per\nLee\tI-per\nran\tO\n\t\n \nBo\tNNP\tB-per\r\n\r\nso O\n";
    let found = rows(Format::Conll, TAGS, text);
    let of = |words: &[&str], tags: &[u32], line| Example {
        input: Input::Words(words.iter().map(|word| (*word).to_owned()).collect()),
        target: Target::Tags(tags.to_vec()),
        group: None,
        id: None,
        line,
    };
    assert_eq!(
        found,
        [of(&["Ann", "Lee", "ran"], &[1, 2, 0], 3), of(&["Bo"], &[1], 8), of(&["so"], &[0], 10)]
    );

    assert!(said(read(Format::Conll, TAGS, "Ann\tB-loc\n")).starts_with("rows:1: `B-loc` is not a label"));
    assert!(said(read(Format::Conll, TAGS, "Ann\n")).starts_with("rows:1: there is no label"));
    assert!(
        said(read(Format::Conll, TAGS, "a\tO\n\tO\n")).starts_with("rows:2: there is a tag without a word")
    );
    assert_eq!(unlabelled(Format::Conll, TAGS, "Ann\nran\n")[0].target, Target::None);
    let mixed = read_as(Format::Conll, expected(TAGS, false), b"Ann O\nran\n");
    assert!(said(mixed).starts_with("rows:1: some words of the sentence have a tag"));
    assert!(said(read(Format::Conll, TAGS, "\n\t\n")).starts_with("`rows` has no rows"));
    assert!(said(read(Format::Conll, BINARY, "a O")).starts_with("`rows` holds tags"));

    let skip = Expected { unreadable: Unreadable::Skip, ..expected(TAGS, true) };
    let left = read_as(Format::Conll, skip, b"a\tO\n\nb\tX\nc\tY\n\n\xff\tO\n").unwrap();
    assert_eq!((left.rows.len(), left.left_out.count()), (1, 2), "a sentence is a row");
}

#[test]
fn pairs_without_agreement_are_counted() {
    let line = |label: &str| {
        format!(
            "{{\"gold_label\": \"{label}\", \"sentence1\": \"a\", \"sentence2\": \"b\", \"pairID\": \"7e\"}}\n"
        )
    };
    let found =
        read(Format::Snli, THREE, &[line("neutral"), line("-"), line("entailment")].concat()).unwrap();
    assert_eq!((found.rows.len(), found.left_out.count()), (2, 1));
    assert_eq!((texts(&found.rows[0]), found.rows[0].id.as_deref()), (("a", "b"), Some("7e")));
    assert!(said(read(Format::Snli, THREE, &line("-"))).starts_with("`rows` has no rows"));

    const ENTAILS: Kind = Kind::Classify { labels: &["entails", "neutral"] };
    const ENTAILED: Kind = Kind::Classify { labels: &["neutral", "entailment"] };
    for (kind, class) in [(ENTAILS, 0), (ENTAILED, 1)] {
        for label in ["entails", "entailment"] {
            assert_eq!(rows(Format::SciTail, kind, &line(label))[0].target, Target::Class(class));
        }
    }
    assert!(
        said(read(Format::SciTail, BINARY, &line("entails"))).starts_with("rows:1: `entails` is not a label")
    );
}

#[test]
fn own_columns_are_mapped() {
    let csv = "nr,gold,extra,left,right\r\nx1,1,?,\"a, \"\"b\"\"\nc\",d\n\"x2\",0,,e,\n";
    let found = rows(Format::Csv(MAP), BINARY, &format!("\u{feff}{csv}"));
    assert_eq!(texts(&found[0]), ("a, \"b\"\nc", "d"));
    assert_eq!((found[0].id.as_deref(), &found[0].target, found[0].line), (Some("x1"), &Target::Class(1), 2));
    assert_eq!((texts(&found[1]), found[1].line), (("e", ""), 4));

    let tsv = "extra\tleft\tgold\tright\tnr\n\"\ta\t1\tb\tx1\n";
    assert_eq!(texts(&rows(Format::Tsv(MAP), BINARY, tsv)[0]), ("a", "b"));
    let json = "{\"extra\": [1], \"left\": \"a\", \"gold\": 1, \"right\": \"b\", \"nr\": 5}";
    let found = rows(Format::JsonLines(MAP), BINARY, json);
    assert_eq!((texts(&found[0]), found[0].id.as_deref()), (("a", "b"), Some("5")));

    // the second text is there only if the file has one
    let single = rows(Format::Csv(Columns::Usual), BINARY, "text_a,label\na,1\n");
    assert_eq!(single[0].input.pair(), Some(("a", None)));
}

#[test]
fn mistakes_in_own_files_have_a_place() {
    let csv = |text: &str| said(read(Format::Csv(MAP), BINARY, text));
    assert!(csv("").starts_with("`rows` has no rows"));
    assert!(
        csv("nr,gold,left\n")
            .starts_with("rows:1: the header has no column `right` | the header's columns are `nr`")
    );
    assert!(csv("nr,gold,left,right\n1,1,a\n").starts_with("rows:2: the row has 3 columns instead of 4"));
    assert!(csv("nr,gold,left,right\n1,no,a,b\n").starts_with("rows:2: `no` is not a label"));
    assert!(csv("nr,gold,gold,left,right\n").contains("`gold` is unknown or repeated"));
    let usual = read(Format::Csv(Columns::Usual), BINARY, "label,text_a,text_c\n1,a,b\n");
    assert!(said(usual).contains("`text_c` is unknown or repeated"));
    let skip = Expected { unreadable: Unreadable::Skip, ..expected(BINARY, true) };
    let left = read_as(Format::Csv(Columns::Usual), skip, b"label,text_a\n1\n1,\"a\nb\"\n2,c\n0,\xff\n0,d\n")
        .unwrap();
    assert_eq!((left.rows.len(), left.left_out.count(), left.rows[1].line), (2, 3, 7));

    let json = |text: &str| said(read(Format::JsonLines(MAP), BINARY, text));
    assert!(json("{\"gold\": 1, \"left\": \"a\", \"nr\": 1}").starts_with("rows:1: `right` is missing"));
    assert!(
        json("{\"gold\": 1, \"left\": [], \"right\": \"b\", \"nr\": 1}")
            .starts_with("rows:1: `left` is no text")
    );
    assert!(json("{\"left\": \"a\", \"right\": \"b\", \"nr\": 1}").starts_with("rows:1: there is no label"));
    assert!(
        json("\n{\"gold\": }")
            .starts_with("rows:2: the row is not what its format says: expected value at column 10")
    );
    let usual =
        read(Format::JsonLines(Columns::Usual), BINARY, "{\"label\": 1, \"text_a\": \"a\", \"txt\": 1}");
    assert!(said(usual).starts_with("rows:1: the key `txt` is unknown"));
}

const SWAG: Columns = Columns::Choices {
    label: "label",
    text_a: "sent1",
    text_b: Some("sent2"),
    choices: &["ending0", "ending1", "ending2"],
    id: Some("id"),
};
const OPTIONS: Columns =
    Columns::Choices { label: "answer", text_a: "question", text_b: None, choices: &["options"], id: None };
const THREE_CHOICES: Kind = Kind::Choose { choices: 3 };

fn choices(example: &Example) -> Vec<(&str, &str)> {
    let Input::Choices(choices) = &example.input else { panic!("{example:?}") };
    choices.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect()
}

#[test]
fn own_tables_may_have_texts_to_choose_from() {
    let csv = "id,sent1,sent2,ending0,ending1,ending2,label\n7,\"On, stage\",she,sits.,sings.,runs.,2\n8,a,b,c,d,,0\n";
    let found = rows(Format::Csv(SWAG), THREE_CHOICES, csv);
    let all = [("On, stage", "she sits."), ("On, stage", "she sings."), ("On, stage", "she runs.")];
    assert_eq!((choices(&found[0]), found[0].id.as_deref()), (all.to_vec(), Some("7")));
    assert_eq!(found[0].target, Target::Class(2));
    assert_eq!((choices(&found[1]).len(), &found[1].target), (2, &Target::Class(0)), "some have fewer");
    let tsv = csv.replace("\"On, stage\"", "On stage").replace(',', "\t");
    assert_eq!(choices(&rows(Format::Tsv(SWAG), THREE_CHOICES, &tsv)[0])[1], ("On stage", "she sings."));
    let without = "id,sent1,sent2,ending0,ending1,ending2\n7,a,b,c,d,e\n";
    assert_eq!(unlabelled(Format::Csv(SWAG), THREE_CHOICES, without)[0].target, Target::None);

    let keys = r#"{"id": 1, "sent1": "a", "sent2": "b", "ending0": "c", "ending1": 4, "label": 1}"#;
    let found = rows(Format::JsonLines(SWAG), THREE_CHOICES, keys);
    assert_eq!((choices(&found[0]), &found[0].target), (vec![("a", "b c"), ("a", "b 4")], &Target::Class(1)));
    let list = r#"{"question": "q", "options": ["x", "y", "z"], "answer": "2"}"#;
    let found = rows(Format::JsonLines(OPTIONS), THREE_CHOICES, list);
    assert_eq!((choices(&found[0])[2], &found[0].target), (("q", "z"), &Target::Class(2)));
}

#[test]
fn mistakes_in_choices_have_a_place() {
    let header = "id,sent1,sent2,ending0,ending1,ending2,label\n";
    let csv = |row: &str| said(read(Format::Csv(SWAG), THREE_CHOICES, &format!("{header}{row}\n")));
    assert!(
        csv("7,a,b,c,d,,2")
            .starts_with("rows:2: `2` is not a label of the task | the task's labels are `0`, `1`")
    );
    assert!(csv("7,a,b,c,,,0").starts_with("rows:2: the row has 1 choices, and the task 2 to 3"));
    assert!(csv("7,a,b,c,,e,0").starts_with("rows:2: a choice is empty, and one behind it is not"));
    assert!(
        said(read(Format::Csv(SWAG), THREE_CHOICES, "id,sent1,sent2,label\n"))
            .contains("no column `ending0`")
    );
    assert!(said(read(Format::Csv(SWAG), BINARY, &format!("{header}7,a,b,c,d,e,1\n"))).contains("choices"));
    let json = |row: &str| said(read(Format::JsonLines(OPTIONS), THREE_CHOICES, row));
    assert!(json(r#"{"question": "q", "answer": 1}"#).starts_with("rows:1: `options` is missing"));
    assert!(
        json(r#"{"question": "q", "options": "x", "answer": 1}"#).contains("`options` is no list of texts")
    );
    assert!(json(r#"{"question": "q", "options": ["x", []], "answer": 1}"#).contains("`options` is no text"));
    assert!(
        json(r#"{"question": "q", "options": ["a", "b", "c", "d"], "answer": 1}"#).contains("has 4 choices")
    );
    assert!(json(r#"{"question": "q", "options": ["a", "b"]}"#).starts_with("rows:1: there is no label"));
}

#[test]
fn a_question_without_an_answer_names_the_version() {
    let file = |version: &str| {
        format!(
            r#"{{{version}"data": [{{"paragraphs": [{{"context": "a b", "qas": [
            {{"id": "q1", "question": "x", "answers": [{{"text": "b", "answer_start": 2}}]}},
            {{"id": "q2", "question": "y", "answers": [], "is_impossible": true}}]}}]}}]}}"#
        )
    };
    let said_of = |version: &str| said(read(Format::Squad, SPAN, &file(version)));
    let message = said_of(r#""version": "v2.0", "#);
    assert!(
        message.starts_with("rows: the file is SQuAD v2.0, and question `q2` has no answer"),
        "{message}"
    );
    assert!(message.contains("--skip-unreadable"), "{message}");
    assert!(said_of("").starts_with("rows: the file is SQuAD of no stated version"));
    let skip = Expected { unreadable: Unreadable::Skip, ..expected(SPAN, true) };
    let left = read_as(Format::Squad, skip, file(r#""version": "v2.0", "#).as_bytes()).unwrap();
    assert_eq!((left.rows.len(), left.left_out.unreadable, left.left_out.first.len()), (1, 1, 1));

    // of a line of MRQA a question is lost, not all of them
    let line = r#"{"context": "a b", "qas": [{"qid": "1", "question": "x", "detected_answers": []},
        {"qid": "2", "question": "y", "detected_answers": [{"text": "b", "char_spans": [[2, 2]]}]}]}"#
        .replace('\n', " ");
    let left = read_as(Format::Mrqa("NewsQA"), skip, line.as_bytes()).unwrap();
    assert_eq!((left.rows.len(), left.left_out.unreadable), (1, 1));
}

#[test]
fn what_was_left_out_is_told_with_the_first_places() {
    let skip = Expected { unreadable: Unreadable::Skip, ..expected(BINARY, true) };
    let told = |rows: &str| {
        let text = format!("label\ttext_a\n1\ta\n{rows}");
        read_as(Format::Tsv(Columns::Usual), skip, text.as_bytes()).unwrap().left_out.to_string()
    };
    assert_eq!(
        told("2\ta\n"),
        "1 row left out, which cannot be read\n  rows:3: `2` is not a label of the task"
    );
    let many = told(&"2\ta\n".repeat(5));
    assert!(many.starts_with("5 rows left out") && many.ends_with("\n  and 2 more"), "{many}");
    assert_eq!(many.lines().count(), 5);
}

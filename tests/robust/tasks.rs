//! Legal tasks: every kind, with the data that it can be learned from.

use super::{
    dice::Dice,
    generate::{Tokens, block, few, quoted, size, text, tokens, words},
};

pub struct Task {
    pub name: String,
    entries: Vec<Tokens>,
    is_scored: bool,
    /// A task whose entropy it may borrow.
    donor: Option<String>,
}

const NAMES: [&str; 26] = [
    "cola",
    "t",
    "_x",
    "at",
    "rows",
    "pass",
    "batch",
    "z",
    "x1",
    "plan",
    "heads",
    "span",
    "as_is",
    "some",
    "usize",
    "vec",
    "main",
    "default",
    "logits",
    "task",
    "d",
    "self_",
    "union_1",
    "every_day",
    "in_",
    "model_2",
];

/// Tasks, and whether one of them predicts a distribution.
pub fn tasks(sequence: usize, dice: &mut Dice) -> (Vec<Task>, bool) {
    let names = dice.shuffled(NAMES.to_vec());
    let count = few(4, NAMES.len(), dice);
    let mut tasks: Vec<Task> = names[..count].iter().map(|name| task(name, sequence, dice)).collect();
    let donors: Vec<String> =
        tasks.iter().filter(|task| task.is_scored).map(|task| task.name.clone()).collect();
    for task in &mut tasks {
        let others: Vec<&String> = donors.iter().filter(|donor| **donor != task.name).collect();
        task.donor = (!others.is_empty()).then(|| dice.pick(&others).clone());
    }
    (tasks, !donors.is_empty())
}

impl Task {
    /// `scores`: does the sampler ask for every task's uncertainty?
    pub fn tokens(self, scores: bool, dice: &mut Dice) -> Tokens {
        let mut entries = self.entries;
        let must = scores && !self.is_scored;
        match self.donor {
            Some(donor) if must || dice.chance(20) => entries.push(tokens("uncertainty as", [&donor])),
            _ if self.is_scored && dice.chance(20) => entries.push(words("uncertainty entropy")),
            _ => {}
        }
        block(&self.name, dice.shuffled(entries))
    }
}

/// A set of GLUE, and its labels; none for scores.
const SETS: [(&str, &[&str]); 9] = [
    ("CoLA", &["0", "1"]),
    ("SST-2", &["0", "1"]),
    ("MRPC", &["0", "1"]),
    ("QQP", &["0", "1"]),
    ("WNLI", &["0", "1"]),
    ("RTE", &["entailment", "not_entailment"]),
    ("QNLI", &["entailment", "not_entailment"]),
    ("MNLI", &["contradiction", "entailment", "neutral"]),
    ("STS-B", &[]),
];
const LABELS: [&str; 14] = [
    "yes",
    "no",
    "\"world news\"",
    "7",
    "07",
    "\"sci/tech\"",
    "span",
    "in",
    "as",
    "\"a \\\"quoted\\\" one\"",
    "\u{e9}t\u{e9}",
    "\"\u{65e5}\u{672c}\"",
    "-1.5",
    "\"// {\"",
];
static OF_LABELS: [&str; 5] = ["accuracy", "matthews", "macro_f1", "f1", "accuracy_f1"];
static OF_SCORES: [&str; 3] = ["pearson", "spearman", "pearson_spearman"];

fn task(name: &str, sequence: usize, dice: &mut Dice) -> Task {
    let (kind, data, metrics) = match dice.below(5) {
        0 => tagged(dice),
        1 => answered(sequence, dice),
        2 => chosen(dice),
        _ => text_or_pair(dice),
    };
    let is_scored = kind[0] != "regress";
    let mut entries = vec![kind, data];
    if dice.chance(50) {
        entries.push(tokens("metric", [dice.pick(metrics)]));
    }
    if dice.chance(20) {
        entries.push(tokens("weight", [dice.pick(&["2.0", "0", "-0", "1_000", "1e-30"])]));
    }
    Task { name: name.to_owned(), entries, is_scored, donor: None }
}

type Parts = (Tokens, Tokens, &'static [&'static str]);

/// A tag a word: of a known set, by count or by names, or of a folder that has its own.
fn tagged(dice: &mut Dice) -> Parts {
    const OWN: [&str; 6] = ["O", "B-x", "I-x", "B-\u{e9}", "\"B-a b\"", "\"I-a b\""];
    let known = dice.pick(&[("wnut17", 13), ("conll2003", 9)]);
    let (kind, data) = match dice.chance(50) {
        true => (size("tag", known.1, dice), tokens("data conll", [quoted(known.0)])),
        false => {
            let count = if dice.chance(50) { 3 } else { OWN.len() };
            (list("tag", OWN[..count].to_vec(), dice), tokens("data conll", [&text(dice)]))
        }
    };
    (kind, data, &["entity_f1"])
}

fn answered(sequence: usize, dice: &mut Dice) -> Parts {
    let mut kind = words("span");
    match dice.below(3) {
        0 if sequence > 1 => {
            kind.extend(block("", vec![size("stride", dice.between(1, sequence - 1), dice)]))
        }
        1 => kind.extend(words("{ }")),
        _ => {}
    }
    let data = match dice.chance(50) {
        true => tokens("data squad", [&text(dice)]),
        false => tokens("data mrqa", [quoted("NewsQA"), "in".to_owned(), text(dice)]),
    };
    (kind, data, &["exact_match_f1"])
}

fn chosen(dice: &mut Dice) -> Parts {
    let count = few(4, 9, dice).max(2);
    let mut named: Vec<String> = (0..count).map(|i| quoted(&format!("{{choice}} {i}"))).collect();
    let (kind, data) = match dice.below(3) {
        0 => (size("choose", 2, dice), words("data superglue \"COPA\"")),
        1 => {
            // one key holds them all
            named.truncate(1);
            let choices = tokens("choices", named);
            let data = [tokens("data jsonl", [&text(dice)]), block("", vec![choices])].concat();
            (size("choose", count, dice), data)
        }
        _ => {
            let format = dice.pick(&["data csv", "data tsv", "data jsonl"]);
            let mut settings = vec![list("choices", named.iter().map(String::as_str).collect(), dice)];
            if dice.chance(50) {
                settings.push(words("text_a \"sent1\" text_b \"sent2\" label \"gold\""));
            }
            let settings = block("", dice.shuffled(settings));
            (size("choose", count, dice), [tokens(format, [&text(dice)]), settings].concat())
        }
    };
    (kind, data, &["accuracy"])
}

fn text_or_pair(dice: &mut Dice) -> Parts {
    let (data, labels) = match dice.chance(50) {
        true => {
            let (set, labels) = dice.pick(&SETS);
            let folder = if dice.chance(30) { tokens("in", [&text(dice)]) } else { Tokens::new() };
            ([tokens("data glue", [&quoted(set)]), folder].concat(), labels.to_vec())
        }
        false => {
            let labels = dice.shuffled(LABELS.to_vec());
            let count = if dice.chance(30) { 0 } else { dice.between(2, labels.len()) };
            let format = dice.pick(&["data csv", "data tsv", "data jsonl"]);
            let mut data = tokens(format, [&text(dice)]);
            if dice.chance(30) {
                data.extend(words("{ text_a \"left\" id \"nr\" train_file \"all.txt\" }"));
            }
            (data, labels[..count].to_vec())
        }
    };
    let (kind, metrics): (_, &'static [&'static str]) = match labels.len() {
        0 => (regress(dice), &OF_SCORES[..]),
        2 => (classify(labels, dice), &OF_LABELS[..]),
        _ => (classify(labels, dice), &OF_LABELS[..3]),
    };
    (kind, data, metrics)
}

fn classify(labels: Vec<&str>, dice: &mut Dice) -> Tokens {
    if dice.chance(40) {
        return size("classify", labels.len(), dice);
    }
    list("classify", labels, dice)
}

/// In any order, with commas between.
fn list(key: &str, values: Vec<&str>, dice: &mut Dice) -> Tokens {
    let mut item = words(key);
    for (i, value) in dice.shuffled(values).into_iter().enumerate() {
        item.extend((i > 0).then(|| ",".to_owned()));
        item.push(value.to_owned());
    }
    item
}

fn regress(dice: &mut Dice) -> Tokens {
    let (low, high) = dice.pick(&[("0.0", "5.0"), ("-1.5", "1e1"), ("0", "1_000"), ("-1e30", "1e30")]);
    tokens("regress", [low, "..", high])
}

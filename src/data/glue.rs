//! The official layout of the GLUE sets (Wang et al., 2019): file names and the columns that matter.

use super::source::Split;

/// The layout of one set. Columns are found by name in the header, so that their order is free.
#[derive(Clone, Copy, Debug)]
pub struct Set {
    /// The canonical name.
    pub name: &'static str,
    pub text_a: &'static str,
    pub text_b: Option<&'static str>,
    pub label: &'static str,
    /// Files of train, dev and test.
    files: [&'static str; 3],
    /// Columns of the files that have no header: CoLA's train and dev.
    bare: Option<Bare>,
}

/// Columns by position, where no header names them.
#[derive(Clone, Copy, Debug)]
pub struct Bare {
    pub width: usize,
    pub label: usize,
    pub text_a: usize,
}

const PLAIN: [&str; 3] = ["train.tsv", "dev.tsv", "test.tsv"];

/// Every GLUE set, in the order of the paper's table.
pub const SETS: [Set; 9] = [
    Set { bare: Some(Bare { width: 4, label: 1, text_a: 3 }), ..single("CoLA", "sentence", "label") },
    single("SST-2", "sentence", "label"),
    pair("MRPC", "#1 String", "#2 String", "Quality"),
    pair("STS-B", "sentence1", "sentence2", "score"),
    pair("QQP", "question1", "question2", "is_duplicate"),
    Set {
        files: ["train.tsv", "dev_matched.tsv", "test_matched.tsv"],
        ..pair("MNLI", "sentence1", "sentence2", "gold_label")
    },
    pair("QNLI", "question", "sentence", "label"),
    pair("RTE", "sentence1", "sentence2", "label"),
    pair("WNLI", "sentence1", "sentence2", "label"),
];

const fn single(name: &'static str, text_a: &'static str, label: &'static str) -> Set {
    Set { name, text_a, text_b: None, label, files: PLAIN, bare: None }
}

const fn pair(name: &'static str, text_a: &'static str, text_b: &'static str, label: &'static str) -> Set {
    Set { name, text_a, text_b: Some(text_b), label, files: PLAIN, bare: None }
}

impl Set {
    /// The set of that canonical name.
    pub fn named(name: &str) -> Option<&'static Set> {
        SETS.iter().find(|set| set.name == name)
    }

    /// The file of a split, relative to the set's folder.
    pub fn file(&self, split: Split) -> &'static str {
        match split {
            Split::Train => self.files[0],
            Split::Dev => self.files[1],
            Split::Test => self.files[2],
        }
    }

    /// The columns of a split without a header; `None` where the first line is one.
    pub fn bare(&self, split: Split) -> Option<Bare> {
        self.bare.filter(|_| split != Split::Test)
    }
}

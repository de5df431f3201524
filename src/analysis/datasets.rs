//! The data sets known by name: what they hold, their labels and their usual metric.
//!
//! GLUE (Wang et al., ICLR 2019) and SuperGLUE (Wang et al., NeurIPS 2019); SQuAD v1.1, the sets of MRQA 2019, SNLI,
//! SciTail, and sets of the CoNLL layout. Labels stand as in the official files, in the order of the logits.

use crate::ir::Metric;

/// A data set whose files need no description.
#[derive(Debug)]
pub struct Dataset {
    /// As its authors write it; also the folder's usual name.
    pub name: &'static str,
    pub content: Content,
    /// What its benchmark reports for it.
    pub metric: Metric,
}

#[derive(Debug)]
pub enum Content {
    Labels(&'static [&'static str]),
    Scores {
        low: f64,
        high: f64,
    },
    /// A tag a word; none where the set is not known.
    Tags(&'static [&'static str]),
    /// Answers in a context.
    Answers,
    /// So many texts to choose from.
    Choices(usize),
}

const BINARY: Content = Content::Labels(&["0", "1"]);
const TRUTH: Content = Content::Labels(&["false", "true"]);
const ENTAILMENT: Content = Content::Labels(&["entailment", "not_entailment"]);
const INFERENCE: Content = Content::Labels(&["contradiction", "entailment", "neutral"]);

pub static GLUE: [Dataset; 9] = [
    Dataset { name: "CoLA", content: BINARY, metric: Metric::Matthews },
    Dataset { name: "SST-2", content: BINARY, metric: Metric::Accuracy },
    Dataset { name: "MRPC", content: BINARY, metric: Metric::AccuracyF1 },
    Dataset { name: "QQP", content: BINARY, metric: Metric::AccuracyF1 },
    Dataset {
        name: "STS-B",
        content: Content::Scores { low: 0.0, high: 5.0 },
        metric: Metric::PearsonSpearman,
    },
    Dataset { name: "MNLI", content: INFERENCE, metric: Metric::Accuracy },
    Dataset { name: "QNLI", content: ENTAILMENT, metric: Metric::Accuracy },
    Dataset { name: "RTE", content: ENTAILMENT, metric: Metric::Accuracy },
    Dataset { name: "WNLI", content: BINARY, metric: Metric::Accuracy },
];

/// MultiRC has a label an answer, ReCoRD one an entity.
pub static SUPERGLUE: [Dataset; 8] = [
    Dataset { name: "BoolQ", content: TRUTH, metric: Metric::Accuracy },
    Dataset { name: "CB", content: INFERENCE, metric: Metric::AccuracyMacroF1 },
    Dataset { name: "COPA", content: Content::Choices(2), metric: Metric::Accuracy },
    Dataset { name: "MultiRC", content: BINARY, metric: Metric::F1aExactMatch },
    Dataset { name: "ReCoRD", content: BINARY, metric: Metric::F1aExactMatch },
    Dataset { name: "RTE", content: ENTAILMENT, metric: Metric::Accuracy },
    Dataset { name: "WiC", content: TRUTH, metric: Metric::Accuracy },
    Dataset { name: "WSC", content: TRUTH, metric: Metric::Accuracy },
];

/// WNUT 2017 (Derczynski et al., 2017) and CoNLL 2003 (Tjong Kim Sang and De Meulder, 2003), the latter in IOB2.
pub static CONLL: [Dataset; 2] = [
    Dataset {
        name: "wnut17",
        content: Content::Tags(&[
            "O",
            "B-corporation",
            "I-corporation",
            "B-creative-work",
            "I-creative-work",
            "B-group",
            "I-group",
            "B-location",
            "I-location",
            "B-person",
            "I-person",
            "B-product",
            "I-product",
        ]),
        metric: Metric::EntityF1,
    },
    Dataset {
        name: "conll2003",
        content: Content::Tags(&[
            "O", "B-LOC", "I-LOC", "B-MISC", "I-MISC", "B-ORG", "I-ORG", "B-PER", "I-PER",
        ]),
        metric: Metric::EntityF1,
    },
];

/// A folder in the CoNLL layout that is none of these: its tags are its own.
pub static TAGGED: Dataset =
    Dataset { name: "a folder in the CoNLL layout", content: Content::Tags(&[]), metric: Metric::EntityF1 };

pub static SQUAD: Dataset =
    Dataset { name: "SQuAD", content: Content::Answers, metric: Metric::ExactMatchF1 };

/// Each of its sets.
pub static MRQA: Dataset = Dataset { name: "MRQA", content: Content::Answers, metric: Metric::ExactMatchF1 };

pub static SNLI: Dataset = Dataset { name: "SNLI", content: INFERENCE, metric: Metric::Accuracy };

pub static SCITAIL: Dataset =
    Dataset { name: "SciTail", content: Content::Labels(&["entails", "neutral"]), metric: Metric::Accuracy };

pub fn find(sets: &'static [Dataset], name: &str) -> Option<&'static Dataset> {
    sets.iter().find(|set| set.name == name)
}

pub fn names(sets: &'static [Dataset]) -> Vec<&'static str> {
    sets.iter().map(|set| set.name).collect()
}

//! The data sets known by name: what they hold, their labels and their usual metric.
//!
//! GLUE (Wang et al., ICLR 2019). Labels stand as in the official files, in the order of the logits.

use crate::ir::Metric;

/// A data set whose files need no description.
#[derive(Debug)]
pub struct Dataset {
    /// As GLUE writes it; also the folder's usual name.
    pub name: &'static str,
    pub content: Content,
    /// What GLUE reports for it.
    pub metric: Metric,
}

#[derive(Debug)]
pub enum Content {
    Labels(&'static [&'static str]),
    Scores { low: f64, high: f64 },
}

const BINARY: Content = Content::Labels(&["0", "1"]);
const ENTAILMENT: Content = Content::Labels(&["entailment", "not_entailment"]);

pub const GLUE: [Dataset; 9] = [
    Dataset { name: "CoLA", content: BINARY, metric: Metric::Matthews },
    Dataset { name: "SST-2", content: BINARY, metric: Metric::Accuracy },
    Dataset { name: "MRPC", content: BINARY, metric: Metric::AccuracyF1 },
    Dataset { name: "QQP", content: BINARY, metric: Metric::AccuracyF1 },
    Dataset {
        name: "STS-B",
        content: Content::Scores { low: 0.0, high: 5.0 },
        metric: Metric::PearsonSpearman,
    },
    Dataset {
        name: "MNLI",
        content: Content::Labels(&["contradiction", "entailment", "neutral"]),
        metric: Metric::Accuracy,
    },
    Dataset { name: "QNLI", content: ENTAILMENT, metric: Metric::Accuracy },
    Dataset { name: "RTE", content: ENTAILMENT, metric: Metric::Accuracy },
    Dataset { name: "WNLI", content: BINARY, metric: Metric::Accuracy },
];

pub fn glue(name: &str) -> Option<&'static Dataset> {
    GLUE.iter().find(|set| set.name == name)
}

pub fn glue_names() -> Vec<&'static str> {
    GLUE.iter().map(|set| set.name).collect()
}

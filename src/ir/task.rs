//! Tasks: what is predicted, measured and read.

use serde::Serialize;

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Task {
    /// A Rust-safe identifier in snake case, unique in the program.
    pub name: String,
    pub kind: Kind,
    pub metric: Metric,
    pub data: Source,
    /// What the task's loss is multiplied by; 0 or above.
    pub weight: f64,
    pub uncertainty: Uncertainty,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// One label of several; the labels as they stand in the data, in the order of the logits. At least two.
    Classify { labels: Vec<String> },
    /// A number between `low` and `high`.
    Regress { low: f64, high: f64 },
    /// A label for each word, in IOB2: `O`, `B-person`, `I-person`. In the order of the logits.
    Tag { labels: Vec<String> },
    /// The part of a context that answers a question. A context that is too long is read in windows, each `stride`
    /// tokens after the one before.
    Span { stride: usize },
    /// One of several texts, at most `choices`.
    Choose { choices: usize },
}

impl Kind {
    /// What the head reads of an example of so many tokens, in rows: the most.
    pub fn rows(&self, tokens: usize) -> usize {
        match self {
            Kind::Classify { .. } | Kind::Regress { .. } => 1,
            Kind::Tag { .. } | Kind::Span { .. } => tokens,
            Kind::Choose { choices } => *choices,
        }
    }

    /// Whether the head reads the tokens of an example, not what is pooled of it.
    pub fn reads_tokens(&self) -> bool {
        matches!(self, Kind::Tag { .. } | Kind::Span { .. })
    }

    /// Rows of the head's weight: the numbers that it gives for a row of its input.
    pub fn outputs(&self) -> usize {
        match self {
            Kind::Classify { labels } | Kind::Tag { labels } => labels.len(),
            Kind::Regress { .. } | Kind::Choose { .. } => 1,
            Kind::Span { .. } => 2, // start and end
        }
    }
}

/// The first figure of a metric of two (for example F1 of `accuracy_f1`) is not preferred: their mean decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    Accuracy,
    /// Binary F1 of the second label.
    F1,
    AccuracyF1,
    /// Mean over the labels of each one's F1.
    MacroF1,
    AccuracyMacroF1,
    Matthews,
    Pearson,
    Spearman,
    PearsonSpearman,
    /// F1 of the entities that tags in IOB2 stand for, as the CoNLL evaluation counts them.
    EntityF1,
    /// Exact match and F1 of an answer's words, as SQuAD's evaluation counts them.
    ExactMatchF1,
    /// F1 of all answers, and the share of questions with every answer right, as MultiRC's evaluation counts them.
    F1aExactMatch,
}

/// Where the examples come from.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Source {
    pub format: Format,
    /// The folder that holds the files, relative to the data folder.
    pub folder: String,
    /// The file of train, dev and test, relative to `folder`, where the format's own names are not meant.
    #[serde(skip_serializing_if = "Files::is_empty")]
    pub files: Files,
}

/// How the files of a folder are laid out.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// A GLUE set in the official layout, by its canonical name ("CoLA").
    Glue(String),
    /// A SuperGLUE set as JSON lines, by its canonical name ("BoolQ").
    #[serde(rename = "superglue")]
    SuperGlue(String),
    /// SQuAD v1.1.
    Squad,
    /// MRQA 2019: JSON lines of contexts and questions; the name of the set.
    Mrqa(String),
    /// A word and its tag a line.
    Conll,
    Snli,
    #[serde(rename = "scitail")]
    SciTail,
    Csv(Columns),
    Tsv(Columns),
    #[serde(rename = "jsonl")]
    JsonLines(Columns),
}

/// The columns of an own table that are read.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Columns {
    /// `label`, `text_a` and perhaps `text_b`; another one is a mistake.
    Usual,
    /// Those named here; others are left alone.
    Named { label: String, text_a: String, text_b: Option<String>, id: Option<String> },
    /// Texts to choose from, a column each; of JSON lines one key may hold them all.
    Choices {
        label: String,
        text_a: String,
        text_b: Option<String>,
        choices: Vec<String>,
        id: Option<String>,
    },
}

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Files {
    pub train: Option<String>,
    pub dev: Option<String>,
    pub test: Option<String>,
}

impl Files {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Format {
    /// As the language calls it.
    pub fn name(&self) -> &'static str {
        match self {
            Format::Glue(_) => "glue",
            Format::SuperGlue(_) => "superglue",
            Format::Squad => "squad",
            Format::Mrqa(_) => "mrqa",
            Format::Conll => "conll",
            Format::Snli => "snli",
            Format::SciTail => "scitail",
            Format::Csv(_) => "csv",
            Format::Tsv(_) => "tsv",
            Format::JsonLines(_) => "jsonl",
        }
    }

    /// The set that is meant, of a format that has several.
    pub fn set(&self) -> Option<&str> {
        match self {
            Format::Glue(set) | Format::SuperGlue(set) | Format::Mrqa(set) => Some(set),
            _ => None,
        }
    }

    /// The columns of an own table.
    pub fn columns(&self) -> Option<&Columns> {
        match self {
            Format::Csv(columns) | Format::Tsv(columns) | Format::JsonLines(columns) => Some(columns),
            _ => None,
        }
    }
}

/// As the language writes it: `glue "CoLA" in "some/folder" { dev_file "val.tsv" }`.
impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { format, folder, files } = self;
        match format.set() {
            Some(set) if set != folder => write!(f, "{} {set:?} in {folder:?}", format.name())?,
            _ => write!(f, "{} {folder:?}", format.name())?,
        }
        let mut settings = vec![
            ("train_file", files.train.as_ref()),
            ("dev_file", files.dev.as_ref()),
            ("test_file", files.test.as_ref()),
        ];
        if let Some(
            Columns::Named { label, text_a, text_b, id } | Columns::Choices { label, text_a, text_b, id, .. },
        ) = format.columns()
        {
            let columns = [Some(label), Some(text_a), text_b.as_ref(), id.as_ref()];
            settings.extend(["label", "text_a", "text_b", "id"].into_iter().zip(columns));
        }
        let mut settings: Vec<String> =
            settings.iter().filter_map(|(key, value)| Some(format!("{key} {:?}", value.as_ref()?))).collect();
        if let Some(Columns::Choices { choices, .. }) = format.columns() {
            let names: Vec<String> = choices.iter().map(|name| format!("{name:?}")).collect();
            settings.push(format!("choices {}", names.join(", ")));
        }
        if settings.is_empty() {
            return Ok(());
        }
        write!(f, " {{ {} }}", settings.join(" "))
    }
}

/// What MT-Uncertainty takes for H, the uncertainty about an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Uncertainty {
    /// Entropy of the task's own predictive distribution, over log C.
    Entropy,
    /// The scores of another task's candidates, the i-th for the i-th: that task's index. For tasks without a
    /// distribution.
    As(usize),
}

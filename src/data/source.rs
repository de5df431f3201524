//! What a task's data is: where it lies, which part of it is meant, and what its labels mean.

use serde::Serialize;

/// Where the examples of a task come from. Folders are relative to the data folder of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A GLUE folder in the official layout. `set` is the canonical name ("CoLA", see [`glue::SETS`](super::glue::SETS)).
    Glue { set: &'static str, folder: &'static str },
    /// A folder with `train.tsv`, `dev.tsv` and perhaps `test.tsv`: a header `label text_a [text_b]`, tabs between.
    Tsv { folder: &'static str },
}

impl Source {
    /// The folder that holds the files, relative to the data folder.
    pub fn folder(self) -> &'static str {
        match self {
            Source::Glue { folder, .. } | Source::Tsv { folder } => folder,
        }
    }
}

/// What is predicted for an example.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// One label of several; the labels as they stand in the data, in the order of the logits. At least two.
    Classify { labels: &'static [&'static str] },
    /// A number between `low` and `high`, both included.
    Regress {
        low: f32,
        high: f32,
        /// Learned on 0 .. 1; else in the data's own units, as the authors' code does it.
        unit: bool,
    },
    /// A label for each word, in IOB2: `O`, `B-person`, `I-person`. In the order of the logits.
    Tag { labels: &'static [&'static str] },
    /// The part of a context that answers a question. A context that is too long is read in windows, each `stride`
    /// tokens after the one before.
    Span { stride: usize },
    /// One of several texts, at most `choices`.
    Choose { choices: usize },
}

impl Kind {
    /// Rows of the head's weight: the numbers that it gives for a row of its input.
    pub fn outputs(self) -> usize {
        match self {
            Kind::Classify { labels } | Kind::Tag { labels } => labels.len(),
            Kind::Regress { .. } | Kind::Choose { .. } => 1,
            Kind::Span { .. } => 2, // start and end
        }
    }

    /// A regression's target as the network learns it: from `low` .. `high` to 0 .. 1.
    ///
    /// In the data's own units its squared error, and so its gradient, would drown that of the other tasks: on
    /// STS-B (0 to 5) an error is worth up to 50 times a class's.
    pub fn to_unit(self, value: f32) -> f32 {
        match self {
            Kind::Regress { low, high, unit: true } => (value - low) / (high - low),
            _ => value,
        }
    }

    /// A regression's output in the data's units: the inverse of [`Kind::to_unit`].
    pub fn of_unit(self, output: f32) -> f32 {
        match self {
            Kind::Regress { low, high, unit: true } => low + (high - low) * output,
            _ => output,
        }
    }
}

/// A part of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    Train,
    /// For choosing and reporting; of MNLI the matched part.
    Dev,
    /// Labels are read where the file has them; GLUE's test files have none.
    Test,
}

impl Split {
    pub const ALL: [Split; 3] = [Split::Train, Split::Dev, Split::Test];

    pub fn name(self) -> &'static str {
        match self {
            Split::Train => "train",
            Split::Dev => "dev",
            Split::Test => "test",
        }
    }

    /// Whether every row must carry a label.
    pub fn labelled(self) -> bool {
        self != Split::Test
    }
}

impl std::fmt::Display for Split {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

//! What a task's data is: where it lies, which part of it is meant, and what its labels mean.

use serde::Serialize;

/// Where the examples of a task come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Source {
    pub format: Format,
    /// The folder that holds the files, relative to the data folder of a run.
    pub folder: &'static str,
    /// The file of train, dev and test, relative to `folder`; where it is not said, as the format names them.
    pub files: [Option<&'static str>; 3],
}

/// How the files of a folder are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// A GLUE set in the official layout, by its canonical name ("CoLA", see [`glue::SETS`](super::glue::SETS)).
    Glue(&'static str),
    /// A SuperGLUE set as JSON lines, by its canonical name ("BoolQ").
    SuperGlue(&'static str),
    /// SQuAD v1.1: one JSON of paragraphs and their questions.
    Squad,
    /// JSON lines of contexts and their questions (MRQA 2019), perhaps compressed; the name of the set, which the
    /// official distribution gives its files.
    Mrqa(&'static str),
    /// A word and its tag a line, sentences apart by empty lines.
    Conll,
    /// SNLI's JSON lines.
    Snli,
    /// SciTail's JSON lines, in either of its two layouts.
    SciTail,
    /// Commas between columns, quotes around texts that hold one, a header.
    Csv(Columns),
    /// Tabs between columns, no quoting, a header.
    Tsv(Columns),
    /// An object a line.
    JsonLines(Columns),
}

/// The columns of a table, or the keys of an object, that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Columns {
    /// `label`, `text_a` and perhaps `text_b`; another column is a mistake.
    Usual,
    /// Those named here; others are left alone.
    Named {
        label: &'static str,
        text_a: &'static str,
        text_b: Option<&'static str>,
        /// The data set's own name for a row.
        id: Option<&'static str>,
    },
    /// Several texts to choose from, as SWAG has them; other columns are left alone.
    Choices {
        /// The right choice, counted from 0.
        label: &'static str,
        /// What all choices are about.
        text_a: &'static str,
        /// What the text of each choice begins with.
        text_b: Option<&'static str>,
        /// A column a choice. Of JSON lines one key alone may hold all choices.
        choices: &'static [&'static str],
        /// The data set's own name for a row.
        id: Option<&'static str>,
    },
}

impl Columns {
    /// The columns of the choices, where rows have some.
    pub(super) fn choices(self) -> &'static [&'static str] {
        match self {
            Self::Choices { choices, .. } => choices,
            Self::Usual | Self::Named { .. } => &[],
        }
    }

    /// Label, first text, second text and name of a row; of the last two only what was said.
    pub(super) fn names(self) -> (&'static str, &'static str, Option<&'static str>, Option<&'static str>) {
        match self {
            Self::Usual => ("label", "text_a", None, None),
            Self::Named { label, text_a, text_b, id } | Self::Choices { label, text_a, text_b, id, .. } => {
                (label, text_a, text_b, id)
            }
        }
    }
}

impl Source {
    pub const fn new(format: Format, folder: &'static str) -> Self {
        Self { format, folder, files: [None; 3] }
    }

    /// A folder with `train.tsv`, `dev.tsv` and perhaps `test.tsv`: a header `label text_a [text_b]`, tabs between.
    pub const fn tsv(folder: &'static str) -> Self {
        Self::new(Format::Tsv(Columns::Usual), folder)
    }

    /// A GLUE set, and the folder that it lies in.
    pub const fn glue(set: &'static str, folder: &'static str) -> Self {
        Self::new(Format::Glue(set), folder)
    }

    /// A SuperGLUE set, and the folder that it lies in.
    pub const fn super_glue(set: &'static str, folder: &'static str) -> Self {
        Self::new(Format::SuperGlue(set), folder)
    }

    /// The same, with a split in a file of this name.
    #[must_use]
    pub const fn with_file(mut self, split: Split, file: &'static str) -> Self {
        self.files[split as usize] = Some(file);
        self
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

//! One example: what is read, what it should be predicted as, and where it came from.

use super::source::Kind;

/// A row of a data set, or what stands for one in its format: a question, a sentence with its tags.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    pub input: Input,
    pub target: Target,
    /// Rows of one group are judged together, such as the answers to a question of MultiRC.
    pub group: Option<u32>,
    /// The data set's own name for it.
    pub id: Option<String>,
    /// The line of its file, from 1.
    pub line: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// A text or a pair: classification and regression.
    Text { a: String, b: Option<String> },
    /// The words of a sentence, each of which has a tag.
    Words(Vec<String>),
    /// A question, and the text in which its answer stands.
    Context { question: String, context: String },
    /// The pair of texts of each choice.
    Choices(Vec<(String, String)>),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// The index of the label among the task's, or of the right choice.
    Class(u32),
    Value(f32),
    /// The index of each word's tag among the task's.
    Tags(Vec<u32>), // [words]
    /// Every accepted answer, at least one.
    Answers(Vec<Answer>),
    /// The file does not say: an unlabelled test set.
    None,
}

/// A part of a context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// In bytes of the context.
    pub start: u32,
    pub text: String,
}

impl Example {
    /// A text or a pair that nothing is known of.
    pub fn text(a: impl Into<String>, b: Option<String>, line: u32) -> Self {
        let input = Input::Text { a: a.into(), b };
        Self { input, target: Target::None, group: None, id: None, line }
    }
}

impl Input {
    /// Whether it is what tasks of that kind predict from.
    pub fn fits(&self, kind: Kind) -> bool {
        match self {
            Self::Text { .. } => matches!(kind, Kind::Classify { .. } | Kind::Regress { .. }),
            Self::Words(_) => matches!(kind, Kind::Tag { .. }),
            Self::Context { .. } => matches!(kind, Kind::Span { .. }),
            Self::Choices(_) => matches!(kind, Kind::Choose { .. }),
        }
    }

    /// The texts of a text or a pair; `None` for other inputs.
    pub fn pair(&self) -> Option<(&str, Option<&str>)> {
        match self {
            Self::Text { a, b } => Some((a, b.as_deref())),
            Self::Words(_) | Self::Context { .. } | Self::Choices(_) => None,
        }
    }
}

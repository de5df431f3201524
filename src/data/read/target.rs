//! What a label or a value may be, as text and in JSON.

use serde_json::Value;

use super::super::example::Target;
use super::super::source::Kind;
use super::{ReadError, Rows};

impl Rows<'_> {
    /// The class or value that a cell states.
    pub fn target_of_text(&self, line: u32, text: &str) -> Result<Target, ReadError> {
        match self.expected.kind {
            Kind::Classify { labels } => self.class(line, labels, &[text]),
            Kind::Regress { .. } => match text.parse() {
                Ok(value) => self.value(line, value, text),
                Err(_) => Err(self.no_number(line, text)),
            },
            Kind::Tag { .. } | Kind::Span { .. } | Kind::Choose { .. } => Err(self.wrong_kind("texts")),
        }
    }

    /// The class or value of an object: a label is a word, a number or a truth value. A label that is absent or null
    /// is an error only where labels are needed.
    pub fn target_of_json(&self, line: u32, label: Option<&Value>) -> Result<Target, ReadError> {
        match (self.expected.kind, label) {
            (_, None | Some(Value::Null)) => self.no_label(line),
            (_, Some(Value::String(text))) => self.target_of_text(line, text),
            (Kind::Classify { labels }, Some(Value::Bool(truth))) => {
                let forms = if *truth { ["true", "1"] } else { ["false", "0"] };
                self.class(line, labels, &forms)
            }
            (Kind::Classify { labels }, Some(Value::Number(number))) => {
                self.class(line, labels, &[&number.to_string()])
            }
            (Kind::Regress { .. }, Some(Value::Number(number))) => match number.as_f64() {
                Some(value) => self.value(line, value, &number.to_string()),
                None => Err(self.no_number(line, &number.to_string())),
            },
            (Kind::Regress { .. }, Some(other)) => Err(self.no_number(line, &other.to_string())),
            (Kind::Classify { labels }, Some(other)) => self.class(line, labels, &[&other.to_string()]),
            (Kind::Tag { .. } | Kind::Span { .. } | Kind::Choose { .. }, _) => Err(self.wrong_kind("texts")),
        }
    }

    /// The first of `forms` that is a label.
    pub fn class(&self, line: u32, labels: &[&str], forms: &[&str]) -> Result<Target, ReadError> {
        let index_of = |form: &&str| labels.iter().zip(0..).find(|(label, _)| *label == form);
        match forms.iter().find_map(index_of) {
            Some((_, index)) => Ok(Target::Class(index)),
            None => Err(ReadError::label(self.path, line, forms[0], labels)),
        }
    }

    /// Of a row that does not say.
    pub fn no_label(&self, line: u32) -> Result<Target, ReadError> {
        if self.expected.labelled {
            return Err(ReadError::NoLabel { path: self.path.to_owned(), line });
        }
        Ok(Target::None)
    }

    /// The data set holds something else than the task predicts, which the compiler refuses for a known set.
    pub fn wrong_kind(&self, holds: &'static str) -> ReadError {
        let predicts = match self.expected.kind {
            Kind::Classify { .. } => "classify",
            Kind::Regress { .. } => "regress",
            Kind::Tag { .. } => "tag",
            Kind::Span { .. } => "span",
            Kind::Choose { .. } => "choose",
        };
        ReadError::OtherKind { path: self.path.to_owned(), holds, predicts }
    }

    fn value(&self, line: u32, value: f64, text: &str) -> Result<Target, ReadError> {
        let Kind::Regress { low, high, .. } = self.expected.kind else {
            return Err(self.wrong_kind("scores"));
        };
        let value = value as f32; // what the network computes in
        if !value.is_finite() {
            return Err(self.no_number(line, text));
        }
        if !(low..=high).contains(&value) {
            return Err(ReadError::Range { path: self.path.to_owned(), line, value, low, high });
        }
        Ok(Target::Value(value))
    }

    fn no_number(&self, line: u32, text: &str) -> ReadError {
        ReadError::Number { path: self.path.to_owned(), line, value: text.to_owned() }
    }
}

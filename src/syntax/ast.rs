//! What a `.cam` file says, word by word: items, entries, values, each with its [`Span`], and all comments.
//!
//! `ast::Task` is what was written, `ir::Task` what was meant. Words are unresolved, defaults are absent.

use serde::Serialize;

use crate::span::Span;

#[derive(Clone, Debug, Serialize)]
pub struct File {
    pub items: Vec<Item>,
    /// In the order of the text; no other node holds comments.
    pub comments: Vec<Comment>,
    /// The keywords of items that could not be read: they are there, and nothing else is known of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub broken: Vec<String>,
}

/// `// ...` to the end of its line.
#[derive(Clone, Debug, Serialize)]
pub struct Comment {
    pub span: Span,
    /// With its slashes, without white space at the end.
    pub text: String,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Item {
    Include(Include),
    Model(Model),
    Backbone(Backbone),
    Fidelity(Fidelity),
    Sequence(Sequence),
    Tasks(Tasks),
    Drop(Drop),
    Freeze(Freeze),
    Unfreeze(Unfreeze),
    /// Boxed: twice the size of the next largest.
    Attach(Box<Attach>),
    Detach(Box<Detach>),
    Train(Train),
    Assert(Box<Assert>),
    Variant(Variant),
}

/// `include "tasks/glue.cam"`
#[derive(Clone, Debug, Serialize)]
pub struct Include {
    pub span: Span,
    pub path: Text,
}

/// `model camtl_base`
#[derive(Clone, Debug, Serialize)]
pub struct Model {
    pub span: Span,
    pub name: Word,
}

/// `backbone bert { layers 12 }`
#[derive(Clone, Debug, Serialize)]
pub struct Backbone {
    pub span: Span,
    pub kind: Word,
    pub body: Body,
}

/// `fidelity reference`
#[derive(Clone, Debug, Serialize)]
pub struct Fidelity {
    pub span: Span,
    pub to: Word,
}

/// `sequence 128`
#[derive(Clone, Debug, Serialize)]
pub struct Sequence {
    pub span: Span,
    pub length: Number,
}

/// `tasks { cola { classify 2 } }`
#[derive(Clone, Debug, Serialize)]
pub struct Tasks {
    pub span: Span,
    /// From brace to brace.
    pub block: Span,
    pub tasks: Vec<Task>,
}

/// `cola { classify 2   data glue "CoLA" }`
#[derive(Clone, Debug, Serialize)]
pub struct Task {
    pub span: Span,
    pub name: Word,
    pub body: Body,
}

/// `drop cola, rte`
#[derive(Clone, Debug, Serialize)]
pub struct Drop {
    pub span: Span,
    pub tasks: Vec<Word>,
}

/// `freeze embeddings, layers 0..6`
#[derive(Clone, Debug, Serialize)]
pub struct Freeze {
    pub span: Span,
    pub parts: Vec<Part>,
}

/// `unfreeze layers 3..6`
#[derive(Clone, Debug, Serialize)]
pub struct Unfreeze {
    pub span: Span,
    pub parts: Vec<Part>,
}

/// `attach attention to layers 6..12 { blocks 6 }`
#[derive(Clone, Debug, Serialize)]
pub struct Attach {
    pub span: Span,
    pub module: Word,
    pub place: Place,
    pub body: Option<Body>,
}

/// `detach alignment, attention`, `detach norm from layers 8..12`
#[derive(Clone, Debug, Serialize)]
pub struct Detach {
    pub span: Span,
    pub modules: Vec<Word>,
    pub from: Option<Part>,
}

/// `to layers 6..12`
#[derive(Clone, Debug, Serialize)]
pub struct Place {
    pub span: Span,
    pub preposition: Word,
    pub part: Part,
}

/// `embeddings`, `layer 8`, `layers 0..6`
#[derive(Clone, Debug, Serialize)]
pub struct Part {
    pub span: Span,
    pub name: Word,
    pub extent: Option<Extent>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Extent {
    One(Number),
    Range(Range),
}

/// `train { batch 32 }`
#[derive(Clone, Debug, Serialize)]
pub struct Train {
    pub span: Span,
    pub body: Body,
}

/// `assert parameters <= 1.2 x backbone`, `assert memory < 8 GiB`
#[derive(Clone, Debug, Serialize)]
pub struct Assert {
    pub span: Span,
    pub quantity: Word,
    pub comparison: Comparison,
    pub bound: Number,
    pub unit: Option<Word>,
    /// What the bound is a multiple of: the word after `x`.
    pub times: Option<Word>,
    /// The word stands there without its `x`, which is a mistake.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub lacks_x: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    AtMost,
    AtLeast,
    Below,
    Above,
}

/// `variant baseline { detach norm }`, `variant small of baseline { drop rte }`
#[derive(Clone, Debug, Serialize)]
pub struct Variant {
    pub span: Span,
    pub name: Word,
    /// The variant that this one differs from; the model itself where there is none.
    pub of: Option<Word>,
    /// From brace to brace.
    pub block: Span,
    pub items: Vec<Item>,
}

/// Entries in braces.
#[derive(Clone, Debug, Serialize)]
pub struct Body {
    /// From brace to brace.
    pub span: Span,
    pub entries: Vec<Entry>,
}

/// A key, what it is set to, and its own block: `optimizer adamw { lr 2e-5 }`.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    pub span: Span,
    pub key: Word,
    /// `glue "CoLA"` are two values, `a, b` are one [`List`].
    pub values: Vec<Value>,
    pub body: Option<Body>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    Word(Word),
    Text(Text),
    Number(Number),
    Range(Range),
    List(List),
}

#[derive(Clone, Debug, Serialize)]
pub struct Word {
    pub span: Span,
    pub text: String,
}

/// `"bert-base-cased"`
#[derive(Clone, Debug, Serialize)]
pub struct Text {
    /// With the quotes.
    pub span: Span,
    /// Without quotes and escapes.
    pub text: String,
}

#[derive(Clone, Debug, Serialize)]
pub struct Number {
    pub span: Span,
    /// As written: `1_000`, `2e-5`, `10%`.
    pub text: String,
    pub amount: Amount,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Amount {
    /// Digits only: no sign, point or exponent.
    Whole(u64),
    Decimal(f64),
    /// `10%` is 10.
    Percent(f64),
    /// No number: a mistake was reported, and nothing more is to be said of it.
    Unclear,
}

/// `0.0 .. 5.0`
#[derive(Clone, Debug, Serialize)]
pub struct Range {
    pub span: Span,
    pub low: Number,
    pub high: Number,
}

/// `entailment, not_entailment`: at least two, none a range or a list.
#[derive(Clone, Debug, Serialize)]
pub struct List {
    pub span: Span,
    pub values: Vec<Value>,
}

impl Item {
    pub fn span(&self) -> Span {
        match self {
            Item::Include(item) => item.span,
            Item::Model(item) => item.span,
            Item::Backbone(item) => item.span,
            Item::Fidelity(item) => item.span,
            Item::Sequence(item) => item.span,
            Item::Tasks(item) => item.span,
            Item::Drop(item) => item.span,
            Item::Freeze(item) => item.span,
            Item::Unfreeze(item) => item.span,
            Item::Attach(item) => item.span,
            Item::Detach(item) => item.span,
            Item::Train(item) => item.span,
            Item::Assert(item) => item.span,
            Item::Variant(item) => item.span,
        }
    }

    /// The word that it starts with.
    pub fn keyword(&self) -> &'static str {
        match self {
            Item::Include(_) => "include",
            Item::Model(_) => "model",
            Item::Backbone(_) => "backbone",
            Item::Fidelity(_) => "fidelity",
            Item::Sequence(_) => "sequence",
            Item::Tasks(_) => "tasks",
            Item::Drop(_) => "drop",
            Item::Freeze(_) => "freeze",
            Item::Unfreeze(_) => "unfreeze",
            Item::Attach(_) => "attach",
            Item::Detach(_) => "detach",
            Item::Train(_) => "train",
            Item::Assert(_) => "assert",
            Item::Variant(_) => "variant",
        }
    }

    /// Where that word stands.
    pub fn keyword_span(&self) -> Span {
        let start = self.span().start;
        Span::new(start, start + self.keyword().len())
    }
}

impl Comparison {
    /// As it is written.
    pub fn sign(self) -> &'static str {
        match self {
            Comparison::AtMost => "<=",
            Comparison::AtLeast => ">=",
            Comparison::Below => "<",
            Comparison::Above => ">",
        }
    }

    pub fn holds(self, value: f64, bound: f64) -> bool {
        match self {
            Comparison::AtMost => value <= bound,
            Comparison::AtLeast => value >= bound,
            Comparison::Below => value < bound,
            Comparison::Above => value > bound,
        }
    }
}

impl Extent {
    pub fn span(&self) -> Span {
        match self {
            Extent::One(number) => number.span,
            Extent::Range(range) => range.span,
        }
    }
}

impl Value {
    pub fn span(&self) -> Span {
        match self {
            Value::Word(value) => value.span,
            Value::Text(value) => value.span,
            Value::Number(value) => value.span,
            Value::Range(value) => value.span,
            Value::List(value) => value.span,
        }
    }
}

impl Entry {
    /// All values together; the key where there is none.
    pub fn value_span(&self) -> Span {
        match (self.values.first(), self.values.last()) {
            (Some(first), Some(last)) => first.span().to(last.span()),
            _ => self.key.span,
        }
    }
}

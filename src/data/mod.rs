//! From files on disk to tokens in memory: file -> [`Example`] -> [`Tokenizer`] -> [`Dataset`].
//!
//! | step | file | refuses |
//! |---|---|---|
//! | where the rows lie and what they mean | [`source`] | |
//! | an example, its target and its place | [`example`] | |
//! | the file of a split | `files` | a folder or file that is missing |
//! | the columns of each GLUE set | [`glue`] | a set that is not GLUE's |
//! | bytes to numbered lines | `lines` | a line that is not UTF-8 |
//! | lines to examples, a reader a format | [`read`] | a row that does not fit its header or its task |
//! | text to token ids | [`tokenizer`] | a vocabulary larger than the model's |
//! | examples to sequences of ids: a text, choices, words, windows of a context | `encode`, `windows` | |
//! | all of them, flat, their ids in memory or mapped, and what each should be predicted as | [`dataset`], [`goal`], `flat`, `ids` | |
//! | the same, kept on disk | `cache` | a cache file that is not whole |
//!
//! A row that cannot be read is an error with file and line; where the caller allows it ([`Unreadable::Skip`]) it
//! is counted and reported. There is no padding anywhere: a sequence is as long as its text. This room knows
//! nothing of networks or training: a batch is assembled elsewhere from the slices that [`Dataset`] gives.

mod cache;
pub mod dataset;
mod encode;
pub mod example;
mod files;
mod flat;
pub mod glue;
pub mod goal;
mod ids;
mod lines;
pub mod load;
pub mod read;
pub mod source;
pub mod tokenizer;
mod windows;

pub use dataset::Dataset;
pub use example::{Answer, Example, Input, Target};
pub use goal::Goal;
pub use load::{LoadError, Request, load};
pub use read::{Examples, LeftOut, ReadError, Unreadable};
pub use source::{Columns, Format, Kind, Source, Split};
pub use tokenizer::{Tokenizer, TokenizerError};

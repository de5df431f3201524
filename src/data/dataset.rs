//! The tokenized items of one split of one task, in flat arrays.
//!
//! An item is what a step trains on: an example, or, where a context is read in windows, one window of it. It has one
//! sequence of tokens; where one of several texts is chosen, a sequence a choice.

use std::ops::Range;

use super::flat::{Lists, Texts};
use super::goal::Goal;
use super::ids::Ids;
use super::read::LeftOut;

/// Items as token ids. Immutable; they keep the order of their file.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// Of all sequences, one after the other.
    pub(super) ids: Ids, // [tokens]
    /// Sequence `s` is `ids[offsets[s]..offsets[s + 1]]`.
    pub(super) offsets: Vec<usize>, // [sequences + 1]
    /// Tokens of type 0.
    pub(super) firsts: Vec<u32>, // [sequences]
    /// The first sequence of item `i` is `items[i]`, that of the next `items[i + 1]`.
    pub(super) items: Vec<usize>, // [items + 1]
    pub(super) labels: Vec<Label>, // [items]
    /// The example, counted from 0 in the file, that an item is of.
    pub(super) examples: Vec<u32>, // [items]
    pub(super) lines: Vec<u32>,    // [items]
    /// The group of rows that are judged together; [`ALONE`] for none.
    pub(super) groups: Vec<u32>, // [items]
    pub(super) words: Words,
    pub(super) windows: Windows,
    pub(super) left_out: LeftOut,
    pub(super) truncated: usize,
    pub(super) fingerprint: blake3::Hash,
}

/// No group.
pub(super) const ALONE: u32 = u32::MAX;

/// What an item should be predicted as; the tags are in [`Words`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Label {
    None,
    Class(u32),
    Value(f32),
    Tags,
    Span { start: u32, end: u32 },
}

/// Of tagged sentences: where their words begin, and their tags. Empty for other kinds.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Words {
    /// Places of the first piece of each word that fits, in the item's sequence.
    pub marks: Lists, // [items]
    /// The tag of each word.
    pub tags: Lists, // [items]
}

/// Of contexts in which answers are marked. Empty for other kinds.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Windows {
    /// Place of the first token of the context, in the item's sequence.
    pub begins: Vec<u32>, // [items]
    /// Which token of the whole context it is.
    pub froms: Vec<u32>, // [items]
    /// The context of each example, as an index.
    pub passages: Vec<u32>, // [examples]
    pub contexts: Texts, // [passages]
    /// Start and end of each token of a context, in its bytes, one after the other.
    pub places: Lists, // [passages]
    /// The accepted answers of all examples.
    pub answers: Texts,
    /// Those of example `e` are `accepted[e]..accepted[e + 1]`.
    pub accepted: Vec<usize>, // [examples + 1]
}

impl Dataset {
    /// Items.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Examples of the file: items, unless some are windows of one.
    pub fn examples(&self) -> usize {
        self.examples.last().map_or(0, |last| *last as usize + 1)
    }

    /// The token ids of an item, specials included, without padding; its sequences one after the other.
    ///
    /// # Panics
    /// Like all accessors by index: if there is no item `i`.
    pub fn ids(&self, i: usize) -> &[u32] {
        &self.ids[self.offsets[self.items[i]]..self.offsets[self.items[i + 1]]]
    }

    /// The sequences of an item: their ids, and how many of these, from the start, are of type 0. The rest is of type 1.
    pub fn sequences(&self, i: usize) -> impl ExactSizeIterator<Item = (&[u32], usize)> {
        (self.items[i]..self.items[i + 1])
            .map(|s| (&self.ids[self.offsets[s]..self.offsets[s + 1]], self.firsts[s] as usize))
    }

    /// How many tokens of an item's first sequence, from the start, are of type 0.
    pub fn first(&self, i: usize) -> usize {
        self.firsts[self.items[i]] as usize
    }

    /// Tokens of an item.
    pub fn tokens(&self, i: usize) -> usize {
        self.offsets[self.items[i + 1]] - self.offsets[self.items[i]]
    }

    /// Tokens of the longest sequence.
    pub fn longest(&self) -> usize {
        self.offsets.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0)
    }

    /// The places in its sequence of the tokens that the head reads: the first pieces of the words where these are
    /// tagged, `[CLS]` and the context where an answer is marked. `None` where it reads what is pooled of each
    /// sequence.
    pub fn marks(&self, i: usize) -> Option<Vec<usize>> {
        if self.windows.begins.get(i).is_some() {
            let Range { start, end } = self.context(i);
            return Some(std::iter::once(0).chain(start..end).collect());
        }
        let words = &self.words.marks;
        (i < words.len()).then(|| words.get(i).iter().map(|&mark| mark as usize).collect())
    }

    /// The places of a window's context tokens; a [SEP] comes after them.
    fn context(&self, i: usize) -> Range<usize> {
        self.windows.begins[i] as usize..self.tokens(i) - 1
    }

    pub fn goal(&self, i: usize) -> Goal<'_> {
        match self.labels[i] {
            Label::None => Goal::None,
            Label::Class(class) => Goal::Class(class),
            Label::Value(value) => Goal::Value(value),
            Label::Tags => Goal::Tags(self.words.tags.get(i)),
            Label::Span { start, end } => Goal::Span { start, end },
        }
    }

    /// The example that an item is of, from 0.
    pub fn example(&self, i: usize) -> usize {
        self.examples[i] as usize
    }

    /// The group of an item whose rows are judged together.
    pub fn group(&self, i: usize) -> Option<u32> {
        Some(self.groups[i]).filter(|group| *group != ALONE)
    }

    /// The part of the context between two marks of a window, both included, which are not 0.
    pub fn span(&self, i: usize, start: usize, end: usize) -> &str {
        let bytes = self.span_bytes(i, start, end);
        &self.windows.contexts.get(self.passage(i))[bytes]
    }

    /// Where [`Dataset::span`] is, in bytes of the context.
    pub fn span_bytes(&self, i: usize, start: usize, end: usize) -> Range<usize> {
        let places = self.windows.places.get(self.passage(i));
        let from = self.windows.froms[i] as usize;
        let (start, end) = (from + start - 1, from + end - 1); // mark 0 is [CLS]
        places[2 * start] as usize..places[2 * end + 1] as usize
    }

    fn passage(&self, i: usize) -> usize {
        self.windows.passages[self.example(i)] as usize
    }

    /// Every accepted answer of an example.
    pub fn answers(&self, example: usize) -> impl Iterator<Item = &str> {
        let Windows { answers, accepted, .. } = &self.windows;
        (accepted[example]..accepted[example + 1]).map(|at| answers.get(at))
    }

    /// The line of the file, from 1, that an item was read from.
    pub fn line(&self, i: usize) -> u32 {
        self.lines[i]
    }

    /// Whether every item says what it should be predicted as.
    pub fn labelled(&self) -> bool {
        self.labels.iter().all(|label| *label != Label::None)
    }

    /// Tokens of all items together.
    pub fn total_tokens(&self) -> usize {
        self.ids.len()
    }

    /// Examples that did not fit the sequence and were cut.
    pub fn truncated(&self) -> usize {
        self.truncated
    }

    /// Rows of the file that are no examples.
    pub fn left_out(&self) -> &LeftOut {
        &self.left_out
    }

    /// Of the content that the items were read from, in hexadecimal; for `run.json`.
    pub fn fingerprint(&self) -> String {
        self.fingerprint.to_hex().to_string()
    }
}

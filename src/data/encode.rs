//! Examples to token ids, on all cores: what each kind of task makes of an example.

use std::collections::HashMap;

use rayon::prelude::*;

use super::dataset::{ALONE, Dataset, Label};
use super::example::{Example, Input, Target};
use super::ids::Ids;
use super::read::{Examples, LeftOut};
use super::source::Kind;
use super::tokenizer::{Encoded, Placed, Tokenizer, TokenizerError};
use super::windows::{Question, windows};

impl Dataset {
    /// Tokenizes the examples of a task of that kind. `fingerprint` is of what they were read from.
    ///
    /// # Errors
    /// The tokenizer's, for the first text that it refuses.
    ///
    /// # Panics
    /// If an input is not of the kind: see [`Input::fits`].
    pub fn encode(
        examples: &Examples,
        tokenizer: &Tokenizer,
        kind: Kind,
        fingerprint: blake3::Hash,
    ) -> Result<Self, TokenizerError> {
        let mut items = Items::new(examples.left_out.clone(), fingerprint);
        let rows = &examples.rows;
        match kind {
            Kind::Classify { .. } | Kind::Regress { .. } | Kind::Choose { .. } => {
                items.add_texts(rows, tokenizer)?;
            }
            Kind::Tag { .. } => items.add_words(rows, tokenizer)?,
            Kind::Span { stride } => items.add_windows(rows, tokenizer, stride)?,
        }
        Ok(items.finish())
    }
}

/// A data set that grows.
struct Items {
    ids: Vec<u32>,
    set: Dataset,
}

impl Items {
    fn new(left_out: LeftOut, fingerprint: blake3::Hash) -> Self {
        let set = Dataset {
            ids: Ids::default(),
            offsets: vec![0],
            firsts: Vec::new(),
            items: vec![0],
            labels: Vec::new(),
            examples: Vec::new(),
            lines: Vec::new(),
            groups: Vec::new(),
            words: Default::default(),
            windows: Default::default(),
            left_out,
            truncated: 0,
            fingerprint,
        };
        Self { ids: Vec::new(), set }
    }

    fn finish(self) -> Dataset {
        Dataset { ids: self.ids.into(), ..self.set }
    }

    fn sequence(&mut self, Encoded { ids, first, .. }: &Encoded) {
        self.ids.extend(ids);
        self.set.offsets.push(self.ids.len());
        // A sequence is far below 2^32 tokens: positions are a table in memory.
        self.set.firsts.push(*first as u32);
    }

    /// Ends an item: the sequences since the last one.
    fn item(&mut self, example: usize, row: &Example, label: Label) {
        let set = &mut self.set;
        set.items.push(set.firsts.len());
        set.labels.push(label);
        // a file has lines below 2^32, so that it has no more examples
        set.examples.push(example as u32);
        set.lines.push(row.line);
        set.groups.push(row.group.unwrap_or(ALONE));
    }

    /// Texts, pairs and choices: a sequence each.
    fn add_texts(&mut self, rows: &[Example], tokenizer: &Tokenizer) -> Result<(), TokenizerError> {
        let texts = rows.par_iter().flat_map_iter(|row| {
            pairs(&row.input).into_iter().flat_map(|(a, b)| std::iter::once(a).chain(b))
        });
        let words = tokenizer.words(texts)?;
        let encoded: Vec<Vec<Encoded>> = rows
            .par_iter()
            .map(|row| {
                let pairs = pairs(&row.input).into_iter();
                pairs.map(|(a, b)| tokenizer.encode_from(&words, a, b)).collect()
            })
            .collect();
        for (example, (row, sequences)) in rows.iter().zip(encoded).enumerate() {
            sequences.iter().for_each(|one| self.sequence(one));
            self.set.truncated += usize::from(sequences.iter().any(|one| one.cut > 0));
            let label = match row.target {
                Target::Class(class) => Label::Class(class),
                Target::Value(value) => Label::Value(value),
                Target::Tags(_) | Target::Answers(_) | Target::None => Label::None,
            };
            self.item(example, row, label);
        }
        Ok(())
    }

    /// Sentences whose words are tagged; what does not fit is cut off the end.
    fn add_words(&mut self, rows: &[Example], tokenizer: &Tokenizer) -> Result<(), TokenizerError> {
        let room = tokenizer.room(false);
        let encode = |row: &Example| {
            let Input::Words(words) = &row.input else { unreachable!("{:?} has no words", row.input) };
            let pieces = tokenizer.place_words(words)?;
            let mut ids: Vec<u32> = pieces.iter().flatten().copied().collect();
            let mut marks = Vec::with_capacity(words.len());
            let mut first = 0;
            for own in &pieces {
                if first < room {
                    marks.push(first as u32 + 1); // after [CLS]
                }
                first += own.len();
            }
            let cut = ids.len().saturating_sub(room);
            ids.truncate(room);
            Ok((Encoded { cut, ..tokenizer.sequence_of(&ids, None) }, marks))
        };
        let encoded = rows.par_iter().map(encode).collect::<Result<Vec<_>, TokenizerError>>()?;
        for (example, (row, (sequence, marks))) in rows.iter().zip(encoded).enumerate() {
            self.sequence(&sequence);
            self.set.truncated += usize::from(sequence.cut > 0);
            self.set.words.marks.push(marks);
            let (label, tags) = match &row.target {
                Target::Tags(tags) => (Label::Tags, tags.as_slice()),
                _ => (Label::None, [].as_slice()),
            };
            self.set.words.tags.push(tags.iter().copied());
            self.item(example, row, label);
        }
        Ok(())
    }

    /// Questions with contexts, as many windows of these as they need.
    fn add_windows(
        &mut self,
        rows: &[Example],
        tokenizer: &Tokenizer,
        stride: usize,
    ) -> Result<(), TokenizerError> {
        // several questions share a context
        let mut passages: HashMap<&str, u32> = HashMap::new();
        let mut contexts: Vec<&str> = Vec::new();
        for row in rows {
            let passage = *passages.entry(question(row).1).or_insert_with_key(|context| {
                contexts.push(context);
                contexts.len() as u32 - 1
            });
            self.set.windows.passages.push(passage);
        }
        let place = |text: &&str| tokenizer.place(text);
        let tokens = contexts.par_iter().map(place).collect::<Result<Vec<Vec<Placed>>, _>>()?;
        let questions = rows.par_iter().map(|row| tokenizer.place(question(row).0));
        let questions = questions.collect::<Result<Vec<_>, _>>()?;

        for (context, tokens) in contexts.iter().zip(&tokens) {
            self.set.windows.contexts.push(context);
            self.set.windows.places.push(tokens.iter().flat_map(|token| [token.start, token.end]));
        }
        self.set.windows.accepted.push(0);
        for (example, (row, question)) in rows.iter().zip(questions).enumerate() {
            let tokens = &tokens[self.set.windows.passages[example] as usize];
            let answers = match &row.target {
                Target::Answers(answers) => answers.as_slice(),
                _ => &[],
            };
            answers.iter().for_each(|answer| self.set.windows.answers.push(&answer.text));
            self.set.windows.accepted.push(self.set.windows.answers.len());
            let question = Question::new(&question, tokens, answers.first());
            let cut = windows(&question, tokenizer, stride, |window| {
                self.sequence(&window.sequence);
                self.set.windows.begins.push(window.begin as u32);
                self.set.windows.froms.push(window.from as u32);
                let label = match (answers.is_empty(), window.answer) {
                    (true, _) => Label::None,
                    (false, answer) => {
                        let (start, end) = answer.unwrap_or_default();
                        Label::Span { start: start as u32, end: end as u32 }
                    }
                };
                self.item(example, row, label);
            });
            self.set.truncated += usize::from(cut);
        }
        Ok(())
    }
}

/// The texts of each sequence.
fn pairs(input: &Input) -> Vec<(&str, Option<&str>)> {
    match input {
        Input::Text { a, b } => vec![(a, b.as_deref())],
        Input::Choices(choices) => choices.iter().map(|(a, b)| (a.as_str(), Some(b.as_str()))).collect(),
        Input::Words(_) | Input::Context { .. } => unreachable!("{input:?} is no text"),
    }
}

fn question(row: &Example) -> (&str, &str) {
    match &row.input {
        Input::Context { question, context } => (question, context),
        other => unreachable!("{other:?} has no context"),
    }
}

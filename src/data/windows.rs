//! A question and its context as sequences: windows over the context, where it does not fit into one.
//!
//! As in the code of BERT for SQuAD (Devlin et al., 2019): each window holds the whole question and is `stride` tokens
//! after the one before, and the last one reaches the context's end. A question is cut to half of the sequence.

use super::example::Answer;
use super::tokenizer::{Encoded, Placed, Tokenizer};

/// What is asked, as tokens.
#[derive(Debug)]
pub struct Question<'a> {
    question: Vec<u32>,
    context: &'a [Placed],
    /// First and last token of the answer, in the whole context.
    answer: Option<(usize, usize)>,
}

/// One window.
#[derive(Debug)]
pub struct Window {
    pub sequence: Encoded,
    /// Place of the first context token in the sequence, and which token of the whole context it is.
    pub begin: usize,
    pub from: usize,
    /// First and last token of the answer among the marks of the window: 0 is `[CLS]`, 1 the first context token.
    /// `None` where the window does not hold all of it.
    pub answer: Option<(usize, usize)>,
}

impl<'a> Question<'a> {
    pub fn new(question: &[Placed], context: &'a [Placed], answer: Option<&Answer>) -> Self {
        let answer = answer.and_then(|answer| tokens_of(context, answer));
        Self { question: ids(question), context, answer }
    }
}

/// Gives the windows of a question to `each`, in their order. Whether the question was cut.
pub fn windows(
    question: &Question<'_>,
    tokenizer: &Tokenizer,
    stride: usize,
    mut each: impl FnMut(Window),
) -> bool {
    let Question { question, context, answer } = question;
    let all = tokenizer.room(true);
    // a context of a token at least: the tokenizer's least sequence leaves one beside the specials
    let kept = question.len().min(all / 2);
    let room = all - kept;
    let step = stride.clamp(1, room); // no token between two windows is left out
    let mut from = 0;
    loop {
        let end = context.len().min(from + room);
        let sequence = tokenizer.sequence_of(&question[..kept], Some(&ids(&context[from..end])));
        let begin = sequence.ids.len() - 1 - (end - from); // a [SEP] follows
        let inside = |(start, last): &(usize, usize)| from <= *start && *last < end;
        let answer = answer.filter(inside).map(|(start, last)| (start - from + 1, last - from + 1));
        each(Window { sequence, begin, from, answer });
        if end == context.len() {
            return kept < question.len();
        }
        from += step;
    }
}

/// First and last token that an answer touches; `None` where there is none, as of an answer of spaces.
fn tokens_of(context: &[Placed], answer: &Answer) -> Option<(usize, usize)> {
    let (start, end) = (answer.start, answer.start + answer.text.len() as u32);
    let first = context.iter().position(|token| token.end > start)?;
    let last = context.iter().rposition(|token| token.start < end)?;
    (first <= last).then_some((first, last))
}

fn ids(tokens: &[Placed]) -> Vec<u32> {
    tokens.iter().map(|token| token.id).collect()
}

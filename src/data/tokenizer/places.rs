//! Tokens with their places in the text, for tasks that predict something of a token.

use super::{Encoded, Tokenizer, TokenizerError};

/// A token and the bytes of the text that it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    pub id: u32,
    pub start: u32,
    pub end: u32,
}

/// What a vocabulary may call the token of what it lacks.
const UNKNOWN: [&str; 2] = ["[UNK]", "<unk>"];

impl Tokenizer {
    /// The tokens of a text, without specials. A byte-level token may begin with the space before its word, which its
    /// place leaves out.
    ///
    /// # Errors
    /// [`TokenizerError::Text`] if the tokenizer's own rules fail.
    pub fn place(&self, text: &str) -> Result<Vec<Placed>, TokenizerError> {
        let encoding = self
            .inner
            .encode(text, false)
            .map_err(|cause| TokenizerError::Text { cause: cause.to_string() })?;
        let place = |(&id, &(start, end)): (&u32, &(usize, usize))| {
            let own = text.get(start..end).unwrap_or_default();
            let spaces = own.len() - own.trim_start().len();
            // a text of 4 GiB is no example
            Placed { id, start: (start + spaces).min(end) as u32, end: end as u32 }
        };
        Ok(encoding.get_ids().iter().zip(encoding.get_offsets()).map(place).collect())
    }

    /// The tokens of each word of a sentence, at least one a word: what the rules make nothing of, such as a lone
    /// control character, is unknown.
    ///
    /// # Errors
    /// [`TokenizerError::Text`] if the tokenizer's own rules fail.
    pub fn place_words(&self, words: &[String]) -> Result<Vec<Vec<u32>>, TokenizerError> {
        let mut ids = vec![Vec::new(); words.len()];
        let mut word = 0;
        let mut end = words.first().map_or(0, String::len);
        for token in self.place(&words.join(" "))? {
            while token.start as usize >= end && word + 1 < words.len() {
                word += 1;
                end += 1 + words[word].len(); // a space between
            }
            ids[word].push(token.id);
        }
        for own in ids.iter_mut().filter(|own| own.is_empty()) {
            own.push(self.unknown());
        }
        Ok(ids)
    }

    /// Tokens that are left for a text beside the specials, or for a pair.
    pub fn room(&self, pair: bool) -> usize {
        self.sequence - self.lay_out(&[], pair.then_some(&[])).ids.len()
    }

    /// The sequence of tokens that fit it.
    pub fn sequence_of(&self, a: &[u32], b: Option<&[u32]>) -> Encoded {
        self.lay_out(a, b)
    }

    fn unknown(&self) -> u32 {
        // a tokenizer without either is refused when it is opened
        UNKNOWN.iter().find_map(|token| self.inner.token_to_id(token)).unwrap_or_default()
    }
}

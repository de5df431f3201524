//! Many texts at once: each different word is tokenized a single time, and a text is put together from its words.
//!
//! Words are what spaces separate. BERT's rules look at nothing beyond them: its normalization goes letter by letter,
//! or to the accents after a letter, and WordPiece to the word. A `tokenizer.json` may hold other rules; then a whole
//! text is one word.

use std::collections::{HashMap, HashSet};

use rayon::prelude::*;
use tokenizers::models::ModelWrapper;
use tokenizers::normalizers::NormalizerWrapper;
use tokenizers::pre_tokenizers::PreTokenizerWrapper;

use super::{Encoded, Tokenizer, TokenizerError};

/// The tokens of every word of some texts.
#[derive(Clone, Debug)]
pub struct Words<'a> {
    ids: HashMap<&'a str, Box<[u32]>>,
}

impl Tokenizer {
    /// Tokenizes the words of all texts, on all cores.
    ///
    /// # Errors
    /// [`TokenizerError::Text`] if the tokenizer's own rules fail.
    pub fn words<'a>(
        &self,
        texts: impl ParallelIterator<Item = &'a str>,
    ) -> Result<Words<'a>, TokenizerError> {
        let words = texts
            .fold(HashSet::new, |mut words, text| {
                words.extend(self.split(text));
                words
            })
            .reduce(HashSet::new, |a, b| {
                let (mut more, fewer) = if a.len() < b.len() { (b, a) } else { (a, b) };
                more.extend(fewer);
                more
            });
        let tokenize = |word| Ok((word, Box::from(self.pieces(word)?.get_ids())));
        Ok(Words { ids: words.into_par_iter().map(tokenize).collect::<Result<_, _>>()? })
    }

    /// [`Tokenizer::encode`] of texts whose words are in `words`.
    ///
    /// # Panics
    /// If a word is not.
    pub fn encode_from(&self, words: &Words<'_>, text_a: &str, text_b: Option<&str>) -> Encoded {
        let ids =
            |text| -> Vec<u32> { self.split(text).flat_map(|word| &words.ids[word]).copied().collect() };
        self.lay_out(&ids(text_a), text_b.map(ids).as_deref())
    }

    fn split<'a>(&self, text: &'a str) -> impl Iterator<Item = &'a str> + use<'a> {
        let (words, whole) = if self.by_words { (Some(text.split(' ')), None) } else { (None, Some(text)) };
        words.into_iter().flatten().chain(whole)
    }
}

/// Whether a tokenizer treats every word by itself.
pub fn are_apart(tokenizer: &tokenizers::Tokenizer) -> bool {
    matches!(tokenizer.get_normalizer(), Some(NormalizerWrapper::BertNormalizer(_)))
        && matches!(tokenizer.get_pre_tokenizer(), Some(PreTokenizerWrapper::BertPreTokenizer(_)))
        && matches!(tokenizer.get_model(), ModelWrapper::WordPiece(_))
        && tokenizer.get_added_tokens_decoder().values().all(|token| {
            let looks_beyond = token.single_word || token.lstrip || token.rstrip || token.normalized;
            !looks_beyond && !token.content.contains(' ')
        })
}

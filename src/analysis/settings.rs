//! The entries of one block by their keys: unknown, repeated and missing ones are mistakes, found here for
//! all blocks.

use miette::Diagnostic;
use thiserror::Error;

use super::values;
use crate::{
    diagnostics::{Diagnostics, alternatives, did_you_mean, nearest},
    span::{Span, Spanned},
    syntax::ast::{Body, Entry, Text},
};

/// Entries with legal keys; of a repeated key, the first.
pub struct Settings<'a> {
    entries: Vec<&'a Entry>,
    /// Keys that were probably meant by unknown ones. They are not missed: one mistake is one report.
    misspelt: Vec<&'static str>,
}

impl<'a> Settings<'a> {
    /// `owner` is the block in words, for the messages: "`backbone`", "task `cola`".
    pub fn read(
        owner: &str,
        entries: impl IntoIterator<Item = &'a Entry>,
        legal: &[&'static str],
        sink: &mut Diagnostics,
    ) -> Self {
        let mut kept: Vec<&Entry> = Vec::new();
        let mut misspelt = Vec::new();
        for entry in entries {
            let key = entry.key.text.as_str();
            if !legal.contains(&key) {
                misspelt.extend(nearest(key, legal));
                let help = unknown_key_help(key, legal);
                sink.push(UnknownKey { key: key.into(), owner: owner.into(), span: entry.key.span, help });
            } else if let Some(first) = kept.iter().find(|kept| kept.key.text == key) {
                sink.push(RepeatedKey { key: key.into(), first: first.key.span, again: entry.key.span });
            } else {
                kept.push(entry);
            }
        }
        Self { entries: kept, misspelt }
    }

    /// Of a block that may be absent.
    pub fn of_options(
        owner: &str,
        body: Option<&'a Body>,
        legal: &[&'static str],
        sink: &mut Diagnostics,
    ) -> Self {
        Self::read(owner, body.into_iter().flat_map(|body| &body.entries), legal, sink)
    }

    pub fn get(&self, key: &str) -> Option<&'a Entry> {
        self.entries.iter().copied().find(|entry| entry.key.text == key)
    }

    /// Is neither the key set nor one that is nearly it?
    pub fn lacks(&self, key: &str) -> bool {
        self.get(key).is_none() && !self.misspelt.contains(&key)
    }

    /// Reports all absent keys of `keys` together.
    pub fn require(&self, owner: &str, at: Span, keys: &[&str], sink: &mut Diagnostics) {
        let missing: Vec<&str> = keys.iter().copied().filter(|key| self.lacks(key)).collect();
        if !missing.is_empty() {
            sink.push(MissingKeys { owner: owner.into(), missing: alternatives(&missing, "and"), at });
        }
    }

    /// A whole number in `1..=limit`.
    pub fn size(&self, key: &str, limit: usize, sink: &mut Diagnostics) -> Option<Spanned<usize>> {
        values::size(self.plain(key, sink)?, limit, sink)
    }

    pub fn whole(&self, key: &str, sink: &mut Diagnostics) -> Option<Spanned<u64>> {
        values::whole(self.plain(key, sink)?, sink)
    }

    pub fn decimal(&self, key: &str, sink: &mut Diagnostics) -> Option<Spanned<f64>> {
        values::decimal(self.plain(key, sink)?, sink)
    }

    pub fn text(&self, key: &str, sink: &mut Diagnostics) -> Option<&'a Text> {
        values::text(self.plain(key, sink)?, sink)
    }

    /// An entry that has no block of its own.
    pub fn plain(&self, key: &str, sink: &mut Diagnostics) -> Option<&'a Entry> {
        let entry = self.get(key)?;
        values::without_block(entry, sink);
        Some(entry)
    }
}

/// Where a key lives that is not at home in `train` itself.
const ELSEWHERE: [(&str, &str); 9] = [
    ("lr", "optimizer adamw { lr 2e-5 }"),
    ("weight_decay", "optimizer adamw { weight_decay 0.01 }"),
    ("beta1", "optimizer adamw { beta1 0.9 }"),
    ("beta2", "optimizer adamw { beta2 0.999 }"),
    ("epsilon", "optimizer adamw { epsilon 1e-8 }"),
    ("warmup", "schedule linear { warmup 10% }"),
    ("candidates", "sampler mt_uncertainty { candidates 32 }"),
    ("rescore", "sampler mt_uncertainty { rescore every 4 }"),
    ("cap", "sampler temperature 5 { cap 65536 }"),
];

fn unknown_key_help(key: &str, legal: &[&str]) -> String {
    if legal.contains(&"optimizer")
        && let Some((_, right)) = ELSEWHERE.iter().find(|(known, _)| *known == key)
    {
        return format!("it stands in braces: `{right}`");
    }
    if legal.is_empty() { "nothing can be set here".to_owned() } else { did_you_mean(key, legal) }
}

#[derive(Debug, Error, Diagnostic)]
#[error("{owner} has no key `{key}`")]
#[diagnostic(code(cam::key::unknown), help("{help}"))]
struct UnknownKey {
    key: String,
    owner: String,
    help: String,
    #[label("unknown key")]
    span: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("`{key}` is set twice")]
#[diagnostic(code(cam::key::repeated), help("one of the two has to go"))]
struct RepeatedKey {
    key: String,
    #[label("first here")]
    first: Span,
    #[label(primary, "and again here")]
    again: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("{owner} lacks {missing}")]
#[diagnostic(code(cam::key::missing), help("these keys have no default"))]
struct MissingKeys {
    owner: String,
    missing: String,
    #[label("{missing} not set")]
    at: Span,
}

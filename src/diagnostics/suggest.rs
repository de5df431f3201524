//! "did you mean": the legal word nearest to a wrong one, and lists of words as a sentence shows them.

/// The help for a wrong word: the nearest legal one, or all of them where none is near.
pub fn did_you_mean(word: &str, legal: &[&str]) -> String {
    match nearest(word, legal) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("legal here: {}", alternatives(legal, "and")),
    }
}

/// The legal word within a third of its letters of `word`, the nearest first, case ignored.
pub fn nearest<'a>(word: &str, legal: &[&'a str]) -> Option<&'a str> {
    let word = word.to_lowercase();
    legal
        .iter()
        .map(|&candidate| (strsim::damerau_levenshtein(&word, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.len().div_ceil(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// "`a`, `b` or `c`", joined by `last`.
pub fn alternatives<S: AsRef<str>>(words: &[S], last: &str) -> String {
    enumerate(&words.iter().map(|word| format!("`{}`", word.as_ref())).collect::<Vec<_>>(), last)
}

/// "a, b or c": like [`alternatives`] for what needs no quotes.
pub fn enumerate(words: &[String], last: &str) -> String {
    match words {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., end] => format!("{} {last} {end}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_suggested_and_far_ones_are_not() {
        assert_eq!(did_you_mean("hiden", &["layers", "hidden"]), "did you mean `hidden`?");
        assert_eq!(did_you_mean("cola", &["CoLA", "RTE"]), "did you mean `CoLA`?");
        assert_eq!(did_you_mean("zebra", &["layers", "hidden"]), "legal here: `layers` and `hidden`");
    }
}

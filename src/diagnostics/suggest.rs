//! "did you mean": the legal word nearest to a wrong one, and lists of words as a sentence shows them.

/// The help for a wrong word: the nearest legal one, or all of them where none is near.
pub fn did_you_mean(word: &str, legal: &[&str]) -> String {
    match nearest(word, legal) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("legal here: {}", alternatives(legal, "and")),
    }
}

/// Letters of the longest word that is compared: a distance takes time with the square of it.
const LONGEST: usize = 64;

/// The legal word within a third of its letters of `word`, the nearest first, case ignored.
pub fn nearest<'a>(word: &str, legal: &[&'a str]) -> Option<&'a str> {
    let letters = word.chars().take(LONGEST + 1).count();
    if letters > LONGEST {
        return None;
    }
    let word = word.to_lowercase();
    let reach = |candidate: &str| candidate.len().div_ceil(3);
    legal
        .iter()
        // A distance is no less than the difference in length, which costs little.
        .filter(|candidate| candidate.chars().count().abs_diff(letters) <= reach(candidate))
        .map(|&candidate| (strsim::damerau_levenshtein(&word, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= reach(candidate))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// "`a`, `b` or `c`", joined by `last`.
pub fn alternatives<S: AsRef<str>>(words: &[S], last: &str) -> String {
    let quoted = words.iter().take(LISTED + 1).map(|word| format!("`{}`", word.as_ref()));
    list(&quoted.collect::<Vec<_>>(), words.len(), last)
}

/// "a, b or c": like [`alternatives`] for what needs no quotes.
pub fn enumerate(words: &[String], last: &str) -> String {
    list(words, words.len(), last)
}

/// Words of the longest list: nobody reads more, and a model may have a thousand tasks to list.
const LISTED: usize = 20;

/// The first of `count` words, and how many more there are.
fn list(words: &[String], count: usize, last: &str) -> String {
    match words {
        [] => String::new(),
        [only] => only.clone(),
        _ if count > LISTED => format!("{} {last} {} more", words[..LISTED].join(", "), count - LISTED),
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
    #[test]
    fn long_words_and_long_lists_are_cut_short() {
        let long = "x".repeat(1_000_000);
        assert_eq!(nearest(&long, &[&long, "x"]), None);
        let names: Vec<String> = (0..1_000).map(|i| format!("t{i}")).collect();
        assert!(alternatives(&names, "or").ends_with("`t18`, `t19` or 980 more"));
        assert!(alternatives(&names[..20], "or").ends_with("`t18` or `t19`"));
    }
}

//! Exact match and F1 of answers, as the evaluation of SQuAD v1.1 defines them (Rajpurkar et al., 2016).
//!
//! Both compare normalized texts: lower case, without ASCII punctuation and the words a, an and the, white space made
//! single. F1 is of the words that both have, counted as often as they occur. Of several accepted answers the best one
//! counts, for each figure by itself.

use std::collections::HashMap;

/// Means over questions `(accepted, predicted)`, each 0 to 1; 0 of no questions. A question that nothing is predicted
/// for has the empty prediction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AnswerScores {
    pub exact_match: f64,
    pub f1: f64,
}

pub fn answer_scores<A: AsRef<str>, P: AsRef<str>>(questions: &[(Vec<A>, P)]) -> AnswerScores {
    let (mut exact, mut f1) = (0.0, 0.0);
    for (accepted, predicted) in questions {
        let predicted = normalized(predicted.as_ref());
        let accepted: Vec<String> = accepted.iter().map(|answer| normalized(answer.as_ref())).collect();
        exact += f64::from(u8::from(accepted.contains(&predicted)));
        f1 += accepted.iter().map(|answer| word_f1(answer, &predicted)).fold(0.0, f64::max);
    }
    let count = questions.len().max(1) as f64;
    AnswerScores { exact_match: exact / count, f1: f1 / count }
}

/// What of a text is compared.
pub fn normalized(text: &str) -> String {
    let letters: String =
        text.to_lowercase().chars().filter(|letter| !letter.is_ascii_punctuation()).collect();
    let kept: String = letters.split(is_space).map(|word| without_articles(word) + " ").collect();
    kept.split(is_space).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// White space as Python's `str.split` sees it, which includes the four separators of ASCII.
fn is_space(letter: char) -> bool {
    letter.is_whitespace() || ('\x1c'..='\x1f').contains(&letter)
}

/// A word between white space with a space for each article in it: signs that are no letters bound a word as well, as
/// in "the€5".
fn without_articles(word: &str) -> String {
    let mut rest = String::with_capacity(word.len());
    let mut run = String::new();
    for letter in word.chars().map(Some).chain([None]) {
        match letter {
            Some(letter) if letter.is_alphanumeric() => run.push(letter),
            other => {
                rest.push_str(if matches!(run.as_str(), "a" | "an" | "the") { " " } else { &run });
                run.clear();
                rest.extend(other);
            }
        }
    }
    rest
}

/// 2 shared / (words of both), of normalized texts; 0 where they share none.
fn word_f1(answer: &str, predicted: &str) -> f64 {
    let words = |text: &str| text.split(' ').filter(|word| !word.is_empty()).count();
    let mut left: HashMap<&str, usize> = HashMap::new();
    for word in answer.split(' ').filter(|word| !word.is_empty()) {
        *left.entry(word).or_default() += 1;
    }
    let mut shared = 0;
    for word in predicted.split(' ') {
        if let Some(count) = left.get_mut(word).filter(|count| **count > 0) {
            *count -= 1;
            shared += 1;
        }
    }
    if shared == 0 { 0.0 } else { 2.0 * f64::from(shared) / (words(answer) + words(predicted)) as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn articles_case_and_punctuation_do_not_count() {
        assert_eq!(normalized("The  Cat, (an \u{a0}animal)"), "cat animal");
        assert_eq!(normalized("a-an the"), "aan");
        assert_eq!(normalized("the\u{20ac}5"), "\u{20ac}5");
        assert_eq!(normalized("  "), "");
    }

    #[test]
    fn the_best_of_several_answers_counts() {
        let scores = answer_scores(&[(vec!["blue sky", "the sky"], "Sky."), (vec!["x", "y z"], "y")]);
        assert_eq!(scores, AnswerScores { exact_match: 0.5, f1: (1.0 + 2.0 / 3.0) / 2.0 });
        assert_eq!(answer_scores::<&str, &str>(&[]), AnswerScores { exact_match: 0.0, f1: 0.0 });
    }

    #[test]
    fn scores_agree_with_the_official_script() {
        let golden: serde_json::Value =
            serde_json::from_str(include_str!("../../../tests/golden/kinds.json")).unwrap();
        let texts = golden["normalized"].as_array().unwrap();
        assert!(texts.len() > 20);
        for pair in texts {
            let (text, expected) = (pair[0].as_str().unwrap(), pair[1].as_str().unwrap());
            assert_eq!(normalized(text), expected, "of {text:?}");
        }
        let cases = golden["squad"].as_array().unwrap();
        assert!(cases.len() > 4);
        for case in cases {
            let questions: Vec<(Vec<String>, String)> =
                serde_json::from_value(case["questions"].clone()).unwrap();
            let AnswerScores { exact_match, f1 } = answer_scores(&questions);
            for (name, value) in [("exact_match", exact_match), ("f1", f1)] {
                let expected = case[name].as_f64().unwrap();
                assert!((value - expected).abs() < 1e-9, "{name} of {}: {value}, {expected}", case["name"]);
            }
        }
    }
}

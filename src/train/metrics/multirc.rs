//! F1a and exact match of answers that are judged together, as MultiRC defines them (Khashabi et al., 2018).
//!
//! Every answer of a question is right (class 1) or wrong (class 0). F1a is of the right answers of all questions
//! together. A question matches exactly if every one of its answers is judged rightly.

use std::collections::BTreeMap;

/// Both 0 to 1; 0 of no answers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GroupScores {
    pub f1a: f64,
    pub exact_match: f64,
}

/// The scores of answers `(question, target, predicted)`, in any order.
pub fn group_scores(answers: &[(u32, u32, u32)]) -> GroupScores {
    if answers.is_empty() {
        return GroupScores { f1a: 0.0, exact_match: 0.0 };
    }
    let (mut targets, mut predictions, mut both) = (0, 0, 0);
    let mut questions: BTreeMap<u32, bool> = BTreeMap::new();
    for &(question, target, predicted) in answers {
        let (target, predicted) = (target == 1, predicted == 1);
        targets += u32::from(target);
        predictions += u32::from(predicted);
        both += u32::from(target && predicted);
        *questions.entry(question).or_insert(true) &= target == predicted;
    }
    // Of nothing, everything is found: precision without predictions and recall without right answers are 1.
    let share = |whole: u32| if whole == 0 { 1.0 } else { f64::from(both) / f64::from(whole) };
    let (precision, recall) = (share(predictions), share(targets));
    let sum = precision + recall;
    let matches = questions.values().filter(|matches| **matches).count();
    GroupScores {
        f1a: if sum == 0.0 { 0.0 } else { 2.0 * precision * recall / sum },
        exact_match: matches as f64 / questions.len() as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_answers_of_a_question_have_to_be_right() {
        let scores = group_scores(&[(7, 1, 1), (3, 1, 0), (7, 0, 0), (3, 0, 0)]);
        assert_eq!(scores, GroupScores { f1a: 2.0 / 3.0, exact_match: 0.5 });
        assert_eq!(group_scores(&[]), GroupScores { f1a: 0.0, exact_match: 0.0 });
    }

    #[test]
    fn scores_agree_with_the_official_script() {
        let golden: serde_json::Value =
            serde_json::from_str(include_str!("../../../tests/golden/kinds.json")).unwrap();
        let cases = golden["multirc"].as_array().unwrap();
        assert!(cases.len() > 5);
        for case in cases {
            let answers: Vec<(u32, u32, u32)> = serde_json::from_value(case["answers"].clone()).unwrap();
            let GroupScores { f1a, exact_match } = group_scores(&answers);
            for (name, value) in [("f1a", f1a), ("exact_match", exact_match)] {
                let expected = case[name].as_f64().unwrap();
                assert!((value - expected).abs() < 1e-9, "{name} of {}: {value}, {expected}", case["name"]);
            }
        }
    }
}

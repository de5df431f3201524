//! What a task is measured by, as scikit-learn and SciPy define it, in `f64`.
//!
//! | metric | figures | scikit-learn, SciPy |
//! |---|---|---|
//! | [`Metric::Accuracy`] | `accuracy` | `accuracy_score` |
//! | [`Metric::F1`] | `f1` | `f1_score`, the second label is positive |
//! | [`Metric::AccuracyF1`] | `accuracy`, `f1` | |
//! | [`Metric::MacroF1`] | `macro_f1` | `f1_score(average="macro")`: of the labels that are a target or predicted |
//! | [`Metric::AccuracyMacroF1`] | `accuracy`, `macro_f1` | |
//! | [`Metric::Matthews`] | `matthews` | `matthews_corrcoef`, of any number of classes |
//! | [`Metric::Pearson`] | `pearson` | `stats.pearsonr` |
//! | [`Metric::Spearman`] | `spearman` | `stats.spearmanr`, mean ranks on ties |
//! | [`Metric::PearsonSpearman`] | `pearson`, `spearman` | |
//! | [`Metric::EntityF1`] | `precision`, `recall`, `f1` | seqeval |
//! | [`Metric::ExactMatchF1`] | `exact_match`, `f1` | SQuAD's evaluation |
//! | [`Metric::F1aExactMatch`] | `f1a`, `exact_match` | MultiRC's evaluation |
//!
//! A figure that the data leaves undefined is 0.0, the value of guessing: F1 without positives, Matthews with one
//! class only, a correlation with a constant (NaN in SciPy), anything of no examples. A prediction that is NaN makes
//! a correlation NaN: a network that has diverged is not the same as one that guesses.

use serde::Serialize;

use super::plan::Metric;

mod classes;
mod entity;
mod multirc;
mod squad;
mod values;

pub use classes::{accuracy, f1, macro_f1, matthews};
pub use entity::{EntityScores, entity_scores};
pub use multirc::{GroupScores, group_scores};
pub use squad::{AnswerScores, answer_scores};
pub use values::{pearson, spearman};

/// Targets beside predictions, one pair an example: `(target, predicted)`.
#[derive(Clone, Copy, Debug)]
pub enum Outcomes<'a> {
    Classes(&'a [(u32, u32)]),
    Values(&'a [(f64, f64)]),
    /// The tags of each sentence's words, as indices of `labels`.
    Tags {
        labels: &'a [&'a str],
        sentences: &'a [(Vec<u32>, Vec<u32>)],
    },
    /// The accepted answers to each question, and the predicted one.
    Answers(&'a [(Vec<&'a str>, &'a str)]),
    /// Each answer's question, target and prediction.
    Groups(&'a [(u32, u32, u32)]),
}

/// The figures of a metric.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scores {
    /// Name and value, in the order that reports use.
    pub figures: Vec<(&'static str, f64)>,
    /// What models are compared by: the figure, or the mean of two; of `entity_f1` the F1.
    pub main: f64,
}

/// A metric of one kind was asked of outcomes of another, as of classes and values. The compiler refuses such a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
#[error("the metric {metric:?} does not fit the kind of the task")]
#[diagnostic(code(metric::kind))]
pub struct KindError {
    pub metric: Metric,
}

impl Metric {
    /// The figures of `outcomes`.
    ///
    /// # Errors
    /// [`KindError`] if the metric is not of that kind of outcome.
    pub fn score(self, outcomes: Outcomes<'_>) -> Result<Scores, KindError> {
        let figures = match (self, outcomes) {
            (Metric::Accuracy, Outcomes::Classes(pairs)) => vec![("accuracy", accuracy(pairs))],
            (Metric::F1, Outcomes::Classes(pairs)) => vec![("f1", f1(pairs))],
            (Metric::AccuracyF1, Outcomes::Classes(pairs)) => {
                vec![("accuracy", accuracy(pairs)), ("f1", f1(pairs))]
            }
            (Metric::MacroF1, Outcomes::Classes(pairs)) => vec![("macro_f1", macro_f1(pairs))],
            (Metric::AccuracyMacroF1, Outcomes::Classes(pairs)) => {
                vec![("accuracy", accuracy(pairs)), ("macro_f1", macro_f1(pairs))]
            }
            (Metric::Matthews, Outcomes::Classes(pairs)) => vec![("matthews", matthews(pairs))],
            (Metric::Pearson, Outcomes::Values(pairs)) => vec![("pearson", pearson(pairs))],
            (Metric::Spearman, Outcomes::Values(pairs)) => vec![("spearman", spearman(pairs))],
            (Metric::PearsonSpearman, Outcomes::Values(pairs)) => {
                vec![("pearson", pearson(pairs)), ("spearman", spearman(pairs))]
            }
            (Metric::EntityF1, Outcomes::Tags { labels, sentences }) => {
                let EntityScores { precision, recall, f1 } = entity_scores(labels, sentences);
                let figures = vec![("precision", precision), ("recall", recall), ("f1", f1)];
                return Ok(Scores { figures, main: f1 });
            }
            (Metric::ExactMatchF1, Outcomes::Answers(questions)) => {
                let AnswerScores { exact_match, f1 } = answer_scores(questions);
                vec![("exact_match", exact_match), ("f1", f1)]
            }
            (Metric::F1aExactMatch, Outcomes::Groups(answers)) => {
                let GroupScores { f1a, exact_match } = group_scores(answers);
                vec![("f1a", f1a), ("exact_match", exact_match)]
            }
            _ => return Err(KindError { metric: self }),
        };
        let main = figures.iter().map(|(_, value)| value).sum::<f64>() / figures.len() as f64;
        Ok(Scores { figures, main })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_of_two_figures_decides() {
        let pairs = [(1, 1), (1, 0), (0, 0), (0, 0)];
        let scores = Metric::AccuracyF1.score(Outcomes::Classes(&pairs)).unwrap();
        assert_eq!(scores.figures, [("accuracy", 0.75), ("f1", 2.0 / 3.0)]);
        assert!((scores.main - (0.75 + 2.0 / 3.0) / 2.0).abs() < 1e-15);
    }

    #[test]
    fn figures_agree_with_scikit_learn_and_scipy() {
        let golden: serde_json::Value =
            serde_json::from_str(include_str!("../../../tests/golden/metrics.json")).unwrap();
        let list = |case: &serde_json::Value, key: &str| -> Vec<f64> {
            case[key].as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
        };
        let check = |case: &serde_json::Value, figures: &[(&str, f64)]| {
            for (name, value) in figures {
                let expected = case[name].as_f64().unwrap();
                assert!((value - expected).abs() < 1e-9, "{name} of {}: {value}, {expected}", case["name"]);
            }
        };
        for case in golden["classes"].as_array().unwrap() {
            let class = |key| list(case, key).into_iter().map(|class| class as u32);
            let pairs: Vec<(u32, u32)> = class("target").zip(class("predicted")).collect();
            let figures = [
                ("accuracy", accuracy(&pairs)),
                ("f1", f1(&pairs)),
                ("macro_f1", macro_f1(&pairs)),
                ("matthews", matthews(&pairs)),
            ];
            check(case, &figures);
        }
        for case in golden["values"].as_array().unwrap() {
            let pairs: Vec<(f64, f64)> =
                list(case, "target").into_iter().zip(list(case, "predicted")).collect();
            check(case, &[("pearson", pearson(&pairs)), ("spearman", spearman(&pairs))]);
        }
    }

    #[test]
    fn a_metric_of_the_other_kind_is_refused() {
        assert!(Metric::Pearson.score(Outcomes::Classes(&[])).is_err());
        assert!(Metric::Matthews.score(Outcomes::Values(&[])).is_err());
    }

    #[test]
    fn undefined_figures_are_zero_and_nan_stays() {
        assert_eq!([accuracy(&[]), f1(&[]), macro_f1(&[]), matthews(&[])], [0.0; 4]);
        assert_eq!((pearson(&[]), spearman(&[])), (0.0, 0.0));
        assert_eq!(pearson(&[(1.0, 0.1), (2.0, 0.1), (3.0, 0.1)]), 0.0);
        assert!(pearson(&[(1.0, 0.1), (2.0, f64::NAN)]).is_nan());
        assert!(spearman(&[(1.0, 0.1), (2.0, f64::NAN)]).is_nan());
    }
}

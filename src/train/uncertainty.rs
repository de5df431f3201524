//! MT-Uncertainty (CA-MTL, section 2.5): which candidates a step trains on.
//!
//! For a candidate x of task i with C_i classes, U(x) = H(x) / (Hhat H'_i): H the entropy of the predictive
//! distribution, H'_i = log C_i that of the uniform one, Hhat the largest mean entropy of a task's candidates.
//! H' makes tasks of different C comparable; Hhat bounds the scores where all tasks are certain. [`reference`] has the
//! score of the authors' code.

pub mod reference;

use super::decode;
use super::plan::Kind;

/// The candidates of one task.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidates {
    /// H of each: see [`of_item`].
    pub entropies: Vec<f64>,
    /// H': see [`scale`]. For a task that borrows another's head, that of the other.
    pub uniform: f64,
}

/// A candidate: its task's index, and its own among the task's candidates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pick {
    pub task: usize,
    pub candidate: usize,
}

/// The entropy of softmax(logits) in nats, in [0, log C]. NaN if a logit is.
pub fn entropy(logits: &[f32]) -> f64 {
    // With shifted logits s = l - max and Z = sum e^s: H = log Z - sum s e^s / Z. Nothing overflows, and e^s = 0
    // contributes 0 as p log p does.
    let max = f64::from(logits.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    let (mut z, mut weighted) = (0.0, 0.0);
    for &logit in logits {
        let shifted = f64::from(logit) - max;
        let weight = shifted.exp();
        z += weight;
        if weight > 0.0 || weight.is_nan() {
            weighted += shifted * weight;
        }
    }
    if logits.is_empty() {
        return 0.0;
    }
    // Rounding may leave the range by an ulp; `clamp` keeps NaN, `max` would hide it.
    (z.ln() - weighted / z).clamp(0.0, uniform(logits.len()))
}

/// H' = log C, the entropy of the uniform distribution over `classes`, in nats.
pub fn uniform(classes: usize) -> f64 {
    (classes.max(1) as f64).ln()
}

/// H / H', in [0, 1]: 0 is certain, 1 is guessing. One class leaves nothing to be uncertain about: 0.
pub fn normalized(logits: &[f32]) -> f64 {
    over(entropy(logits), uniform(logits.len()))
}

/// H of an item from its head's logits, on the scale of [`scale`]. A regression has no distribution: 0.
///
/// Of a tagged sentence it is the mean over its words. Over how many texts or tokens the distribution of a choice or an
/// answer goes differs from item to item, so that these come over their own H' already; an answer has the mean of start
/// and end, over `[CLS]` and the tokens of its window's context.
pub fn of_item(kind: Kind, logits: &[f32]) -> f64 {
    match kind {
        Kind::Classify { .. } => entropy(logits),
        Kind::Regress { .. } => 0.0,
        Kind::Tag { labels } => mean(logits.chunks_exact(labels.len()).map(entropy)),
        Kind::Span { .. } => mean(decode::ends(logits).iter().map(|scores| normalized(scores))),
        Kind::Choose { .. } => normalized(logits),
    }
}

/// H' of a task: what [`of_item`] is at most.
pub fn scale(kind: Kind) -> f64 {
    match kind {
        Kind::Classify { labels } | Kind::Tag { labels } => uniform(labels.len()),
        Kind::Regress { .. } => 0.0,
        Kind::Span { .. } | Kind::Choose { .. } => 1.0,
    }
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len().max(1);
    values.sum::<f64>() / count as f64
}

/// U of every candidate, in the tasks' order. A task without candidates has no part in Hhat; where every candidate is
/// certain, every score is 0.
pub fn scores(tasks: &[Candidates]) -> Vec<Vec<f64>> {
    let largest_mean = tasks
        .iter()
        .filter(|task| !task.entropies.is_empty())
        .map(|task| task.entropies.iter().sum::<f64>() / task.entropies.len() as f64)
        .fold(0.0, f64::max);
    tasks
        .iter()
        .map(|task| {
            task.entropies.iter().map(|entropy| over(*entropy, largest_mean * task.uniform)).collect()
        })
        .collect()
}

/// The `batch` candidates of highest score, best first; of equal ones the lower task, then the lower candidate, so
/// that a run is repeatable. All of them where there are no more.
pub fn select(scores: &[Vec<f64>], batch: usize) -> Vec<Pick> {
    let mut picks: Vec<(f64, Pick)> = scores
        .iter()
        .enumerate()
        .flat_map(|(task, scores)| {
            scores.iter().enumerate().map(move |(candidate, score)| (*score, Pick { task, candidate }))
        })
        .collect();
    picks.sort_by(|(a, first), (b, second)| b.total_cmp(a).then(first.cmp(second)));
    picks.into_iter().take(batch).map(|(_, pick)| pick).collect()
}

fn over(part: f64, whole: f64) -> f64 {
    if whole == 0.0 { 0.0 } else { part / whole }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LN2: f64 = std::f64::consts::LN_2;

    fn close(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-12, "{a} is not {b}");
    }

    #[test]
    fn entropy_by_hand() {
        close(entropy(&[0.0, 0.0]), LN2);
        close(entropy(&[7.5, 7.5, 7.5]), 3f64.ln());
        // Odds of 3 to 1: log 4 - 3/4 log 3. The logit is a float: ln 3 to 8e-9.
        assert!((entropy(&[3f32.ln(), 0.0]) - (4f64.ln() - 0.75 * 3f64.ln())).abs() < 1e-7);
        close(normalized(&[1.0, 1.0, 1.0, 1.0]), 1.0);
        close(normalized(&[0.3]), 0.0);
    }

    #[test]
    fn entropy_of_extreme_logits_is_finite() {
        close(entropy(&[1e30, -1e30]), 0.0);
        close(entropy(&[f32::NEG_INFINITY, 0.0]), 0.0);
        close(entropy(&[-1e30, -1e30]), LN2);
        assert!(entropy(&[f32::NAN, 0.0]).is_nan());
    }

    #[test]
    fn each_kind_is_between_certain_and_guessing() {
        const TAGS: Kind = Kind::Tag { labels: &["O", "B-x", "I-x", "B-y"] };
        const SPAN: Kind = Kind::Span { stride: 8 };
        const CHOICE: Kind = Kind::Choose { choices: 4 };
        let (sure, even) = ([1e30, 0.0, 0.0, 0.0], [0.5; 4]);
        let share = |kind, logits: &[f32]| of_item(kind, logits) / scale(kind);
        // one certain word and one that is guessed
        close(share(TAGS, &[sure, even].concat()), 0.5);
        close(share(TAGS, &even), 1.0);
        // a certain start, and an end that is one of four; three of four in another window
        close(share(SPAN, &[1e30, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]), 0.5);
        close(share(SPAN, &[0.0, 1e30, 0.0, 1e30, 0.0, 1e30]), 1.0);
        close(share(SPAN, &[0.0, 0.0, 0.0, 0.0, -1e30, -1e30]), 2f64.ln() / 3f64.ln());
        // however many choices an example has
        close(share(CHOICE, &even), 1.0);
        close(share(CHOICE, &[0.5, 0.5]), 1.0);
        close(share(CHOICE, &[0.0, 0.0, -1e30]), 2f64.ln() / 3f64.ln());
        assert!(of_item(SPAN, &[f32::NAN, 0.0, 0.0, 0.0]).is_nan());
    }

    #[test]
    fn scores_by_hand() {
        let tasks = [
            Candidates { entropies: vec![0.5 * LN2, 0.25 * LN2, 0.75 * LN2], uniform: LN2 }, // mean 0.5 log 2
            Candidates { entropies: vec![LN2, 2.0 * LN2], uniform: 2.0 * LN2 },              // mean 1.5 log 2
            Candidates { entropies: vec![], uniform: LN2 },
        ];
        let scores = scores(&tasks);
        let hhat = 1.5 * LN2;
        for (found, expected) in scores[0].iter().zip([0.5 / hhat, 0.25 / hhat, 0.75 / hhat]) {
            close(*found, expected);
        }
        close(scores[1][0], 0.5 / hhat);
        close(scores[1][1], 1.0 / hhat);
        assert!(scores[2].is_empty());
    }

    #[test]
    fn certain_candidates_score_zero() {
        let certain = Candidates { entropies: vec![0.0, 0.0], uniform: LN2 };
        assert_eq!(scores(&[certain]), [[0.0, 0.0]]);
    }

    #[test]
    fn ties_go_to_the_lower_task_then_candidate() {
        let scores = [vec![0.2, 0.9], vec![0.9, 0.2, 1.0], vec![0.2]];
        let picked: Vec<_> = select(&scores, 5).iter().map(|pick| (pick.task, pick.candidate)).collect();
        assert_eq!(picked, [(1, 2), (0, 1), (1, 0), (0, 0), (1, 1)]);
        assert_eq!(select(&scores, 99).len(), 6);
    }
}

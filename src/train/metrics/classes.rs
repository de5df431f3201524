//! Metrics of classes, from pairs `(target, predicted)`.

use std::collections::{BTreeMap, BTreeSet};

/// The part of the predictions that are right.
pub fn accuracy(pairs: &[(u32, u32)]) -> f64 {
    ratio(count(pairs, |target, predicted| target == predicted), pairs.len() as f64)
}

/// 2 tp / (2 tp + fp + fn) of class 1 against the rest: the harmonic mean of precision and recall.
pub fn f1(pairs: &[(u32, u32)]) -> f64 {
    f1_of(1, pairs)
}

/// The mean of F1 over the classes that are a target or predicted.
pub fn macro_f1(pairs: &[(u32, u32)]) -> f64 {
    let classes: BTreeSet<u32> = pairs.iter().flat_map(|&(target, predicted)| [target, predicted]).collect();
    ratio(classes.iter().map(|&class| f1_of(class, pairs)).sum(), classes.len() as f64)
}

fn f1_of(class: u32, pairs: &[(u32, u32)]) -> f64 {
    let hits = count(pairs, |target, predicted| target == class && predicted == class);
    let misses = count(pairs, |target, predicted| (target == class) != (predicted == class));
    ratio(2.0 * hits, 2.0 * hits + misses)
}

/// Matthews' correlation, of any number of classes (Gorodkin, 2004): with t_k and p_k how often class k is the target
/// and is predicted, c the right ones, n all,
/// (c n - sum t_k p_k) / sqrt((n^2 - sum p_k^2) (n^2 - sum t_k^2)).
pub fn matthews(pairs: &[(u32, u32)]) -> f64 {
    let mut classes: BTreeMap<u32, (f64, f64)> = BTreeMap::new();
    for &(target, predicted) in pairs {
        classes.entry(target).or_default().0 += 1.0;
        classes.entry(predicted).or_default().1 += 1.0;
    }
    let n = pairs.len() as f64;
    let right = count(pairs, |target, predicted| target == predicted);
    // Counts and their squares are whole numbers, exact in f64 up to 9e7 examples.
    let (mut both, mut targets, mut predictions) = (right * n, n * n, n * n);
    for (t, p) in classes.into_values() {
        both -= t * p;
        targets -= t * t;
        predictions -= p * p;
    }
    ratio(both, targets.sqrt() * predictions.sqrt())
}

fn count(pairs: &[(u32, u32)], which: impl Fn(u32, u32) -> bool) -> f64 {
    pairs.iter().filter(|(target, predicted)| which(*target, *predicted)).count() as f64
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole == 0.0 { 0.0 } else { part / whole }
}

//! Metrics of numbers, from pairs `(target, predicted)`.

/// Pearson's correlation: the cosine of the two lists, each less its mean.
pub fn pearson(pairs: &[(f64, f64)]) -> f64 {
    let (x, y): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
    correlation(&x, &y)
}

/// Spearman's correlation: Pearson's, of the ranks. Equal values share the mean of their ranks.
pub fn spearman(pairs: &[(f64, f64)]) -> f64 {
    let (x, y): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
    if x.iter().chain(&y).any(|value| value.is_nan()) {
        return f64::NAN;
    }
    correlation(&ranks(&x), &ranks(&y))
}

fn correlation(x: &[f64], y: &[f64]) -> f64 {
    // The mean of equal numbers may differ from them by rounding, so that their spread would not be 0.
    if constant(x) || constant(y) {
        return 0.0;
    }
    let (dx, dy) = (centered(x), centered(y));
    let dot: f64 = dx.iter().zip(&dy).map(|(a, b)| a * b).sum();
    (dot / (norm(&dx) * norm(&dy))).clamp(-1.0, 1.0)
}

fn constant(x: &[f64]) -> bool {
    x.iter().all(|value| *value == x[0])
}

fn centered(x: &[f64]) -> Vec<f64> {
    let mean = x.iter().sum::<f64>() / x.len() as f64;
    x.iter().map(|value| value - mean).collect()
}

fn norm(x: &[f64]) -> f64 {
    x.iter().map(|value| value * value).sum::<f64>().sqrt()
}

/// Ranks from 1, in the order of `x`.
fn ranks(x: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..x.len()).collect();
    order.sort_by(|&a, &b| x[a].total_cmp(&x[b]));
    let mut ranks = vec![0.0; x.len()];
    let mut start = 0;
    for equal in order.chunk_by(|&a, &b| x[a] == x[b]) {
        let mean = start as f64 + (equal.len() as f64 + 1.0) / 2.0;
        for &at in equal {
            ranks[at] = mean;
        }
        start += equal.len();
    }
    ranks
}

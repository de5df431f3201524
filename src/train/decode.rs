//! From the logits of an item to what they say.

/// The most tokens of an answer, as in BERT for SQuAD.
pub const LONGEST_ANSWER: usize = 30;

/// The place of the largest logit, the first of equal ones.
pub fn argmax(logits: &[f32]) -> usize {
    (0..logits.len()).fold(0, |best, i| if logits[i] > logits[best] { i } else { best })
}

pub fn softmax(logits: &[f32]) -> Vec<f32> {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let weights: Vec<f32> = logits.iter().map(|logit| (logit - max).exp()).collect();
    let sum: f32 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / sum).collect()
}

/// The tag of each word, from rows of logits. Words beyond the last row were cut: they are outside of entities.
pub fn tags(labels: &[&str], logits: &[f32], words: usize) -> Vec<u32> {
    // the compiler asks for an `O`
    let outside = labels.iter().position(|label| *label == "O").unwrap_or_default() as u32;
    let rows = logits.chunks_exact(labels.len()).map(|row| argmax(row) as u32);
    rows.chain(std::iter::repeat(outside)).take(words).collect()
}

/// A part of a window, and what it is thought of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found {
    /// First and last token, as marks of the window; neither is 0, which is `[CLS]`.
    pub start: usize,
    pub end: usize,
    /// The sum of the two logits, which windows are compared by.
    pub score: f32,
}

/// The best of all spans of a window that have at most [`LONGEST_ANSWER`] tokens, the first of equal ones; `logits`
/// are of start and end, row by row. `None` for a window without context, and where every logit is NaN.
pub fn best_span(logits: &[f32]) -> Option<Found> {
    let (rows, _) = logits.as_chunks::<2>();
    let mut best: Option<Found> = None;
    for start in 1..rows.len() {
        for end in start..rows.len().min(start + LONGEST_ANSWER) {
            let score = rows[start][0] + rows[end][1];
            if best.is_none_or(|best| score > best.score) && !score.is_nan() {
                best = Some(Found { start, end, score });
            }
        }
    }
    best
}

/// The columns of start and end.
pub fn ends(logits: &[f32]) -> [Vec<f32>; 2] {
    let (rows, _) = logits.as_chunks::<2>();
    [0, 1].map(|column| rows.iter().map(|row| row[column]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_equal_logits_is_the_prediction() {
        assert_eq!([argmax(&[0.5]), argmax(&[0.0, 1.0, 1.0]), argmax(&[2.0, 2.0])], [0, 1, 0]);
    }

    #[test]
    fn words_that_were_cut_are_outside() {
        let labels = ["B-x", "O"];
        assert_eq!(tags(&labels, &[1.0, 0.0, 0.0, 1.0], 4), [0, 1, 1, 1]);
        assert_eq!(tags(&labels, &[1.0, 0.0], 1), [0]);
    }

    #[test]
    fn a_span_starts_before_it_ends_and_is_never_the_first_mark() {
        let best = |starts: &[f32], ends: &[f32]| {
            let rows: Vec<f32> = starts.iter().zip(ends).flat_map(|(start, end)| [*start, *end]).collect();
            best_span(&rows).map(|found| (found.start, found.end, found.score))
        };
        assert_eq!(best(&[9.0, 1.0, 5.0, 0.0], &[9.0, 6.0, 2.0, 1.0]), Some((1, 1, 7.0)));
        assert_eq!(best(&[9.0, 1.0, 5.0, 0.0], &[9.0, 3.0, 2.0, 4.0]), Some((2, 3, 9.0)));
        assert_eq!(best(&[9.0], &[9.0]), None);
        assert_eq!(best(&[0.0, f32::NAN], &[0.0, 1.0]), None);
    }

    #[test]
    fn a_span_is_not_longer_than_the_longest_answer() {
        let mut rows = vec![[0.0, 0.0]; LONGEST_ANSWER + 3];
        rows[1][0] = 1.0;
        rows[LONGEST_ANSWER][1] = 0.5;
        rows[LONGEST_ANSWER + 1][1] = 2.0; // a token too far from the best start
        let found = best_span(rows.as_flattened()).unwrap();
        assert_eq!((found.start, found.end), (2, LONGEST_ANSWER + 1));
        rows[LONGEST_ANSWER][1] = 1.5;
        let found = best_span(rows.as_flattened()).unwrap();
        assert_eq!((found.start, found.end), (1, LONGEST_ANSWER));
    }
}

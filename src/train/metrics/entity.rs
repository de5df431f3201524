//! Entities among the tags of sentences, counted as the evaluation of the CoNLL shared tasks counts them.
//!
//! Tang Kim Sang and De Meulder, 2003; in Python `seqeval.metrics` in its default mode. An entity is right if its
//! type and both of its ends are. The count is lenient about how an entity starts: `I-PER` after `O` or after another
//! type starts one, as `B-PER` does. `E-` (last word) and `S-` (only word) are understood as well.

/// Precision, recall and their harmonic mean over all entities of all sentences; 0 where nothing is counted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EntityScores {
    pub precision: f64,
    pub recall: f64,
    pub f1: f64,
}

/// The words `start..end` of a sentence, of a type; a tag that is a mark alone (`B`) is of the type "".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entity<'a> {
    pub start: usize,
    pub end: usize,
    pub of: &'a str,
}

/// The scores of sentences `(target, predicted)`, whose tags are indices of `labels`.
///
/// # Panics
/// On an index without a label.
pub fn entity_scores(labels: &[&str], sentences: &[(Vec<u32>, Vec<u32>)]) -> EntityScores {
    let tags = |tags: &[u32]| tags.iter().map(|&tag| labels[tag as usize]).collect::<Vec<_>>();
    let (mut right, mut targets, mut predictions) = (0, 0, 0);
    for (target, predicted) in sentences {
        let (target, predicted) = (tags(target), tags(predicted));
        let (target, predicted) = (entities(&target), entities(&predicted));
        // Both are sorted by their places, and no two of one sentence start at one place.
        right += target.iter().filter(|entity| predicted.binary_search(entity).is_ok()).count();
        targets += target.len();
        predictions += predicted.len();
    }
    let ratio = |part: usize, whole: usize| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
    EntityScores {
        precision: ratio(right, predictions),
        recall: ratio(right, targets),
        f1: ratio(2 * right, targets + predictions),
    }
}

/// The entities of one sentence, in their order.
pub fn entities<'a>(tags: &[&'a str]) -> Vec<Entity<'a>> {
    let mut found: Vec<Entity<'a>> = Vec::new();
    let mut open: Option<Entity<'a>> = None;
    for (at, tag) in tags.iter().enumerate() {
        let (mark, of) = parts(tag);
        // The entity goes on if the word is a later one of the same type.
        let goes_on = matches!(mark, 'I' | 'E') && open.is_some_and(|entity| entity.of == of);
        if !goes_on {
            found.extend(open.take());
        }
        match (mark, &mut open) {
            ('O', _) => {}
            (_, Some(entity)) => entity.end = at + 1,
            (_, None) => open = Some(Entity { start: at, end: at + 1, of }),
        }
        if matches!(mark, 'E' | 'S') {
            found.extend(open.take());
        }
    }
    found.extend(open);
    found
}

/// `B-PER` is the mark `B` and the type `PER`. What has no mark, such as `PER`, is outside of all entities.
fn parts(tag: &str) -> (char, &str) {
    let (mark, of) = tag.split_once('-').unwrap_or((tag, ""));
    match mark {
        "B" => ('B', of),
        "I" => ('I', of),
        "E" => ('E', of),
        "S" => ('S', of),
        _ => ('O', ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_start_and_end_where_the_shared_task_says() {
        let of = |text: &str| -> Vec<(usize, usize, String)> {
            let tags: Vec<&str> = text.split(' ').collect();
            entities(&tags).into_iter().map(|e| (e.start, e.end, e.of.to_owned())).collect()
        };
        let per = |start, end| (start, end, "PER".to_owned());
        let loc = |start, end| (start, end, "LOC".to_owned());
        assert_eq!(of("O O"), []);
        assert_eq!(of("B-PER I-PER O I-PER"), [per(0, 2), per(3, 4)]);
        assert_eq!(of("B-PER B-PER I-LOC I-LOC"), [per(0, 1), per(1, 2), loc(2, 4)]);
        assert_eq!(of("S-PER I-PER E-PER I-PER"), [per(0, 1), per(1, 3), per(3, 4)]);
        assert_eq!(of("B-creative-work I-creative-work")[0].2, "creative-work");
    }

    #[test]
    fn scores_agree_with_seqeval() {
        let golden: serde_json::Value =
            serde_json::from_str(include_str!("../../../tests/golden/kinds.json")).unwrap();
        let labels: Vec<&str> =
            golden["labels"].as_array().unwrap().iter().map(|label| label.as_str().unwrap()).collect();
        let cases = golden["entity"].as_array().unwrap();
        assert!(cases.len() > 8);
        for case in cases {
            let tags = |key: &str| -> Vec<Vec<u32>> { serde_json::from_value(case[key].clone()).unwrap() };
            let sentences: Vec<_> = tags("target").into_iter().zip(tags("predicted")).collect();
            let EntityScores { precision, recall, f1 } = entity_scores(&labels, &sentences);
            for (name, value) in [("precision", precision), ("recall", recall), ("f1", f1)] {
                let expected = case[name].as_f64().unwrap();
                assert!((value - expected).abs() < 1e-9, "{name} of {}: {value}, {expected}", case["name"]);
            }
        }
    }
}

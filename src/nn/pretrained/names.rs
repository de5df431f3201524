//! Names of tensors in checkpoints of BERT and RoBERTa, and which of them a model may leave unused.

use super::Family;

/// A tensor's name as the model calls it: without `bert.` or `roberta.`, and with today's names for a norm's weights.
pub fn canonical(key: &str) -> String {
    let key = ["bert.", "roberta."].iter().find_map(|prefix| key.strip_prefix(prefix)).unwrap_or(key);
    match key.strip_suffix("LayerNorm.gamma") {
        Some(path) => format!("{path}LayerNorm.weight"),
        None => match key.strip_suffix("LayerNorm.beta") {
            Some(path) => format!("{path}LayerNorm.bias"),
            None => key.to_string(),
        },
    }
}

/// Why a tensor that the model has no parameter for may be left in the file, if it may.
pub fn reason_to_ignore(name: &str, family: Family) -> Option<&'static str> {
    if name.starts_with("cls.") || name.starts_with("lm_head.") {
        Some("a head of pretraining")
    } else if family == Family::Roberta && name.starts_with("pooler.") {
        Some("no pooler is pretrained with RoBERTa: this one starts at random, or belongs to another task")
    } else if name == "embeddings.position_ids" {
        Some("a buffer that counts 0, 1, 2, ...")
    } else if name.starts_with("classifier.") || name.starts_with("qa_outputs.") {
        Some("a head of another task")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_and_new_names_meet() {
        assert_eq!(canonical("bert.embeddings.LayerNorm.gamma"), "embeddings.LayerNorm.weight");
        assert_eq!(
            canonical("encoder.layer.0.output.LayerNorm.beta"),
            "encoder.layer.0.output.LayerNorm.bias"
        );
        assert_eq!(canonical("pooler.dense.weight"), "pooler.dense.weight");
        assert_eq!(
            canonical("roberta.embeddings.word_embeddings.weight"),
            "embeddings.word_embeddings.weight"
        );
    }

    #[test]
    fn a_layer_is_never_ignored() {
        for family in [Family::Bert, Family::Roberta] {
            assert_eq!(reason_to_ignore("encoder.layer.11.output.dense.weight", family), None);
            assert!(reason_to_ignore("cls.predictions.bias", family).is_some());
            assert!(reason_to_ignore("lm_head.bias", family).is_some());
        }
        assert_eq!(reason_to_ignore("pooler.dense.bias", Family::Bert), None);
        assert!(reason_to_ignore("pooler.dense.bias", Family::Roberta).is_some());
    }
}

//! Names of tensors in BERT checkpoints, and which of them a model may leave unused.

/// A tensor's name as the model calls it: without `bert.`, and with today's names for a norm's weights.
pub fn canonical(key: &str) -> String {
    let key = key.strip_prefix("bert.").unwrap_or(key);
    match key.strip_suffix("LayerNorm.gamma") {
        Some(path) => format!("{path}LayerNorm.weight"),
        None => match key.strip_suffix("LayerNorm.beta") {
            Some(path) => format!("{path}LayerNorm.bias"),
            None => key.to_string(),
        },
    }
}

/// Why a tensor that the model has no parameter for may be left in the file, if it may.
pub fn reason_to_ignore(name: &str) -> Option<&'static str> {
    if name.starts_with("cls.") {
        Some("a head of pretraining")
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
    }

    #[test]
    fn a_layer_is_never_ignored() {
        assert_eq!(reason_to_ignore("encoder.layer.11.output.dense.weight"), None);
        assert!(reason_to_ignore("cls.predictions.bias").is_some());
    }
}

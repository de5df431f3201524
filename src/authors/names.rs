//! The names that the authors' code gives to its parameters.
//!
//! A generator of theirs is one linear map whose upper half of rows makes gamma(z) and whose lower half beta(z); ours are
//! two. A layer with a bottleneck (the last one of their base variant) has new names for what the others have too.

use std::collections::BTreeSet;

/// A tensor of theirs, or a half of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub tensor: String,
    pub half: Half,
}

/// Which rows of a tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Half {
    Whole,
    /// gamma(z)'s.
    Upper,
    /// beta(z)'s.
    Lower,
}

impl Half {
    /// The shape of the tensor that this part of it has `dims`.
    pub fn of_whole(self, dims: &[usize]) -> Vec<usize> {
        let mut dims = dims.to_vec();
        if let (Half::Upper | Half::Lower, Some(rows)) = (self, dims.first_mut()) {
            *rows *= 2;
        }
        dims
    }

    /// This part of a tensor's values, row by row.
    pub fn cut(self, values: &[f32]) -> &[f32] {
        let middle = values.len() / 2;
        match self {
            Half::Whole => values,
            Half::Upper => &values[..middle],
            Half::Lower => &values[middle..],
        }
    }
}

/// Their names for the parameters of one model.
#[derive(Clone, Debug)]
pub struct Theirs {
    tasks: Vec<String>,
    /// With a bottleneck in them, by their indices as text.
    renamed: BTreeSet<String>,
}

impl Theirs {
    /// For a model with parameters of these names, and these tasks in its order.
    pub fn of<'a>(names: impl Iterator<Item = &'a str>, tasks: &[&str]) -> Self {
        let layer = |name: &'a str| {
            let (layer, rest) = name.strip_prefix("encoder.layer.")?.split_once('.')?;
            rest.starts_with("bottleneck.").then(|| layer.to_owned())
        };
        let renamed = names.filter_map(layer).collect();
        Self { tasks: tasks.iter().map(|task| (*task).to_owned()).collect(), renamed }
    }

    /// Where a parameter lies; `None` for one that their code does not have.
    pub fn place(&self, name: &str) -> Option<Place> {
        let (path, end) = name.rsplit_once('.')?;
        if let Some(rows) = path.strip_suffix(".bias").filter(|_| end == "rows") {
            return Some(whole(format!("bert.{}.self.random_weight_matrix", self.module(rows)?)));
        }
        if !matches!(end, "weight" | "bias") {
            return None;
        }
        let halves = [(".gamma", Half::Upper), (".beta", Half::Lower)];
        for (suffix, half) in halves {
            if let Some(owner) = path.strip_suffix(suffix) {
                let tensor = format!("bert.{}.gb_weights.{end}", self.generator(owner)?);
                return Some(Place { tensor, half });
            }
        }
        if let Some(task) = path.strip_prefix("heads.") {
            let index = self.tasks.iter().position(|name| name == task)?;
            return Some(whole(format!("decoders.{index}.model.{end}")));
        }
        Some(whole(format!("bert.{}.{end}", self.module(path)?)))
    }

    /// Whoever has gamma(z) and beta(z).
    fn generator(&self, owner: &str) -> Option<String> {
        if owner == "alignment" {
            return Some("conditional_alignment".to_owned());
        }
        if let Some(attention) = owner.strip_suffix(".bias") {
            return Some(format!("{}.self.cond_block_diag_attn", self.module(attention)?));
        }
        let modulated = owner.strip_suffix(".film")?;
        let module = self.module(modulated)?;
        let is_norm = modulated.ends_with("LayerNorm") || modulated.ends_with("bottleneck.norm");
        Some(format!("{module}.{}", if is_norm { "ln_weight_modulation" } else { "hidden_modulation" }))
    }

    /// A module's path.
    fn module(&self, path: &str) -> Option<String> {
        if path == "task_embedding" {
            return Some("task_type_embeddings".to_owned());
        }
        if path == "task_transformation" {
            return Some("encoder.task_transformation".to_owned());
        }
        if let Some(ladder) = path.strip_prefix("ladder.") {
            let (step, rest) = ladder.split_once('.').unwrap_or((ladder, ""));
            return Some(joined(&format!("encoder.adapter_layer.{step}"), &narrow(rest)?));
        }
        let Some((layer, rest)) = path.strip_prefix("encoder.layer.").and_then(|path| path.split_once('.'))
        else {
            let is_theirs = path.starts_with("embeddings.") || path == "pooler.dense";
            return is_theirs.then(|| path.to_owned());
        };
        if let Some(inside) = rest.strip_prefix("bottleneck") {
            let inside = inside.strip_prefix('.').unwrap_or(inside);
            let place = match inside {
                "norm" => "adapter.condlayernorm".to_owned(),
                _ => joined("adapter.bottleneck", &narrow(inside)?),
            };
            return Some(format!("encoder.layer.{layer}.{place}"));
        }
        let new = if self.renamed.contains(layer) { "new_" } else { "" };
        Some(format!("encoder.layer.{layer}.{new}{rest}"))
    }
}

/// A linear map of a bottleneck; of "" the bottleneck itself.
fn narrow(name: &str) -> Option<String> {
    let theirs = match name {
        "" => "",
        "condition" => "emb_transf",
        "down" => "down_proj_layer",
        "up" => "up_proj_layer",
        _ => return None,
    };
    Some(theirs.to_owned())
}

fn joined(path: &str, name: &str) -> String {
    if name.is_empty() { path.to_owned() } else { format!("{path}.{name}") }
}

fn whole(tensor: String) -> Place {
    Place { tensor, half: Half::Whole }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sort_of_parameter_has_their_name() {
        let names = ["encoder.layer.3.bottleneck.down.weight"];
        let theirs = Theirs::of(names.into_iter(), &["cola", "sts"]);
        let cases = [
            ("task_embedding.weight", "bert.task_type_embeddings.weight", Half::Whole),
            ("task_transformation.bias", "bert.encoder.task_transformation.bias", Half::Whole),
            ("embeddings.LayerNorm.weight", "bert.embeddings.LayerNorm.weight", Half::Whole),
            ("alignment.gamma.bias", "bert.conditional_alignment.gb_weights.bias", Half::Upper),
            (
                "encoder.layer.0.attention.self.query.weight",
                "bert.encoder.layer.0.attention.self.query.weight",
                Half::Whole,
            ),
            (
                "encoder.layer.3.attention.self.query.weight",
                "bert.encoder.layer.3.new_attention.self.query.weight",
                Half::Whole,
            ),
            (
                "encoder.layer.0.attention.bias.rows",
                "bert.encoder.layer.0.attention.self.random_weight_matrix",
                Half::Whole,
            ),
            (
                "encoder.layer.3.attention.bias.beta.weight",
                "bert.encoder.layer.3.new_attention.self.cond_block_diag_attn.gb_weights.weight",
                Half::Lower,
            ),
            (
                "encoder.layer.2.output.LayerNorm.film.gamma.weight",
                "bert.encoder.layer.2.output.LayerNorm.ln_weight_modulation.gb_weights.weight",
                Half::Upper,
            ),
            ("encoder.layer.3.output.dense.bias", "bert.encoder.layer.3.new_output.dense.bias", Half::Whole),
            (
                "encoder.layer.3.bottleneck.condition.bias",
                "bert.encoder.layer.3.adapter.bottleneck.emb_transf.bias",
                Half::Whole,
            ),
            (
                "encoder.layer.3.bottleneck.film.beta.bias",
                "bert.encoder.layer.3.adapter.bottleneck.hidden_modulation.gb_weights.bias",
                Half::Lower,
            ),
            (
                "encoder.layer.3.bottleneck.norm.weight",
                "bert.encoder.layer.3.adapter.condlayernorm.weight",
                Half::Whole,
            ),
            (
                "encoder.layer.3.bottleneck.norm.film.gamma.weight",
                "bert.encoder.layer.3.adapter.condlayernorm.ln_weight_modulation.gb_weights.weight",
                Half::Upper,
            ),
            ("ladder.1.up.weight", "bert.encoder.adapter_layer.1.up_proj_layer.weight", Half::Whole),
            (
                "ladder.1.film.gamma.weight",
                "bert.encoder.adapter_layer.1.hidden_modulation.gb_weights.weight",
                Half::Upper,
            ),
            ("pooler.dense.weight", "bert.pooler.dense.weight", Half::Whole),
            ("heads.sts.bias", "decoders.1.model.bias", Half::Whole),
        ];
        for (ours, tensor, half) in cases {
            assert_eq!(theirs.place(ours), Some(Place { tensor: tensor.to_owned(), half }), "{ours}");
        }
    }

    #[test]
    fn what_they_do_not_have_has_no_name() {
        let theirs = Theirs::of(std::iter::empty(), &["cola"]);
        for ours in
            ["heads.other.weight", "encoder.layer.0.attention.bias.blocks", "task_embedding", "new.weight"]
        {
            assert_eq!(theirs.place(ours), None, "{ours}");
        }
    }
}

//! A trained model as other programs read it: a folder with `model.safetensors`, written whole or not at all.
//!
//! | format | holds |
//! |---|---|
//! | [`Format::Reference`] | every parameter by the names of the authors' code, for `--weights` and for theirs |
//! | [`Format::Hf`] | the backbone alone, as `from_pretrained` of `BertModel` or `RobertaModel` takes it, with `config.json` and the tokenizer |

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::files::{self, FileError};
use super::plan::{Backbone, Family, Fidelity, Plan};
use crate::authors::{self, Tensor};
use crate::kernels::Kernels;
use crate::nn::{EPSILON, FIRST_POSITION, Parameter, ROBERTA_EPSILON};

/// Whose names and files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Reference,
    Hf,
}

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[non_exhaustive]
pub enum ExportError {
    #[error(transparent)]
    #[diagnostic(transparent)]
    File(#[from] FileError),

    #[error("`{}` exists and is not an empty folder", folder.display())]
    #[diagnostic(code(export::taken), help("name another folder with --out"))]
    Taken { folder: std::path::PathBuf },

    #[error(
        "`{model}` is of `fidelity paper`, and the authors' code would compute something else with its numbers"
    )]
    #[diagnostic(
        code(export::fidelity),
        help(
            "a model with `fidelity reference` is written for that code; `--format hf` writes the backbone of any"
        )
    )]
    Fidelity { model: String },

    #[error("the authors' code has no place for {} of the model's parameters, such as `{}`", unknown.len(), unknown[0])]
    #[diagnostic(
        code(export::reference),
        help(
            "a model with `fidelity reference` has what that code has; `--format hf` writes the backbone of any"
        )
    )]
    NotTheirs { unknown: Vec<String> },
}

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exported {
    pub tensors: usize,
    /// Parameters that the format has no place for: modules and heads.
    pub left_out: usize,
}

/// Writes `parameters` of a model of `plan` into the new folder `out`; `tokenizer` is the folder of its tokenizer.
///
/// # Errors
/// A folder that is not free, or cannot be written; for [`Format::Reference`] a model of the paper's modules.
pub fn export<D: Kernels>(
    plan: &Plan,
    parameters: &[&mut dyn Parameter<D>],
    tokenizer: &Path,
    format: Format,
    out: &Path,
) -> Result<Exported, ExportError> {
    let is_free = !out.exists() || fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_none());
    if !is_free {
        return Err(ExportError::Taken { folder: out.to_owned() });
    }
    let tensors = match format {
        Format::Hf => backbone(parameters),
        Format::Reference if plan.training.fidelity != Fidelity::Reference => {
            return Err(ExportError::Fidelity { model: plan.full_name() });
        }
        Format::Reference => {
            let tasks: Vec<&str> = plan.tasks.iter().map(|task| task.name).collect();
            authors::tensors_of(parameters, &tasks).map_err(|unknown| ExportError::NotTheirs { unknown })?
        }
    };
    let (count, values) = (tensors.len(), tensors.values().map(|tensor| tensor.values.len()).sum::<usize>());
    files::folder(out, |folder| {
        files::write(&folder.join("model.safetensors"), &authors::to_bytes(&tensors))?;
        if format == Format::Hf {
            let text = format!("{:#}\n", config(&plan.backbone));
            files::write(&folder.join("config.json"), text.as_bytes())?;
            for entry in files::at(tokenizer, "read", fs::read_dir(tokenizer))? {
                let from = files::at(tokenizer, "read", entry)?.path();
                let to = folder.join(from.file_name().unwrap_or_default());
                files::at(&from, "copied", fs::copy(&from, &to))?;
            }
        }
        Ok::<_, ExportError>(())
    })?;
    let all: usize = parameters.iter().map(|parameter| parameter.dims().iter().product::<usize>()).sum();
    Ok(Exported { tensors: count, left_out: all - values })
}

/// What a pretrained network has, by its names: its pooler too, which RoBERTa's checkpoints leave out.
fn backbone<D: Kernels>(parameters: &[&mut dyn Parameter<D>]) -> BTreeMap<String, Tensor> {
    parameters
        .iter()
        .filter(|parameter| parameter.meta().loaded || parameter.meta().name.starts_with("pooler."))
        .map(|parameter| {
            let tensor = Tensor { dims: parameter.dims(), values: parameter.read() };
            (parameter.meta().name.clone(), tensor)
        })
        .collect()
}

fn config(backbone: &Backbone) -> Value {
    let Backbone { family, layers, hidden, heads, ffn, vocab, positions, token_types, .. } = backbone;
    // positions begin behind the id of the padding
    let (architecture, name, epsilon, padding) = match family {
        Family::Bert => ("BertModel", "bert", EPSILON, 0),
        Family::Roberta => ("RobertaModel", "roberta", ROBERTA_EPSILON, FIRST_POSITION - 1),
    };
    let mut config = json!({
        "architectures": [architecture],
        "model_type": name,
        "num_hidden_layers": layers,
        "hidden_size": hidden,
        "num_attention_heads": heads,
        "intermediate_size": ffn,
        "vocab_size": vocab,
        "max_position_embeddings": positions,
        "type_vocab_size": token_types,
        "hidden_act": "gelu",
        // as it is written, not as the nearest double of the f32
        "layer_norm_eps": epsilon.to_string().parse::<f64>().unwrap_or(f64::from(epsilon)),
        "position_embedding_type": "absolute",
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1,
        "initializer_range": 0.02,
        "pad_token_id": padding,
        "torch_dtype": "float32",
    });
    if *family == Family::Roberta {
        config["bos_token_id"] = json!(0);
        config["eos_token_id"] = json!(2);
    }
    config
}

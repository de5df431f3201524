//! Giving parameters their values: from their start distributions, and from a Hugging Face directory of a BERT or RoBERTa.
//!
//! Loading is an account: every parameter is loaded or new, every tensor of the checkpoint is loaded or ignored
//! for a stated reason; what fits neither is an error, and all such errors come at once.

mod config;
mod error;
mod names;
mod start;

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use memmap2::Mmap;
use safetensors::tensor::{Dtype, SafeTensors};

use super::Parameter;
use crate::kernels::Kernels;

pub use config::{Expected, Family};
pub use error::PretrainedError;
pub use start::start;

/// A Hugging Face directory, opened: `config.json` read, `model.safetensors` mapped.
#[derive(Debug)]
pub struct Checkpoint {
    directory: PathBuf,
    config: config::Config,
    weights: Mmap,
}

/// What became of every parameter and every tensor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Parameters that took their values from the checkpoint.
    pub loaded: Vec<String>,
    /// Parameters that no checkpoint holds.
    pub new: Vec<String>,
    /// Tensors of the checkpoint that the model has no use for, with the reason.
    pub ignored: Vec<(String, &'static str)>,
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let Self { loaded, new, ignored } = self;
        write!(f, "{} tensors loaded, {} new, {} ignored", loaded.len(), new.len(), ignored.len())
    }
}

impl Checkpoint {
    /// # Errors
    /// A folder or file that is missing or unreadable, or a `config.json` of another kind of network.
    pub fn open(directory: &Path) -> Result<Self, PretrainedError> {
        if !directory.is_dir() {
            return Err(PretrainedError::NoDirectory { directory: directory.into() });
        }
        let config = config::Config::read(&directory.join("config.json"))?;
        let path = directory.join("model.safetensors");
        let unreadable = |cause| PretrainedError::File { path: path.clone(), cause };
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(PretrainedError::NoWeights { directory: directory.into() });
            }
            Err(error) => return Err(unreadable(error.to_string())),
        };
        // SAFETY: the map is only read. A file that another process truncates meanwhile would fault; a checkpoint
        // is written once and then left alone.
        let weights = unsafe { Mmap::map(&file) }.map_err(|error| unreadable(error.to_string()))?;
        SafeTensors::deserialize(&weights).map_err(|error| unreadable(error.to_string()))?;
        Ok(Self { directory: directory.into(), config, weights })
    }

    /// Content hash of the weights: 32 hex digits.
    pub fn fingerprint(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.weights);
        hasher.finalize().to_hex()[..32].to_string()
    }
}

/// Fills every parameter that a checkpoint holds (`meta.loaded`) from this one; the others keep their values.
///
/// # Errors
/// Sizes that differ from `expected`; a parameter without a tensor; a tensor of another shape or type; a tensor
/// that would be left over. On an error no parameter has been changed.
pub fn load<D: Kernels>(
    parameters: &mut [&mut dyn Parameter<D>],
    checkpoint: &Checkpoint,
    expected: &Expected,
) -> Result<Report, PretrainedError> {
    let path = checkpoint.directory.join("model.safetensors");
    checkpoint.config.check(expected, &checkpoint.directory)?;
    let file = SafeTensors::deserialize(&checkpoint.weights)
        .map_err(|error| PretrainedError::File { path: path.clone(), cause: error.to_string() })?;
    let mut tensors: BTreeMap<String, _> =
        file.iter().map(|(key, tensor)| (names::canonical(key), tensor)).collect();

    let mut report = Report::default();
    let mut problems = Vec::new();
    let mut values = Vec::new();
    for (i, parameter) in parameters.iter().enumerate() {
        let name = &parameter.meta().name;
        if !parameter.meta().loaded {
            report.new.push(name.clone());
            continue;
        }
        match tensors.remove(name) {
            None => problems.push(format!("`{name}` {:?} is not in the checkpoint", parameter.dims())),
            Some(tensor) if tensor.dtype() != Dtype::F32 => {
                problems.push(format!("`{name}` is {:?} in the checkpoint, F32 is needed", tensor.dtype()));
            }
            Some(tensor) if tensor.shape() != parameter.dims() => problems.push(format!(
                "`{name}` is {:?} in the checkpoint and {:?} in the model",
                tensor.shape(),
                parameter.dims()
            )),
            Some(tensor) => {
                let floats = floats(tensor.data());
                if let Some(at) = floats.iter().position(|value| !value.is_finite()) {
                    problems.push(format!("`{name}` holds {} at place {at}", floats[at]));
                }
                values.push((i, floats));
                report.loaded.push(name.clone());
            }
        }
    }
    for name in tensors.into_keys() {
        match names::reason_to_ignore(&name, expected.family) {
            Some(reason) => report.ignored.push((name, reason)),
            None => {
                problems.push(format!("`{name}` is in the checkpoint, but the model has no place for it"))
            }
        }
    }
    if !problems.is_empty() {
        return Err(PretrainedError::Mismatch { path, problems });
    }

    for (i, floats) in values {
        parameters[i].write(&floats);
    }
    Ok(report)
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
}

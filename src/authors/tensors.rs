//! A safetensors file in memory: its numbers as floats, whatever type of number they are stored as.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};

/// Numbers with the sizes of their axes, row by row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tensor {
    pub dims: Vec<usize>,
    pub values: Vec<f32>,
}

/// The tensors of a file, by name.
#[derive(Clone, Debug, Default)]
pub struct Tensors(BTreeMap<String, Tensor>);

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[non_exhaustive]
pub enum TensorsError {
    #[error("cannot read {}: {cause}", path.display())]
    #[diagnostic(
        code(weights::unreadable),
        help(
            "a safetensors file is needed; of a PyTorch file it is made by `save_file(torch.load(file), \"weights.safetensors\")` from `safetensors.torch`"
        )
    )]
    Unreadable { path: PathBuf, cause: String },
}

impl Tensors {
    /// # Errors
    /// A file that is missing, or not of safetensors, or that holds other numbers than floats and whole ones.
    pub fn read(path: &Path) -> Result<Self, TensorsError> {
        let unreadable = |cause: String| TensorsError::Unreadable { path: path.to_owned(), cause };
        let bytes = std::fs::read(path).map_err(|error| unreadable(error.to_string()))?;
        let file = SafeTensors::deserialize(&bytes).map_err(|error| unreadable(error.to_string()))?;
        let tensor = |(name, view): (&str, TensorView)| match floats(&view) {
            Some(values) => Ok((name.to_owned(), Tensor { dims: view.shape().to_vec(), values })),
            None => Err(unreadable(format!("`{name}` is {:?}, F32 or I64 is needed", view.dtype()))),
        };
        Ok(Self(file.iter().map(tensor).collect::<Result<_, _>>()?))
    }

    pub fn get(&self, name: &str) -> Option<&Tensor> {
        self.0.get(name)
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.0.iter().map(|(name, tensor)| (name.as_str(), tensor))
    }
}

/// The bytes of a safetensors file with these tensors, marked as readers in Python ask for.
pub fn to_bytes(tensors: &BTreeMap<String, Tensor>) -> Vec<u8> {
    let bytes: Vec<(&String, &Tensor, Vec<u8>)> = tensors
        .iter()
        .map(|(name, tensor)| {
            (name, tensor, tensor.values.iter().flat_map(|value| value.to_le_bytes()).collect())
        })
        .collect();
    let views = bytes.iter().map(|(name, tensor, bytes)| {
        let view = TensorView::new(Dtype::F32, tensor.dims.clone(), bytes);
        (*name, view.expect("a tensor has as many values as its axes say"))
    });
    let metadata = [("format".to_owned(), "pt".to_owned())].into();
    serialize(views, Some(metadata)).expect("floats in memory serialize")
}

/// `None` for numbers of another type.
fn floats(view: &TensorView) -> Option<Vec<f32>> {
    let bytes = view.data();
    match view.dtype() {
        Dtype::F32 => Some(bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect()),
        // ids and masks, which a float holds exactly
        Dtype::I64 => Some(bytes.as_chunks().0.iter().map(|b| i64::from_le_bytes(*b) as f32).collect()),
        _ => None,
    }
}

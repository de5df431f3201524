//! A parameter's values, and what the device keeps aside with them.

use dfdx::prelude::{Shape, Tensor};

use super::Kernels;

/// The values of a parameter. Cheap to clone; a clone is not to be used any more once the values have changed.
#[derive(Debug)]
pub struct Weight<S: Shape, D: Kernels> {
    pub(in crate::kernels) value: Tensor<S, f32, D>,
    pub(in crate::kernels) aside: D::Aside,
}

impl<S: Shape, D: Kernels> Weight<S, D> {
    pub fn new(value: Tensor<S, f32, D>) -> Self {
        let aside = value.device().aside();
        Self { value, aside }
    }

    pub fn value(&self) -> &Tensor<S, f32, D> {
        &self.value
    }

    /// Sets the values, row by row; as many as there are, else it panics.
    pub fn write(&mut self, values: &[f32]) {
        self.value.copy_from(values);
        D::forget(&self.aside);
    }
}

impl<S: Shape, D: Kernels> Clone for Weight<S, D> {
    fn clone(&self) -> Self {
        Self { value: self.value.clone(), aside: self.aside.clone() }
    }
}

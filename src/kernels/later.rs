//! A number that may still be on its way: asking a device for one makes it and the host wait for each other, so that
//! many are asked for at once.

use dfdx::prelude::{Rank0, Tensor, TryStack as _};

use super::Kernels;

#[derive(Clone, Debug)]
pub enum Later<D: Kernels> {
    Known(f64),
    OnDevice(Tensor<Rank0, f32, D>),
    Asked(D::Asked),
}

impl<D: Kernels> Later<D> {
    /// The numbers, with one wait for all.
    pub fn all(numbers: Vec<Self>) -> Vec<f64> {
        let asked = numbers.iter().filter_map(Self::asked).collect();
        let mut answers = D::answer(asked).into_iter();
        let waited: Vec<Tensor<Rank0, f32, D>> = numbers.iter().filter_map(Self::on_device).collect();
        let mut arrived = match waited.is_empty() {
            true => Vec::new(),
            false => waited.stack().as_vec(), // [numbers]
        }
        .into_iter();
        let value = |number| match number {
            Self::Known(value) => value,
            Self::OnDevice(_) => f64::from(arrived.next().expect("one for each that was waited for")),
            Self::Asked(_) => answers.next().expect("one for each that was asked for"),
        };
        numbers.into_iter().map(value).collect()
    }

    fn on_device(&self) -> Option<Tensor<Rank0, f32, D>> {
        match self {
            Self::OnDevice(tensor) => Some(tensor.clone()),
            Self::Known(_) | Self::Asked(_) => None,
        }
    }

    fn asked(&self) -> Option<D::Asked> {
        match self {
            Self::Asked(asked) => Some(asked.clone()),
            Self::Known(_) | Self::OnDevice(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use dfdx::prelude::{Cpu, TensorFrom as _};

    use super::*;

    #[test]
    fn numbers_keep_their_order() {
        let device = Cpu::default();
        let tensor = |value: f32| Later::OnDevice(device.tensor(value));
        let numbers = vec![tensor(1.5), Later::Known(2.0), tensor(-3.0)];
        assert_eq!(Later::all(numbers), [1.5, 2.0, -3.0]);
        assert_eq!(Later::<Cpu>::all(vec![Later::Known(4.0)]), [4.0]);
        assert_eq!(Later::<Cpu>::all(Vec::new()), [0.0; 0]);
    }
}

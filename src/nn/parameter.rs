//! Parameters: a tensor, its name in checkpoints, how it starts, and whether it is trained.

use dfdx::prelude::{Gradients, HasShape, Shape, Tensor};

use super::norm::EPSILON;
use crate::kernels::{AdamWUpdate, Kernels, Later, Weight};

/// What becomes of the weights of a part.
pub trait Weights: 'static {
    const TRAINED: bool;
    /// Does a pretrained checkpoint hold them?
    const LOADED: bool;
}

/// From the checkpoint, never changed.
#[derive(Clone, Copy, Debug)]
pub struct Frozen;
/// From the checkpoint, trained further.
#[derive(Clone, Copy, Debug)]
pub struct Trained;
/// In no checkpoint, trained from its start.
#[derive(Clone, Copy, Debug)]
pub struct New;

impl Weights for Frozen {
    const TRAINED: bool = false;
    const LOADED: bool = true;
}
impl Weights for Trained {
    const TRAINED: bool = true;
    const LOADED: bool = true;
}
impl Weights for New {
    const TRAINED: bool = true;
    const LOADED: bool = false;
}

/// The distribution a parameter starts from, where no checkpoint gives its values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Start {
    Zeros,
    Ones,
    /// Mean 0, this standard deviation.
    Normal(f32),
}

/// BERT's `initializer_range`.
pub const BERT_START: Start = Start::Normal(0.02);

/// What is known of a parameter besides its values.
#[derive(Clone, Debug)]
pub struct Meta {
    /// Its key in a checkpoint; the backbone's are Hugging Face's, without the `bert.` prefix.
    pub name: String,
    pub start: Start,
    pub trained: bool,
    pub loaded: bool,
    /// Weight decay applies: matrices, not biases and norms.
    pub decay: bool,
}

/// A named tensor of the network.
#[derive(Debug)]
pub struct Param<S: Shape, D: Kernels> {
    weight: Weight<S, D>,
    meta: Meta,
}

impl<S: Shape, D: Kernels> Param<S, D> {
    pub fn value(&self) -> &Tensor<S, f32, D> {
        self.weight.value()
    }

    /// As an operand of an operation that has this parameter learn.
    pub fn operand(&self) -> &Weight<S, D> {
        &self.weight
    }
}

/// A parameter of whatever shape.
pub trait Parameter<D: Kernels> {
    fn meta(&self) -> &Meta;
    /// Sizes of its axes.
    fn dims(&self) -> Vec<usize>;
    /// Its values, row by row.
    fn read(&self) -> Vec<f32>;
    /// Sets its values; as many as `dims` says, else it panics.
    fn write(&mut self, values: &[f32]);
    /// Sum of the squares of its gradient; that of many is to be asked for together.
    fn squared_norm(&self, gradients: &mut Gradients<f32, D>) -> Later<D>;
    /// Its gradient, row by row; zeros where none arrived.
    fn gradient(&self, gradients: &mut Gradients<f32, D>) -> Vec<f32>;
    /// One update, at once or with the others of `updates`.
    fn adamw(
        &mut self,
        moments: &mut D::Moments,
        gradients: &mut Gradients<f32, D>,
        update: &AdamWUpdate,
        updates: &mut D::Updates,
    );
}

impl<S: Shape, D: Kernels> Parameter<D> for Param<S, D> {
    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn dims(&self) -> Vec<usize> {
        self.value().shape().concrete().into_iter().collect()
    }

    fn read(&self) -> Vec<f32> {
        self.value().as_vec()
    }

    fn write(&mut self, values: &[f32]) {
        assert_eq!(values.len(), self.value().shape().num_elements(), "values of `{}`", self.meta.name);
        self.weight.write(values);
    }

    fn squared_norm(&self, gradients: &mut Gradients<f32, D>) -> Later<D> {
        D::squared_norm(gradients, &self.weight)
    }

    fn gradient(&self, gradients: &mut Gradients<f32, D>) -> Vec<f32> {
        D::gradient(gradients, &self.weight)
    }

    fn adamw(
        &mut self,
        moments: &mut D::Moments,
        gradients: &mut Gradients<f32, D>,
        update: &AdamWUpdate,
        updates: &mut D::Updates,
    ) {
        D::adamw(&mut self.weight, moments, gradients, update, updates);
    }
}

/// Walking over all parameters, in a fixed order.
pub trait Parameters<D: Kernels> {
    fn parameters<'a>(&'a mut self, all: &mut Vec<&'a mut dyn Parameter<D>>);
}

impl<S: Shape, D: Kernels> Parameters<D> for Param<S, D> {
    fn parameters<'a>(&'a mut self, all: &mut Vec<&'a mut dyn Parameter<D>>) {
        all.push(self);
    }
}

impl<P: Parameters<D>, D: Kernels, const N: usize> Parameters<D> for [P; N] {
    fn parameters<'a>(&'a mut self, all: &mut Vec<&'a mut dyn Parameter<D>>) {
        self.iter_mut().for_each(|part| part.parameters(all));
    }
}

/// Implements [`Parameters`] for a struct: those of its named fields, in that order.
#[macro_export]
macro_rules! parameters {
    ($name:ident { $($field:ident),* $(,)? }) => {
        $crate::parameters!([D: $crate::kernels::Kernels] $name<D> { $($field),* });
    };
    ([$($generics:tt)*] $type:ty { $($field:ident),* $(,)? }) => {
        impl<$($generics)*> $crate::nn::Parameters<D> for $type {
            fn parameters<'a>(&'a mut self, all: &mut Vec<&'a mut dyn $crate::nn::Parameter<D>>) {
                let _ = &all;
                $($crate::nn::Parameters::parameters(&mut self.$field, all);)*
            }
        }
    };
}

/// A part of the network that can be made, with every parameter zero until it is started or loaded.
pub trait Build<D: Kernels>: Sized {
    fn build(at: &Scope<D>) -> Self;
}

/// Where in the network a part is being built: its device, and the prefix of its parameters' names.
#[derive(Clone, Debug)]
pub struct Scope<D> {
    device: D,
    path: String,
    epsilon: f32,
}

impl<D: Kernels> Scope<D> {
    pub fn root(device: D) -> Self {
        Self { device, path: String::new(), epsilon: EPSILON }
    }

    /// The same place, for norms with another epsilon than BERT's.
    pub fn with_epsilon(&self, epsilon: f32) -> Self {
        Self { epsilon, ..self.clone() }
    }

    /// What norms add to the variance.
    pub fn epsilon(&self) -> f32 {
        self.epsilon
    }

    pub fn child(&self, name: &str) -> Self {
        let path = if self.path.is_empty() { name.into() } else { format!("{}.{name}", self.path) };
        Self { path, ..self.clone() }
    }

    /// Layers `first..first + N` of the encoder.
    pub fn layers<L: Build<D>, const N: usize>(&self, first: usize) -> [L; N] {
        std::array::from_fn(|i| L::build(&self.child(&format!("encoder.layer.{}", first + i))))
    }

    /// The ladder's steps beside layers `first..first + N`.
    pub fn ladder<L: Build<D>, const N: usize>(&self, first: usize) -> [L; N] {
        std::array::from_fn(|i| L::build(&self.child(&format!("ladder.{}", first + i))))
    }

    /// A weight: decays, starts from `start`.
    pub fn weight<W: Weights, S: Shape>(&self, name: &str, shape: S, start: Start) -> Param<S, D> {
        self.parameter::<W, S>(name, shape, start, true)
    }

    /// A bias or a norm's parameter: does not decay.
    pub fn bias<W: Weights, S: Shape>(&self, name: &str, shape: S, start: Start) -> Param<S, D> {
        self.parameter::<W, S>(name, shape, start, false)
    }

    fn parameter<W: Weights, S: Shape>(
        &self,
        name: &str,
        shape: S,
        start: Start,
        decay: bool,
    ) -> Param<S, D> {
        let value = self.device.tensor_from_vec(vec![0.0; shape.num_elements()], shape);
        let name = self.child(name).path;
        let meta = Meta { name, start, trained: W::TRAINED, loaded: W::LOADED, decay };
        Param { weight: Weight::new(value), meta }
    }
}

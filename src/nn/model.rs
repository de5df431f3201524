//! What a generated network implements, and the whole model made of its encoder and its heads.

use dfdx::prelude::Tape;

use super::parameter::{Build, Parameter, Parameters, Scope};
use super::{Batch, Logits};
use crate::kernels::{Kernels, Pass, Scoring, Shared, Tokens};

/// Output of the part with nothing trained in or before it, `[tokens, HIDDEN]`; `None` where there is none.
pub type Constant<const HIDDEN: usize, D> = Option<Tokens<HIDDEN, D>>;

/// What the encoder makes of a batch.
#[derive(Clone, Debug)]
pub struct Encoded<const HIDDEN: usize, D: Kernels> {
    /// Of the tokens that are read ([`Batch::read`]), `[tokens, HIDDEN]`
    pub tokens: Tokens<HIDDEN, D>,
    /// `[sequences, HIDDEN]`
    pub pooled: Tokens<HIDDEN, D>,
}

/// The encoder of a generated network.
pub trait Encode<const HIDDEN: usize, D: Kernels>: Build<D> + Parameters<D> + Shared {
    /// The part with nothing trained in or before it; the same for a batch at every step.
    fn constant(&self, batch: &Batch, pass: &mut Scoring<D>) -> Constant<HIDDEN, D>;

    /// The rest; `constant` is what [`Encode::constant`] gave for this batch.
    fn encode<T: Tape<f32, D>>(
        &self,
        constant: Constant<HIDDEN, D>,
        batch: &Batch,
        pass: &mut Pass<T, D>,
    ) -> Encoded<HIDDEN, D>;
}

/// The heads of a generated network.
pub trait Predict<const HIDDEN: usize, D: Kernels>: Build<D> + Parameters<D> + Shared {
    /// Logits of one task's head for what it reads, `[rows, HIDDEN]`: pooled sequences, or tokens.
    fn logits<T: Tape<f32, D>>(
        &self,
        task: usize,
        rows: Tokens<HIDDEN, D>,
        pass: &mut Pass<T, D>,
    ) -> Logits<D>;
}

/// An encoder and its heads.
#[derive(Debug)]
pub struct Model<const HIDDEN: usize, E, P, D> {
    pub encoder: E,
    pub heads: P,
    pub device: D,
}

impl<const HIDDEN: usize, E, P, D> Model<HIDDEN, E, P, D>
where
    E: Encode<HIDDEN, D>,
    P: Predict<HIDDEN, D>,
    D: Kernels,
{
    /// All parameters zero; see [`crate::nn::pretrained`] for giving them values.
    pub fn build(device: D) -> Self {
        let at = Scope::root(device.clone());
        Self { encoder: E::build(&at), heads: P::build(&at.child("heads")), device }
    }

    /// Every parameter, in a fixed order.
    pub fn parameters(&mut self) -> Vec<&mut dyn Parameter<D>> {
        let mut all = Vec::new();
        self.encoder.parameters(&mut all);
        self.heads.parameters(&mut all);
        all
    }
}

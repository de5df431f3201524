//! One run through the network: its tape and its dropout.

use dfdx::prelude::{NoneTape, OwnedTape, PutTape, Shape, SplitTape, Tape, Tensor};
use dfdx::tensor::Storage;

use super::watch::{Point, Shown};

/// State that every operation of one forward run shares.
///
/// `T` is dfdx's tape: [`OwnedTape`] records gradients, [`NoneTape`] compiles them away.
pub struct Pass<T, D: Storage<f32>> {
    pub device: D,
    pub tape: T,
    dropout: Option<Dropout>,
    /// What was shown, in order; `None` where nobody watches.
    shown: Option<Vec<Shown>>,
}

/// A pass without tape and dropout: scoring, evaluation, constant layers.
pub type Scoring<D> = Pass<NoneTape, D>;

/// A pass that records gradients.
pub type Training<D> = Pass<OwnedTape<f32, D>, D>;

/// Counter-based dropout: a mask is a function of (seed, place in the network, element), so that it does not
/// depend on threads, and backward needs no stored mask.
#[derive(Clone, Copy, Debug)]
struct Dropout {
    probability: f32,
    seed: u64,
    operations: u64,
}

/// The mask of one dropout operation.
#[derive(Clone, Copy, Debug)]
pub struct Mask {
    key: u32,
    /// An element is dropped where its 32 bit hash is below this.
    threshold: u32,
    /// 1 / (1 - p)
    scale: f32,
}

impl<D: Storage<f32>> Scoring<D> {
    pub fn scoring(device: D) -> Self {
        Self { device, tape: NoneTape, dropout: None, shown: None }
    }
}

impl<D: Storage<f32>> Training<D> {
    /// `dropout` in [0, 1); `seed` should differ from step to step.
    pub fn training(device: D, dropout: f32, seed: u64) -> Self {
        let dropout = (dropout > 0.0).then_some(Dropout { probability: dropout, seed, operations: 0 });
        Self { device, tape: OwnedTape::default(), dropout, shown: None }
    }
}

impl<T: Tape<f32, D>, D: Storage<f32>> Pass<T, D> {
    /// Runs dfdx's own operations on this pass's tape.
    pub fn record<S: Shape, R: Shape>(
        &mut self,
        x: &Tensor<S, f32, D>,
        f: impl FnOnce(Tensor<S, f32, D, T>) -> Tensor<R, f32, D, T>,
    ) -> Tensor<R, f32, D> {
        let x = x.clone().put_tape(std::mem::take(&mut self.tape));
        let (y, tape) = f(x).split_tape();
        self.tape = tape;
        y
    }

    /// From here on keeps a copy of every intermediate result that the network shows.
    pub fn watch(&mut self) {
        self.shown = Some(Vec::new());
    }

    /// Shows an intermediate result; nothing happens where nobody watches.
    pub fn show<S: Shape>(&mut self, point: Point, x: &Tensor<S, f32, D>) {
        if let Some(shown) = &mut self.shown {
            shown.push(Shown { point, values: x.as_vec() });
        }
    }

    /// What was shown since [`Pass::watch`], in order.
    pub fn shown(&mut self) -> Vec<Shown> {
        self.shown.take().unwrap_or_default()
    }

    /// The mask of the next dropout operation, if this pass drops anything.
    pub fn next_mask(&mut self) -> Option<Mask> {
        let dropout = self.dropout.as_mut()?;
        dropout.operations += 1;
        let key = splitmix64(dropout.seed ^ splitmix64(dropout.operations));
        Some(Mask {
            key: (key >> 32) as u32,
            threshold: (f64::from(dropout.probability) * 2f64.powi(32)) as u32,
            scale: 1.0 / (1.0 - dropout.probability),
        })
    }
}

impl Mask {
    /// 1 / (1 - p): the factor on what is kept.
    pub fn scale(self) -> f32 {
        self.scale
    }

    /// What defines it: key, threshold and scale.
    pub fn parts(self) -> (u32, u32, f32) {
        (self.key, self.threshold, self.scale)
    }

    /// Factor on element `index`: 0 or 1 / (1 - p).
    #[inline(always)]
    pub fn factor(self, index: u32) -> f32 {
        // two rounds of a 32 bit multiply-xorshift hash; branch-free, so that it vectorizes
        let mut h = index ^ self.key;
        h = (h ^ (h >> 16)).wrapping_mul(0x7feb_352d);
        h = (h ^ (h >> 15)).wrapping_mul(0x846c_a68b);
        h ^= h >> 16;
        if h < self.threshold { 0.0 } else { self.scale }
    }

    /// Multiplies elements `first ..` by their factors.
    #[inline(always)]
    pub fn apply(self, first: usize, values: &mut [f32]) {
        for (i, value) in values.iter_mut().enumerate() {
            *value *= self.factor((first as u32).wrapping_add(i as u32));
        }
    }

    /// Factor on element (row, column) of one head's softmax: `element` = row * length + column.
    #[inline(always)]
    pub fn attention_factor(self, sequence: usize, head: usize, element: usize) -> f32 {
        let stream = (sequence as u32).wrapping_mul(0x9e37_79b1) ^ (head as u32).wrapping_mul(0x85eb_ca6b);
        self.factor((element as u32).wrapping_add(stream))
    }
}

fn splitmix64(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

//! The factors of dropout for the composed operations.

use dfdx::prelude::{Cpu, Device, Shape, Tensor, TensorFromVec as _};

use super::Segments;
use super::pass::Mask;

/// A device that makes the factors of dropout, 0 or 1 / (1 - p), where [`Mask`] says.
pub trait Factors: Device<f32> {
    /// Of every element, row by row.
    fn elements<S: Shape>(&self, mask: Mask, shape: S) -> Tensor<S, f32, Self>;

    /// Of each head's softmax, `[sequences * heads, length, length]`, in the places that the fused operation gives
    /// them; 0 beyond a sequence's own length.
    fn attention(
        &self,
        mask: Mask,
        segments: &Segments,
        heads: usize,
        length: usize,
    ) -> Tensor<(usize, usize, usize), f32, Self>;
}

impl Factors for Cpu {
    fn elements<S: Shape>(&self, mask: Mask, shape: S) -> Tensor<S, f32, Self> {
        let factors = (0..shape.num_elements()).map(|i| mask.factor(i as u32)).collect();
        self.tensor_from_vec(factors, shape)
    }

    fn attention(
        &self,
        mask: Mask,
        segments: &Segments,
        heads: usize,
        length: usize,
    ) -> Tensor<(usize, usize, usize), f32, Self> {
        let mut factors = Vec::with_capacity(segments.sequences() * heads * length * length);
        for sequence in 0..segments.sequences() {
            let own = segments.range(sequence).len();
            for head in 0..heads {
                for (row, column) in (0..length).flat_map(|row| (0..length).map(move |column| (row, column)))
                {
                    factors.push(match row < own && column < own {
                        true => mask.attention_factor(sequence, head, row * own + column),
                        false => 0.0,
                    });
                }
            }
        }
        self.tensor_from_vec(factors, (segments.sequences() * heads, length, length))
    }
}

//! The encoder layer of BERT, with whatever is attached to it.

use dfdx::prelude::Tape;

use super::attention::{AttentionBias, AttentionKind};
use super::bottleneck::{BottleneckKind, BottleneckPath, Step};
use super::norm::{NormKind, Normalize};
use super::parameter::{Build, Scope, Weights};
use super::{Batch, Linear};
use crate::kernels::{Kernels, Pass, Point, Segments, Tokens};
use crate::parameters;

/// One layer: a = norm(attention(x) + x), y = norm(bottleneck(ffn(a)) + a).
///
/// `W` tells what becomes of the pretrained weights, `A`, `N` and `B` what is attached; the attached modules are
/// always trained. `HEADS` divides `HIDDEN`.
pub struct EncoderLayer<const HIDDEN: usize, const HEADS: usize, const FFN: usize, W, A, N, B, D>
where
    W: Weights,
    A: AttentionKind,
    N: NormKind,
    B: BottleneckKind,
    D: Kernels,
{
    pub query: Linear<HIDDEN, HIDDEN, W, D>,
    pub key: Linear<HIDDEN, HIDDEN, W, D>,
    pub value: Linear<HIDDEN, HIDDEN, W, D>,
    /// M(z) of conditional attention.
    pub bias: A::Bias<HIDDEN, D>,
    pub attention_output: Linear<HIDDEN, HIDDEN, W, D>,
    pub attention_norm: N::Norm<HIDDEN, W, D>,
    pub ffn_in: Linear<HIDDEN, FFN, W, D>,
    pub ffn_out: Linear<FFN, HIDDEN, W, D>,
    pub bottleneck: B::Path<HIDDEN, D>,
    pub norm: N::Norm<HIDDEN, W, D>,
}

/// Something that maps `[tokens, HIDDEN]` to as many rows, or to those of them that are wanted, given z.
pub trait Layer<const HIDDEN: usize, D: Kernels, Z> {
    /// `wanted` has the first rows of each sequence of `segments`; the result is of these, `[wanted, HIDDEN]`.
    fn forward<T: Tape<f32, D>>(
        &self,
        x: Tokens<HIDDEN, D>,
        z: &Z,
        segments: &Segments,
        wanted: &Segments,
        pass: &mut Pass<T, D>,
    ) -> Tokens<HIDDEN, D>;
}

impl<const HIDDEN: usize, const HEADS: usize, const FFN: usize, W, A, N, B, D, Z> Layer<HIDDEN, D, Z>
    for EncoderLayer<HIDDEN, HEADS, FFN, W, A, N, B, D>
where
    W: Weights,
    A: AttentionKind,
    A::Bias<HIDDEN, D>: AttentionBias<HIDDEN, D, Z>,
    N: NormKind,
    N::Norm<HIDDEN, W, D>: Normalize<HIDDEN, D, Z>,
    B: BottleneckKind,
    B::Path<HIDDEN, D>: BottleneckPath<HIDDEN, D, Z>,
    D: Kernels,
{
    fn forward<T: Tape<f32, D>>(
        &self,
        x: Tokens<HIDDEN, D>,
        z: &Z,
        segments: &Segments,
        wanted: &Segments,
        pass: &mut Pass<T, D>,
    ) -> Tokens<HIDDEN, D> {
        const { assert!(HEADS > 0 && HIDDEN.is_multiple_of(HEADS), "the heads must divide the hidden size") }

        let bias = self.bias.bias(z, pass);
        if let Some((bias, shape)) = &bias {
            pass.show(Point::AttentionBias(*shape), bias);
        }
        let dense = [self.query.dense(), self.key.dense(), self.value.dense()];
        let context = D::self_attention(pass, &x, dense, HEADS, bias, segments, wanted);
        let x = match segments.first_rows(wanted) {
            None => x,
            Some(rows) => D::select(pass, &x, &rows),
        };
        let residual = self.attention_norm.after(&x, z, wanted, pass);
        let attended = D::linear_norm(pass, &context, self.attention_output.dense(), residual);

        pass.show(Point::AttentionOutput, &attended);

        let ffn = (self.ffn_in.dense(), self.ffn_out.dense());
        let residual = self.norm.after(&attended, z, wanted, pass);
        let y = self.bottleneck.end(&attended, ffn, residual, z, pass);
        pass.show(Point::Layer, &y);
        y
    }
}

impl<const HIDDEN: usize, const HEADS: usize, const FFN: usize, W, A, N, B, D> Build<D>
    for EncoderLayer<HIDDEN, HEADS, FFN, W, A, N, B, D>
where
    W: Weights,
    A: AttentionKind,
    N: NormKind,
    B: BottleneckKind,
    D: Kernels,
{
    fn build(at: &Scope<D>) -> Self {
        Self {
            query: Linear::build(&at.child("attention.self.query")),
            key: Linear::build(&at.child("attention.self.key")),
            value: Linear::build(&at.child("attention.self.value")),
            bias: Build::build(&at.child("attention.bias")),
            attention_output: Linear::build(&at.child("attention.output.dense")),
            attention_norm: Build::build(&at.child("attention.output.LayerNorm")),
            ffn_in: Linear::build(&at.child("intermediate.dense")),
            ffn_out: Linear::build(&at.child("output.dense")),
            bottleneck: Build::build(&at.child("bottleneck")),
            norm: Build::build(&at.child("output.LayerNorm")),
        }
    }
}

parameters!([const HIDDEN: usize, const HEADS: usize, const FFN: usize, W: Weights, A: AttentionKind, N: NormKind, B: BottleneckKind, D: Kernels]
EncoderLayer<HIDDEN, HEADS, FFN, W, A, N, B, D> {
    query, key, value, bias, attention_output, attention_norm, ffn_in, ffn_out, bottleneck, norm
});

/// Layers of one type, one after the other.
pub trait Layers<const HIDDEN: usize, D: Kernels, Z> {
    fn forward<T: Tape<f32, D>>(
        &self,
        x: Tokens<HIDDEN, D>,
        z: &Z,
        batch: &Batch,
        pass: &mut Pass<T, D>,
    ) -> Tokens<HIDDEN, D>;

    /// As `forward`, where these are the network's last: of the last of them only the rows that are read
    /// ([`Batch::read`]) are made.
    fn finish<T: Tape<f32, D>>(
        &self,
        x: Tokens<HIDDEN, D>,
        z: &Z,
        batch: &Batch,
        pass: &mut Pass<T, D>,
    ) -> Tokens<HIDDEN, D>;
}

impl<const HIDDEN: usize, const N: usize, L: Layer<HIDDEN, D, Z>, D: Kernels, Z> Layers<HIDDEN, D, Z>
    for [L; N]
{
    fn forward<T: Tape<f32, D>>(
        &self,
        x: Tokens<HIDDEN, D>,
        z: &Z,
        batch: &Batch,
        pass: &mut Pass<T, D>,
    ) -> Tokens<HIDDEN, D> {
        let segments = &batch.segments;
        self.iter().fold(x, |x, layer| layer.forward(x, z, segments, segments, pass))
    }

    fn finish<T: Tape<f32, D>>(
        &self,
        x: Tokens<HIDDEN, D>,
        z: &Z,
        batch: &Batch,
        pass: &mut Pass<T, D>,
    ) -> Tokens<HIDDEN, D> {
        let segments = &batch.segments;
        self.iter().enumerate().fold(x, |x, (number, layer)| {
            let wanted = if number + 1 == N { batch.read() } else { segments };
            layer.forward(x, z, segments, wanted, pass)
        })
    }
}

/// Layers with the ladder's steps beside them: h_i = layer_i(h_{i-1}), f_i = bottleneck_i(h_i + f_{i-1}).
///
/// Returns the last h and f; `layers` and `steps` have the same length.
pub fn climb<const HIDDEN: usize, L, S, T, D>(
    layers: &[L],
    steps: &[S],
    (mut h, mut f): (Tokens<HIDDEN, D>, Option<Tokens<HIDDEN, D>>),
    z: &Tokens<HIDDEN, D>,
    batch: &Batch,
    pass: &mut Pass<T, D>,
) -> (Tokens<HIDDEN, D>, Option<Tokens<HIDDEN, D>>)
where
    L: Layer<HIDDEN, D, Tokens<HIDDEN, D>>,
    S: Step<HIDDEN, D>,
    T: Tape<f32, D>,
    D: Kernels,
{
    assert_eq!(layers.len(), steps.len(), "one step a layer");
    for (layer, step) in layers.iter().zip(steps) {
        h = layer.forward(h, z, &batch.segments, &batch.segments, pass);
        let next = step.forward(&h, f, z, batch, pass);
        pass.show(Point::Ladder, &next);
        f = Some(next);
    }
    (h, f)
}

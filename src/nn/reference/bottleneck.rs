//! The conditional bottleneck in the authors' code (`ConditionalBottleNeck`), in a layer and beside the encoder.

use dfdx::prelude::Tape;

use super::ConditionalWeightNorm;
use crate::kernels::{Dense, Kernels, Pass, Point, Residual, Segments, Tokens};
use crate::nn::bottleneck::{BottleneckKind, BottleneckPath, Step, joined};
use crate::nn::norm::Normalize;
use crate::nn::parameter::{BERT_START, Build, New, Scope};
use crate::nn::{Batch, Film, Linear};
use crate::parameters;

/// up(down(phi(h | W z + b))), with FiLM on the input and no non-linearity.
#[derive(Debug)]
pub struct Narrow<const HIDDEN: usize, const WIDTH: usize, D: Kernels> {
    /// W and b, on what conditions the layers (`emb_transf` in the authors' code).
    pub condition: Linear<HIDDEN, HIDDEN, New, D>,
    pub film: Film<HIDDEN, D>,
    pub down: Linear<HIDDEN, WIDTH, New, D>,
    pub up: Linear<WIDTH, HIDDEN, New, D>,
}

impl<const HIDDEN: usize, const WIDTH: usize, D: Kernels> Narrow<HIDDEN, WIDTH, D> {
    /// h is `[tokens, HIDDEN]`.
    fn forward<T: Tape<f32, D>>(
        &self,
        h: &Tokens<HIDDEN, D>,
        z: &Tokens<HIDDEN, D>,
        segments: &Segments,
        pass: &mut Pass<T, D>,
    ) -> Tokens<HIDDEN, D> {
        let z = self.condition.forward(z, pass);
        let h = self.film.forward(h, &z, segments, pass);
        let h = self.down.forward(&h, pass); // [tokens, WIDTH]
        self.up.forward(&h, pass)
    }
}

impl<const HIDDEN: usize, const WIDTH: usize, D: Kernels> Build<D> for Narrow<HIDDEN, WIDTH, D> {
    fn build(at: &Scope<D>) -> Self {
        Self {
            condition: Linear::build_with(&at.child("condition"), BERT_START),
            film: Film::build(&at.child("film")),
            down: Linear::build_with(&at.child("down"), BERT_START),
            up: Linear::build_with(&at.child("up"), BERT_START),
        }
    }
}

parameters!([const HIDDEN: usize, const WIDTH: usize, D: Kernels]
    Narrow<HIDDEN, WIDTH, D> { condition, film, down, up });

/// A linear bottleneck of the given inner width, and a norm of its own.
#[derive(Clone, Copy, Debug)]
pub struct LinearBottleneck<const WIDTH: usize>;

impl<const WIDTH: usize> BottleneckKind for LinearBottleneck<WIDTH> {
    type Path<const HIDDEN: usize, D: Kernels> = LinearPath<HIDDEN, WIDTH, D>;
}

/// A layer's end: with a its attention output and y the layer as pretrained, norm'(bottleneck(y) + a).
#[derive(Debug)]
pub struct LinearPath<const HIDDEN: usize, const WIDTH: usize, D: Kernels> {
    pub bottleneck: Narrow<HIDDEN, WIDTH, D>,
    pub norm: ConditionalWeightNorm<HIDDEN, New, D>,
}

impl<const HIDDEN: usize, const WIDTH: usize, D: Kernels> BottleneckPath<HIDDEN, D, Tokens<HIDDEN, D>>
    for LinearPath<HIDDEN, WIDTH, D>
{
    fn end<const FFN: usize, T: Tape<f32, D>>(
        &self,
        x: &Tokens<HIDDEN, D>,
        ffn: (Dense<HIDDEN, FFN, D>, Dense<FFN, HIDDEN, D>),
        residual: Residual<HIDDEN, D>,
        z: &Tokens<HIDDEN, D>,
        pass: &mut Pass<T, D>,
    ) -> Tokens<HIDDEN, D> {
        let segments = residual.segments.clone();
        let y = D::feed_forward(pass, x, ffn, true, Some(residual));
        pass.show(Point::BeforeBottleneck, &y);
        let narrow = self.bottleneck.forward(&y, z, &segments, pass);
        pass.show(Point::Bottleneck, &narrow);
        let Residual { x, gamma, beta, epsilon, segments, learn } = self.norm.after(x, z, &segments, pass);
        let sum = pass.record(&narrow, |narrow| narrow + x);
        D::norm(pass, &sum, &gamma, &beta, epsilon, &segments, learn)
    }
}

impl<const HIDDEN: usize, const WIDTH: usize, D: Kernels> Build<D> for LinearPath<HIDDEN, WIDTH, D> {
    fn build(at: &Scope<D>) -> Self {
        Self { bottleneck: Build::build(at), norm: Build::build(&at.child("norm")) }
    }
}

parameters!([const HIDDEN: usize, const WIDTH: usize, D: Kernels]
    LinearPath<HIDDEN, WIDTH, D> { bottleneck, norm });

/// A step of the ladder with a linear bottleneck: f_i = bottleneck_i(h_i + f_{i-1}).
#[derive(Debug)]
pub struct LinearLadderStep<const HIDDEN: usize, const WIDTH: usize, D: Kernels> {
    pub bottleneck: Narrow<HIDDEN, WIDTH, D>,
}

impl<const HIDDEN: usize, const WIDTH: usize, D: Kernels> Step<HIDDEN, D>
    for LinearLadderStep<HIDDEN, WIDTH, D>
{
    fn forward<T: Tape<f32, D>>(
        &self,
        h: &Tokens<HIDDEN, D>,
        f: Option<Tokens<HIDDEN, D>>,
        z: &Tokens<HIDDEN, D>,
        batch: &Batch,
        pass: &mut Pass<T, D>,
    ) -> Tokens<HIDDEN, D> {
        let h = joined(h, f, pass);
        self.bottleneck.forward(&h, z, &batch.segments, pass)
    }
}

impl<const HIDDEN: usize, const WIDTH: usize, D: Kernels> Build<D> for LinearLadderStep<HIDDEN, WIDTH, D> {
    fn build(at: &Scope<D>) -> Self {
        Self { bottleneck: Build::build(at) }
    }
}

parameters!([const HIDDEN: usize, const WIDTH: usize, D: Kernels]
    LinearLadderStep<HIDDEN, WIDTH, D> { bottleneck });

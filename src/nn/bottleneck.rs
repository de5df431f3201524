//! The conditional bottleneck: an adapter whose input is modulated by the task.

use dfdx::prelude::Tape;

use super::parameter::{BERT_START, Build, New, Parameter, Parameters, Scope};
use super::{Batch, Film, Linear};
use crate::kernels::{Dense, Kernels, Pass, Point, Residual, Segments, Tokens};
use crate::parameters;

/// How a layer ends: its feed-forward layers, and what stands between them and the norm; `Z` is what that needs of the
/// task.
pub trait BottleneckPath<const HIDDEN: usize, D: Kernels, Z> {
    /// norm(bottleneck(dropout(ffn(x))) + x), `residual` being that norm.
    fn end<const FFN: usize, T: Tape<f32, D>>(
        &self,
        x: &Tokens<HIDDEN, D>,
        ffn: (Dense<HIDDEN, FFN, D>, Dense<FFN, HIDDEN, D>),
        residual: Residual<HIDDEN, D>,
        z: &Z,
        pass: &mut Pass<T, D>,
    ) -> Tokens<HIDDEN, D>;
}

/// Whether a layer has a bottleneck.
pub trait BottleneckKind {
    type Path<const HIDDEN: usize, D: Kernels>: Build<D> + Parameters<D>;
}

/// The layer as pretrained.
#[derive(Clone, Copy, Debug)]
pub struct NoBottleneck;

/// A conditional bottleneck of the given inner width.
#[derive(Clone, Copy, Debug)]
pub struct CondBottleneck<const WIDTH: usize>;

impl BottleneckKind for NoBottleneck {
    type Path<const HIDDEN: usize, D: Kernels> = Straight;
}

impl<const WIDTH: usize> BottleneckKind for CondBottleneck<WIDTH> {
    type Path<const HIDDEN: usize, D: Kernels> = Bottleneck<HIDDEN, WIDTH, D>;
}

/// No bottleneck, no parameters.
#[derive(Clone, Copy, Debug)]
pub struct Straight;

impl<const HIDDEN: usize, D: Kernels, Z> BottleneckPath<HIDDEN, D, Z> for Straight {
    fn end<const FFN: usize, T: Tape<f32, D>>(
        &self,
        x: &Tokens<HIDDEN, D>,
        ffn: (Dense<HIDDEN, FFN, D>, Dense<FFN, HIDDEN, D>),
        residual: Residual<HIDDEN, D>,
        _: &Z,
        pass: &mut Pass<T, D>,
    ) -> Tokens<HIDDEN, D> {
        D::feed_forward(pass, x, ffn, true, Some(residual))
    }
}

impl<D: Kernels> Build<D> for Straight {
    fn build(_: &Scope<D>) -> Self {
        Self
    }
}

impl<D: Kernels> Parameters<D> for Straight {
    fn parameters<'a>(&'a mut self, _: &mut Vec<&'a mut dyn Parameter<D>>) {}
}

/// up(gelu(down(phi(h | z)))), with FiLM on the input.
///
/// The paper leaves the non-linearity open; GELU is the backbone's own.
#[derive(Debug)]
pub struct Bottleneck<const HIDDEN: usize, const WIDTH: usize, D: Kernels> {
    pub film: Film<HIDDEN, D>,
    pub down: Linear<HIDDEN, WIDTH, New, D>,
    pub up: Linear<WIDTH, HIDDEN, New, D>,
}

impl<const HIDDEN: usize, const WIDTH: usize, D: Kernels> Bottleneck<HIDDEN, WIDTH, D> {
    /// h is `[tokens, HIDDEN]`; with a residual the norm after it.
    pub fn forward<T: Tape<f32, D>>(
        &self,
        h: &Tokens<HIDDEN, D>,
        residual: Option<Residual<HIDDEN, D>>,
        z: &Tokens<HIDDEN, D>,
        segments: &Segments,
        pass: &mut Pass<T, D>,
    ) -> Tokens<HIDDEN, D> {
        let h = self.film.forward(h, z, segments, pass);
        D::feed_forward(pass, &h, (self.down.dense(), self.up.dense()), false, residual)
    }
}

impl<const HIDDEN: usize, const WIDTH: usize, D: Kernels> BottleneckPath<HIDDEN, D, Tokens<HIDDEN, D>>
    for Bottleneck<HIDDEN, WIDTH, D>
{
    fn end<const FFN: usize, T: Tape<f32, D>>(
        &self,
        x: &Tokens<HIDDEN, D>,
        ffn: (Dense<HIDDEN, FFN, D>, Dense<FFN, HIDDEN, D>),
        residual: Residual<HIDDEN, D>,
        z: &Tokens<HIDDEN, D>,
        pass: &mut Pass<T, D>,
    ) -> Tokens<HIDDEN, D> {
        let h = D::feed_forward(pass, x, ffn, true, None);
        pass.show(Point::BeforeBottleneck, &h);
        let segments = residual.segments.clone();
        self.forward(&h, Some(residual), z, &segments, pass)
    }
}

impl<const HIDDEN: usize, const WIDTH: usize, D: Kernels> Build<D> for Bottleneck<HIDDEN, WIDTH, D> {
    fn build(at: &Scope<D>) -> Self {
        Self {
            film: Film::build(&at.child("film")),
            down: Linear::build_with(&at.child("down"), BERT_START),
            up: Linear::build_with(&at.child("up"), BERT_START),
        }
    }
}

parameters!([const HIDDEN: usize, const WIDTH: usize, D: Kernels] Bottleneck<HIDDEN, WIDTH, D> { film, down, up });

/// A step of the ladder beside the encoder, f_i = bottleneck_i(h_i + f_{i-1}).
pub trait Step<const HIDDEN: usize, D: Kernels> {
    /// h_i is the layer's output, `[tokens, HIDDEN]`; f_{i-1} is absent on the first step.
    fn forward<T: Tape<f32, D>>(
        &self,
        h: &Tokens<HIDDEN, D>,
        f: Option<Tokens<HIDDEN, D>>,
        z: &Tokens<HIDDEN, D>,
        batch: &Batch,
        pass: &mut Pass<T, D>,
    ) -> Tokens<HIDDEN, D>;
}

/// h + f, where there is an f.
pub(super) fn joined<const HIDDEN: usize, D: Kernels, T: Tape<f32, D>>(
    h: &Tokens<HIDDEN, D>,
    f: Option<Tokens<HIDDEN, D>>,
    pass: &mut Pass<T, D>,
) -> Tokens<HIDDEN, D> {
    match f {
        None => h.clone(),
        Some(f) => pass.record(h, |h| h + f),
    }
}

/// One step of the large variant's ladder.
#[derive(Debug)]
pub struct LadderStep<const HIDDEN: usize, const WIDTH: usize, D: Kernels> {
    pub bottleneck: Bottleneck<HIDDEN, WIDTH, D>,
}

impl<const HIDDEN: usize, const WIDTH: usize, D: Kernels> Step<HIDDEN, D> for LadderStep<HIDDEN, WIDTH, D> {
    fn forward<T: Tape<f32, D>>(
        &self,
        h: &Tokens<HIDDEN, D>,
        f: Option<Tokens<HIDDEN, D>>,
        z: &Tokens<HIDDEN, D>,
        batch: &Batch,
        pass: &mut Pass<T, D>,
    ) -> Tokens<HIDDEN, D> {
        let h = joined(h, f, pass);
        self.bottleneck.forward(&h, None, z, &batch.segments, pass)
    }
}

impl<const HIDDEN: usize, const WIDTH: usize, D: Kernels> Build<D> for LadderStep<HIDDEN, WIDTH, D> {
    fn build(at: &Scope<D>) -> Self {
        Self { bottleneck: Bottleneck::build(at) }
    }
}

parameters!([const HIDDEN: usize, const WIDTH: usize, D: Kernels] LadderStep<HIDDEN, WIDTH, D> { bottleneck });

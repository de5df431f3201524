//! The conditional bottleneck: an adapter whose input is modulated by the task.

use dfdx::prelude::Tape;

use super::parameter::{BERT_START, Build, New, Parameter, Parameters, Scope};
use super::{Batch, Film, Linear};
use crate::kernels::{Kernels, Pass, Segments, Tokens};
use crate::parameters;

/// What a layer does between its feed-forward output and its last norm; `Z` is what it needs of the task.
pub trait BottleneckPath<const HIDDEN: usize, D: Kernels, Z> {
    fn through<T: Tape<f32, D>>(
        &self,
        h: Tokens<HIDDEN, D>,
        z: &Z,
        segments: &Segments,
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
    fn through<T: Tape<f32, D>>(
        &self,
        h: Tokens<HIDDEN, D>,
        _: &Z,
        _: &Segments,
        _: &mut Pass<T, D>,
    ) -> Tokens<HIDDEN, D> {
        h
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

impl<const HIDDEN: usize, const WIDTH: usize, D: Kernels> BottleneckPath<HIDDEN, D, Tokens<HIDDEN, D>>
    for Bottleneck<HIDDEN, WIDTH, D>
{
    fn through<T: Tape<f32, D>>(
        &self,
        h: Tokens<HIDDEN, D>,
        z: &Tokens<HIDDEN, D>,
        segments: &Segments,
        pass: &mut Pass<T, D>,
    ) -> Tokens<HIDDEN, D> {
        let h = self.film.forward(&h, z, segments, pass);
        let h = self.down.forward(&h, pass); // [tokens, WIDTH]
        let h = D::gelu(pass, &h);
        self.up.forward(&h, pass) // [tokens, HIDDEN]
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

/// One step of the large variant's ladder beside the encoder: f_i = bottleneck_i(h_i + f_{i-1}).
#[derive(Debug)]
pub struct LadderStep<const HIDDEN: usize, const WIDTH: usize, D: Kernels> {
    pub bottleneck: Bottleneck<HIDDEN, WIDTH, D>,
}

impl<const HIDDEN: usize, const WIDTH: usize, D: Kernels> LadderStep<HIDDEN, WIDTH, D> {
    /// h_i is the layer's output, `[tokens, HIDDEN]`; f_{i-1} is absent on the first step.
    pub fn forward<T: Tape<f32, D>>(
        &self,
        h: &Tokens<HIDDEN, D>,
        f: Option<Tokens<HIDDEN, D>>,
        z: &Tokens<HIDDEN, D>,
        batch: &Batch,
        pass: &mut Pass<T, D>,
    ) -> Tokens<HIDDEN, D> {
        let h = match f {
            None => h.clone(),
            Some(f) => pass.record(h, |h| h + f),
        };
        self.bottleneck.through(h, z, &batch.segments, pass)
    }
}

impl<const HIDDEN: usize, const WIDTH: usize, D: Kernels> Build<D> for LadderStep<HIDDEN, WIDTH, D> {
    fn build(at: &Scope<D>) -> Self {
        Self { bottleneck: Bottleneck::build(at) }
    }
}

parameters!([const HIDDEN: usize, const WIDTH: usize, D: Kernels] LadderStep<HIDDEN, WIDTH, D> { bottleneck });

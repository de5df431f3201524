//! Dropout of an activation alone: that of the embeddings, and of what enters a head.

use dfdx::prelude::{Cpu, HasShape, Tape};
use rayon::prelude::*;

use super::buffers::{add, values};
use super::simd::vectorized;
use super::{span, take_gradient, tokens};
use crate::kernels::pass::Mask;
use crate::kernels::{Pass, Tokens};

/// Elements a task of rayon.
const CHUNK: usize = 1 << 14;

pub fn dropout<const WIDTH: usize, T: Tape<f32, Cpu>>(
    pass: &mut Pass<T, Cpu>,
    x: &Tokens<WIDTH, Cpu>,
) -> Tokens<WIDTH, Cpu> {
    let Some(mask) = pass.next_mask() else { return x.clone() };
    let _span = span!("dropout");
    let mut dropped = values(x).to_vec();
    apply(mask, &mut dropped);
    let y = tokens(&pass.device, dropped, x.shape().0);

    if T::OWNS_TAPE {
        let (ghost, x) = (y.ghost(), x.clone());
        pass.tape.add_backward_op(move |gradients| {
            let _span = span!("dropout", backward);
            let mut dy = take_gradient!(gradients, &ghost);
            apply(mask, &mut dy);
            add(gradients.get_or_alloc_mut(&x)?, &dy);
            Ok(())
        });
    }
    y
}

fn apply(mask: Mask, values: &mut [f32]) {
    values.par_chunks_mut(CHUNK).enumerate().for_each(|(n, chunk)| {
        vectorized(
            #[inline(always)]
            || mask.apply(n * CHUNK, chunk),
        );
    });
}

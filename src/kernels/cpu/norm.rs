//! Layer normalization of an activation alone: that of the embeddings.

use dfdx::prelude::{Cpu, HasShape, Tape};
use rayon::prelude::*;

use super::buffers::{add, values};
use super::residual::{End, Norm, Sums, in_blocks};
use super::{span, take_gradient, tokens};
use crate::kernels::{Pass, Segments, Tokens};

/// Rows a task of rayon.
const ROWS: usize = 64;

pub fn norm<const HIDDEN: usize, T: Tape<f32, Cpu>>(
    pass: &mut Pass<T, Cpu>,
    x: &Tokens<HIDDEN, Cpu>,
    (gamma, beta): (&Tokens<HIDDEN, Cpu>, &Tokens<HIDDEN, Cpu>),
    epsilon: f32,
    segments: &Segments,
    learn: bool,
) -> Tokens<HIDDEN, Cpu> {
    let _span = span!("norm");
    let (rows, input) = (x.shape().0, values(x));
    let norm = Norm { residual: None, gamma: values(gamma), beta: values(beta), epsilon, segments };
    let end = End { bias: &[], mask: None, norm: Some(norm) };
    // SAFETY: y is written as a copy, and the end writes what is kept of the norm.
    let made = unsafe {
        in_blocks::<HIDDEN>((rows, ROWS), (T::OWNS_TAPE, 0), |block| {
            let y = block.y.write_copy_of_slice(&input[block.first * HIDDEN..][..block.rows * HIDDEN]);
            end.forward::<HIDDEN>(block.first, y, block.norm);
        })
    };
    let y = tokens(&pass.device, made.y, rows);

    if T::OWNS_TAPE {
        let (ghost, x, segments, kept) = (y.ghost(), x.clone(), segments.clone(), made.kept);
        let (gamma, beta) = (gamma.clone(), beta.clone());
        pass.tape.add_backward_op(move |gradients| {
            let _span = span!("norm", backward);
            let mut dy = take_gradient!(gradients, &ghost);
            let segments = &segments;
            let norm = Norm { residual: None, gamma: values(&gamma), beta: values(&beta), epsilon, segments };
            let end = End { bias: &[], mask: None, norm: Some(norm) };
            let dx: &mut Vec<f32> = gradients.get_or_alloc_mut(&x)?;
            let sums: Vec<Sums> = dy
                .par_chunks_mut(ROWS * HIDDEN)
                .zip(dx.par_chunks_mut(ROWS * HIDDEN))
                .enumerate()
                .map(|(n, (dy, dx))| end.backward::<HIDDEN>(n * ROWS, dy, &kept, dx))
                .collect();
            let sums = Sums::total(sums);
            if learn {
                add(gradients.get_or_alloc_mut(&gamma)?, &sums.gamma);
                add(gradients.get_or_alloc_mut(&beta)?, &sums.beta);
            }
            Ok(())
        });
    }
    y
}

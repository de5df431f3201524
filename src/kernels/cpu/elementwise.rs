//! Operations on one element at a time: GELU, dropout.

use dfdx::prelude::{Cpu, HasShape, Tape};
use rayon::prelude::*;

use super::math::normal;
use super::{read, take_gradient, tokens};
use crate::kernels::pass::Mask;
use crate::kernels::{Pass, Tokens};

/// Elements a task of rayon.
const CHUNK: usize = 1 << 14;

pub fn gelu<const WIDTH: usize, T: Tape<f32, Cpu>>(
    pass: &mut Pass<T, Cpu>,
    x: &Tokens<WIDTH, Cpu>,
) -> Tokens<WIDTH, Cpu> {
    let mut values = read(x);
    values.par_chunks_mut(CHUNK).for_each(|chunk| {
        for value in chunk {
            *value *= normal(*value).0;
        }
    });
    let y = tokens(&pass.device, values, x.shape().0);

    if T::OWNS_TAPE {
        let (ghost, x) = (y.ghost(), x.clone());
        pass.tape.add_backward_op(move |gradients| {
            let dy = take_gradient!(gradients, &ghost);
            let input = read(&x);
            let dx = gradients.get_or_alloc_mut(&x)?;
            dx.par_chunks_mut(CHUNK).zip(dy.par_chunks(CHUNK)).zip(input.par_chunks(CHUNK)).for_each(
                |((dx, dy), x)| {
                    for ((dx, &dy), &x) in dx.iter_mut().zip(dy).zip(x) {
                        let (cumulative, density) = normal(x);
                        *dx += dy * x.mul_add(density, cumulative); // d(x Phi)/dx = Phi + x phi
                    }
                },
            );
            Ok(())
        });
    }
    y
}

pub fn dropout<const WIDTH: usize, T: Tape<f32, Cpu>>(
    pass: &mut Pass<T, Cpu>,
    x: &Tokens<WIDTH, Cpu>,
) -> Tokens<WIDTH, Cpu> {
    let Some(mask) = pass.next_mask() else { return x.clone() };
    let mut values = read(x);
    apply(mask, &mut values);
    let y = tokens(&pass.device, values, x.shape().0);

    if T::OWNS_TAPE {
        let (ghost, x) = (y.ghost(), x.clone());
        pass.tape.add_backward_op(move |gradients| {
            let mut dy = take_gradient!(gradients, &ghost);
            apply(mask, &mut dy);
            let dx = gradients.get_or_alloc_mut(&x)?;
            dx.iter_mut().zip(&dy).for_each(|(dx, &dy)| *dx += dy);
            Ok(())
        });
    }
    y
}

fn apply(mask: Mask, values: &mut [f32]) {
    values.par_chunks_mut(CHUNK).enumerate().for_each(|(n, chunk)| {
        let first = (n * CHUNK) as u32;
        for (i, value) in chunk.iter_mut().enumerate() {
            *value *= mask.factor(first.wrapping_add(i as u32));
        }
    });
}

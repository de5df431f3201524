//! Operations on one element at a time: GELU, dropout.

use dfdx::prelude::{Cpu, HasShape, Tape};
use rayon::prelude::*;

use super::buffers::{add, map_rows, values};
use super::math::normal;
use super::{take_gradient, tokens};
use crate::kernels::pass::Mask;
use crate::kernels::{Pass, Tokens};

/// Elements a task of rayon.
const CHUNK: usize = 1 << 14;
/// Rows a task of rayon.
const ROWS: usize = 16;

pub fn gelu<const WIDTH: usize, T: Tape<f32, Cpu>>(
    pass: &mut Pass<T, Cpu>,
    x: &Tokens<WIDTH, Cpu>,
) -> Tokens<WIDTH, Cpu> {
    let (rows, input) = (x.shape().0, values(x));
    let y = map_rows(
        (rows, WIDTH),
        ROWS,
        |row| &input[row * WIDTH..][..WIDTH],
        |_, block| block.iter_mut().for_each(|x| *x *= normal(*x).0),
    );
    let y = tokens(&pass.device, y, rows);

    if T::OWNS_TAPE {
        let (ghost, x) = (y.ghost(), x.clone());
        pass.tape.add_backward_op(move |gradients| {
            let dy = take_gradient!(gradients, &ghost);
            let input = values(&x);
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
    let mut dropped = values(x).to_vec();
    apply(mask, &mut dropped);
    let y = tokens(&pass.device, dropped, x.shape().0);

    if T::OWNS_TAPE {
        let (ghost, x) = (y.ghost(), x.clone());
        pass.tape.add_backward_op(move |gradients| {
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
        let first = (n * CHUNK) as u32;
        for (i, value) in chunk.iter_mut().enumerate() {
            *value *= mask.factor(first.wrapping_add(i as u32));
        }
    });
}

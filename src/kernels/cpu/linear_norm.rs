//! norm(dropout(x W^T + b) + residual): what ends the attention half of a layer.

use dfdx::prelude::{Cpu, HasShape, Tape};
use rayon::prelude::*;

use super::buffers::{add, values};
use super::matmul::{Operand, Right, Rows, Target, block_rows, weight_gradient};
use super::residual::{End, Sums, in_blocks};
use super::{aside, span, take_gradient, tokens};
use crate::kernels::{Dense, Pass, Residual, Tokens};

pub fn linear_norm<const IN: usize, const HIDDEN: usize, T: Tape<f32, Cpu>>(
    pass: &mut Pass<T, Cpu>,
    x: &Tokens<IN, Cpu>,
    dense: Dense<IN, HIDDEN, Cpu>,
    residual: Residual<HIDDEN, Cpu>,
) -> Tokens<HIDDEN, Cpu> {
    let _span = span!("linear_norm");
    let rows = x.shape().0;
    let mask = pass.next_mask();
    let input = values(x);
    let right = aside::transposed(rows, &dense.weight, T::OWNS_TAPE && dense.learn);
    let step = block_rows(rows);
    let end = End { bias: values(&dense.bias), mask, norm: Some((&residual).into()) };
    // SAFETY: the product fills y, and the end writes what is kept of the norm.
    let made = unsafe {
        in_blocks::<HIDDEN>((rows, step), (T::OWNS_TAPE, 0), |block| {
            let y = right.fill(block.rows, Operand::rows(&input[block.first * IN..], IN), block.y);
            end.forward::<HIDDEN>(block.first, y, block.norm);
        })
    };
    let y = tokens(&pass.device, made.y, rows);

    if T::OWNS_TAPE {
        let (ghost, x, kept) = (y.ghost(), x.clone(), made.kept);
        pass.tape.add_backward_op(move |gradients| {
            let _span = span!("linear_norm", backward);
            let mut dy = take_gradient!(gradients, &ghost);
            let end = End { bias: values(&dense.bias), mask, norm: Some((&residual).into()) };
            let right = Right::new(rows, (HIDDEN, IN), Operand::rows(values(&dense.weight.value), IN));
            // two gradients at a time: the residual's is taken out of the store
            let mut dresidual = take_gradient!(gradients, &residual.x);
            let dx: &mut Vec<f32> = gradients.get_or_alloc_mut(&x)?;
            assert_eq!(dx.len(), rows * IN, "the residual is not the input of the product");
            let sums: Vec<Sums> = dy
                .par_chunks_mut(step * HIDDEN)
                .zip(dx.par_chunks_mut(step * IN))
                .zip(dresidual.par_chunks_mut(step * HIDDEN))
                .enumerate()
                .map(|(n, ((dy, dx), dresidual))| {
                    let sums = end.backward::<HIDDEN>(n * step, dy, &kept, dresidual);
                    right.product(dy.len() / HIDDEN, Operand::rows(dy, HIDDEN), Target::onto(dx, IN));
                    sums
                })
                .collect();
            **gradients.get_or_alloc_mut(&residual.x)? = dresidual;
            let sums = Sums::total(sums);
            if residual.learn {
                add(gradients.get_or_alloc_mut(&residual.gamma)?, &sums.gamma);
                add(gradients.get_or_alloc_mut(&residual.beta)?, &sums.beta);
            }
            if dense.learn {
                let (dy, x) = (Rows::new(&dy, HIDDEN), Rows::new(values(&x), IN));
                weight_gradient(rows, [(gradients.get_or_alloc_mut(&dense.weight.aside.gradient)?, dy)], x);
                add(gradients.get_or_alloc_mut(&dense.bias)?, &sums.bias);
            }
            Ok(())
        });
    }
    y
}

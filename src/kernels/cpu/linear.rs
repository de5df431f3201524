//! y = x W^T + b.
//!
//! Where there are few rows, as where something is made of each task's embedding, the weight is read once and nothing is
//! packed: `few`.

use dfdx::prelude::{Const, Cpu, Dim, HasShape, Tape, Tensor, TensorFromVec};
use rayon::prelude::*;

use super::buffers::{Fresh, add, values};
use super::matmul::{Operand, Right, Rows, Target, block_rows, weight_gradient};
use super::simd::vectorized;
use super::{aside, few_rows, span, take_gradient};
use crate::kernels::{Pass, Tokens, Weight};

pub fn linear<const IN: usize, Out: Dim, T: Tape<f32, Cpu>>(
    pass: &mut Pass<T, Cpu>,
    x: &Tokens<IN, Cpu>,
    weight: &Weight<(Out, Const<IN>), Cpu>,
    bias: &Tensor<(Out,), f32, Cpu>,
    learn: bool,
) -> Tensor<(usize, Out), f32, Cpu> {
    let _span = span!("linear");
    let rows = x.shape().0;
    let out_dim = weight.value.shape().0;
    let out = out_dim.size();

    let few = rows <= FEW;
    let mut y = Fresh::new(rows * out); // [rows, out]
    if few {
        few_rows::forward(values(x), values(&weight.value), values(bias), (rows, IN, out), y.whole());
    } else {
        let (input, shift) = (values(x), values(bias));
        let right = aside::transposed(rows, weight, T::OWNS_TAPE && learn);
        let step = block_rows(rows);
        let blocks: Vec<_> = y.blocks(step * out).collect();
        blocks.into_par_iter().enumerate().for_each(|(n, block)| {
            let count = block.len() / out;
            let block = right.fill(count, Operand::rows(&input[n * step * IN..], IN), block);
            vectorized(
                #[inline(always)]
                || {
                    for row in block.chunks_exact_mut(out) {
                        row.iter_mut().zip(shift).for_each(|(y, &b)| *y += b);
                    }
                },
            );
        });
    }
    // SAFETY: both ways write the whole buffer.
    let y = unsafe { y.finish() };
    let y = pass.device.tensor_from_vec(y, (rows, out_dim));

    if T::OWNS_TAPE {
        let (ghost, x, weight, bias) = (y.ghost(), x.clone(), weight.clone(), bias.clone());
        pass.tape.add_backward_op(move |gradients| {
            let _span = span!("linear", backward);
            let dy = take_gradient!(gradients, &ghost); // [rows, out]
            if learn {
                let dbias: &mut Vec<f32> = gradients.get_or_alloc_mut(&bias)?;
                add(dbias, &sum_rows(&dy, out));
                // dW = dy^T x
                let dweight = gradients.get_or_alloc_mut(&weight.aside.gradient)?;
                if few {
                    few_rows::weight_gradient(&dy, values(&x), (rows, IN, out), dweight);
                } else {
                    let (dy, x) = (Rows::new(&dy, out), Rows::new(values(&x), IN));
                    weight_gradient(rows, [(dweight, dy)], x);
                }
            }
            // dx = dy W
            let dx: &mut Vec<f32> = gradients.get_or_alloc_mut(&x)?;
            if few {
                few_rows::input_gradient(&dy, values(&weight.value), (rows, IN, out), dx);
            } else {
                let right = Right::new(rows, (out, IN), Operand::rows(values(&weight.value), IN));
                let step = block_rows(rows);
                dx.par_chunks_mut(step * IN).zip(dy.par_chunks(step * out)).for_each(|(dx, dy)| {
                    right.product(dy.len() / out, Operand::rows(dy, out), Target::onto(dx, IN));
                });
            }
            Ok(())
        });
    }
    y
}

/// So many rows are few.
const FEW: usize = 16;

/// The sum of rows of `width`.
pub fn sum_rows(rows: &[f32], width: usize) -> Vec<f32> {
    let mut sum = vec![0.0f32; width];
    vectorized(
        #[inline(always)]
        || {
            for row in rows.chunks_exact(width) {
                sum.iter_mut().zip(row).for_each(|(sum, &x)| *sum += x);
            }
        },
    );
    sum
}

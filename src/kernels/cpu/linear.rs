//! y = x W^T + b.

use dfdx::prelude::{Const, Cpu, Dim, HasShape, Tape, Tensor, TensorFromVec};
use gemm::Parallelism;
use rayon::prelude::*;

use super::buffers::{map_rows, values};
use super::matmul::{Operand, Target, matmul, parallelism};
use super::take_gradient;
use crate::kernels::{Pass, Tokens};

/// Rows of the largest block that one core works on: enough to make packing the weight cheap.
const ROWS: usize = 512;

pub fn linear<const IN: usize, Out: Dim, T: Tape<f32, Cpu>>(
    pass: &mut Pass<T, Cpu>,
    x: &Tokens<IN, Cpu>,
    weight: &Tensor<(Out, Const<IN>), f32, Cpu>,
    bias: &Tensor<(Out,), f32, Cpu>,
    learn: bool,
) -> Tensor<(usize, Out), f32, Cpu> {
    let rows = x.shape().0;
    let out_dim = weight.shape().0;
    let out = out_dim.size();
    let step = block_rows(rows);

    let (left, right, shift) = (values(x), values(weight), values(bias));
    let product = |first: usize, block: &mut [f32]| {
        let count = block.len() / out;
        matmul(
            (count, IN, out),
            Target { values: block, stride: out, accumulate: true },
            Operand::rows(&left[first * IN..][..count * IN], IN),
            Operand::transposed(right, IN),
            1.0,
            Parallelism::None,
        );
    };
    let y = map_rows((rows, out), step, |_| shift, product); // [rows, out]
    let y = pass.device.tensor_from_vec(y, (rows, out_dim));

    if T::OWNS_TAPE {
        let (ghost, x, weight, bias) = (y.ghost(), x.clone(), weight.clone(), bias.clone());
        pass.tape.add_backward_op(move |gradients| {
            let dy = take_gradient!(gradients, &ghost); // [rows, out]
            if learn {
                // dW = dy^T x, db = sum of the rows of dy
                matmul(
                    (out, rows, IN),
                    Target { values: gradients.get_or_alloc_mut(&weight)?, stride: IN, accumulate: true },
                    Operand::transposed(&dy, out),
                    Operand::rows(values(&x), IN),
                    1.0,
                    parallelism(out, rows, IN),
                );
                let db = gradients.get_or_alloc_mut(&bias)?;
                for row in dy.chunks_exact(out) {
                    db.iter_mut().zip(row).for_each(|(sum, &g)| *sum += g);
                }
            }
            // dx = dy W
            let matrix = values(&weight);
            let dx: &mut Vec<f32> = gradients.get_or_alloc_mut(&x)?;
            dx.par_chunks_mut(step * IN).zip(dy.par_chunks(step * out)).for_each(|(dx, dy)| {
                matmul(
                    (dy.len() / out, out, IN),
                    Target { values: dx, stride: IN, accumulate: true },
                    Operand::rows(dy, out),
                    Operand::rows(matrix, IN),
                    1.0,
                    Parallelism::None,
                );
            });
            Ok(())
        });
    }
    y
}

/// An equal share of the rows a core, but no more than [`ROWS`].
fn block_rows(rows: usize) -> usize {
    rows.div_ceil(rayon::current_num_threads()).clamp(1, ROWS)
}

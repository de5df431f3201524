//! y = x W^T + b.

use dfdx::prelude::{Const, Cpu, Dim, HasShape, Tape, Tensor, TensorFromVec};

use super::matmul::{Operand, Target, matmul, parallelism};
use super::{read, take_gradient};
use crate::kernels::{Pass, Tokens};

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
    let shared = parallelism(rows, IN, out);

    let mut values = read(bias).repeat(rows); // [rows, out]
    let (left, right) = (read(x), read(weight));
    matmul(
        (rows, IN, out),
        Target { values: &mut values, stride: out, accumulate: true },
        Operand::rows(&left, IN),
        Operand::transposed(&right, IN),
        1.0,
        shared,
    );
    let y = pass.device.tensor_from_vec(values, (rows, out_dim));

    if T::OWNS_TAPE {
        let (ghost, x, weight, bias) = (y.ghost(), x.clone(), weight.clone(), bias.clone());
        pass.tape.add_backward_op(move |gradients| {
            let dy = take_gradient!(gradients, &ghost); // [rows, out]
            if learn {
                // dW = dy^T x, db = sum of the rows of dy
                let input = read(&x);
                matmul(
                    (out, rows, IN),
                    Target { values: gradients.get_or_alloc_mut(&weight)?, stride: IN, accumulate: true },
                    Operand::transposed(&dy, out),
                    Operand::rows(&input, IN),
                    1.0,
                    shared,
                );
                let db = gradients.get_or_alloc_mut(&bias)?;
                for row in dy.chunks_exact(out) {
                    db.iter_mut().zip(row).for_each(|(sum, &g)| *sum += g);
                }
            }
            // dx = dy W
            let matrix = read(&weight);
            matmul(
                (rows, out, IN),
                Target { values: gradients.get_or_alloc_mut(&x)?, stride: IN, accumulate: true },
                Operand::rows(&dy, out),
                Operand::rows(&matrix, IN),
                1.0,
                shared,
            );
            Ok(())
        });
    }
    y
}

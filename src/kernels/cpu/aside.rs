//! What the CPU keeps aside with a parameter.

use dfdx::prelude::{Cpu, Dim, HasShape, Tensor, TensorFromVec};

use super::buffers::values;
use super::matmul::{Operand, Packed, Right};
use crate::kernels::Weight;

/// See [`Kernels::Aside`](crate::kernels::Kernels::Aside).
#[derive(Clone, Debug)]
pub struct Aside {
    /// An empty tensor, under whose name the gradient may be kept ([`Gradient`](super::gradient::Gradient)).
    pub gradient: Tensor<(usize,), f32, Cpu>,
    /// The values as products read them.
    pub packed: Packed,
}

impl Aside {
    pub fn new(device: &Cpu) -> Self {
        Self { gradient: device.tensor_from_vec(Vec::new(), (0,)), packed: Packed::default() }
    }
}

/// W^T, the right factor of y = x W^T for x of `rows` rows. `last` says that the weight changes before it is met again.
pub fn transposed<Out: Dim, In: Dim>(rows: usize, weight: &Weight<(Out, In), Cpu>, last: bool) -> Right<'_> {
    let (out, into) = *weight.value.shape();
    let (out, into) = (out.size(), into.size());
    let operand = Operand::transposed(values(&weight.value), into);
    Right::kept(rows, (into, out), operand, &weight.aside.packed, last)
}

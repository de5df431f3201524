//! `fidelity reference`: the conditional modules as the authors' published code computes them.
//!
//! | here | beside | differs in |
//! |---|---|---|
//! | [`TaskTransformation`] | nothing | what conditions the layers is a linear map of z; alignment sees z itself |
//! | [`ColumnAttention`] | [`BlockAttention`](super::BlockAttention) | gamma(z), beta(z) have an entry a column of a block |
//! | [`CondWeightNorm`] | [`CondNorm`](super::CondNorm) | only the norm's weight is conditioned |
//! | [`LinearBottleneck`], [`LinearLadderStep`] | [`CondBottleneck`](super::CondBottleneck), [`LadderStep`](super::LadderStep) | one more linear map of z, no GELU, and in a layer a norm of its own |

mod attention;
mod bottleneck;
mod norm;

use dfdx::prelude::Tape;

use super::Linear;
use super::parameter::{BERT_START, Build, New, Scope};
use crate::kernels::{Kernels, Pass, Point, Tokens};
use crate::parameters;

pub use attention::{ColumnAttention, ColumnBias};
pub use bottleneck::{LinearBottleneck, LinearLadderStep};
pub use norm::{CondWeightNorm, ConditionalWeightNorm};

/// What a generated network of this fidelity names, besides [`prelude`](super::prelude).
pub mod prelude {
    pub use super::{
        ColumnAttention, CondWeightNorm, LinearBottleneck, LinearLadderStep, TaskTransformation,
    };
}

/// z' = W z + b, shared by all layers (`task_transformation` in the authors' code).
#[derive(Debug)]
pub struct TaskTransformation<const HIDDEN: usize, D: Kernels> {
    pub dense: Linear<HIDDEN, HIDDEN, New, D>,
}

impl<const HIDDEN: usize, D: Kernels> TaskTransformation<HIDDEN, D> {
    /// z' of all tasks, `[tasks, HIDDEN]`.
    pub fn forward<T: Tape<f32, D>>(
        &self,
        z: &Tokens<HIDDEN, D>,
        pass: &mut Pass<T, D>,
    ) -> Tokens<HIDDEN, D> {
        let z = self.dense.forward(z, pass);
        pass.show(Point::TransformedEmbedding, &z);
        z
    }
}

impl<const HIDDEN: usize, D: Kernels> Build<D> for TaskTransformation<HIDDEN, D> {
    fn build(at: &Scope<D>) -> Self {
        Self { dense: Linear::build_with(at, BERT_START) }
    }
}

parameters!([const HIDDEN: usize, D: Kernels] TaskTransformation<HIDDEN, D> { dense });

//! The typed layers of the network: BERT's parts and the four conditional modules of CA-MTL.
//!
//! Shapes are const generics, so a network that does not fit does not compile. A layer's markers say what is
//! attached ([`BlockAttention`], [`CondNorm`], [`CondBottleneck`]) and what becomes of its pretrained weights
//! ([`Frozen`], [`Trained`]). z, the task embedding, is an argument of `forward`: plain layers take any, also
//! [`NoTask`]; conditional ones need `[tasks, HIDDEN]`, and rustc checks it.
//!
//! | file | holds |
//! |---|---|
//! | `parameter` | a tensor with its name, its start and what becomes of it; walking over all of them |
//! | `linear`, `film`, `embedding` | the pieces |
//! | `attention`, `norm`, `bottleneck` | what can be attached to a layer, each with its plain form |
//! | `encoder` | a layer, arrays of layers, the ladder of bottlenecks |
//! | `pooler`, `heads` | from `[CLS]`, or from tokens, to logits |
//! | `model` | the traits that a generated network implements |
//! | [`reference`] | the conditional modules as the authors' code has them |
//! | `pretrained` | weights from a Hugging Face checkpoint, every tensor accounted for |

mod attention;
mod batch;
mod bottleneck;
mod embedding;
mod encoder;
mod film;
mod heads;
mod linear;
mod model;
mod norm;
mod parameter;
mod pooler;
pub mod pretrained;
pub mod reference;

pub use attention::{AttentionBias, AttentionKind, BlockAttention, PlainAttention};
pub use batch::{Batch, Sample};
pub use bottleneck::{BottleneckKind, BottleneckPath, CondBottleneck, LadderStep, NoBottleneck, Step};
pub use embedding::{Alignment, Embeddings, NoTask, TaskEmbedding};
pub use encoder::{EncoderLayer, Layer, Layers, climb};
pub use film::Film;
pub use heads::{Choose, Classify, Logits, Regress, Span, Tag};
pub use linear::{DynLinear, Linear};
pub use model::{Constant, Encode, Encoded, Model, Predict};
pub use norm::{CondNorm, EPSILON, NormKind, Normalize, PlainNorm};
pub use parameter::{Build, Frozen, Meta, New, Param, Parameter, Parameters, Scope, Start, Trained, Weights};
pub use pooler::Pooler;

/// What a generated network names.
pub mod prelude {
    pub use super::{
        Alignment, Batch, BlockAttention, Build, Choose, Classify, CondBottleneck, CondNorm, Constant,
        Embeddings, Encode, Encoded, EncoderLayer, Frozen, LadderStep, Layers, Logits, NoBottleneck, NoTask,
        Parameter, Parameters, PlainAttention, PlainNorm, Pooler, Predict, Regress, Scope, Span, Tag,
        TaskEmbedding, Trained, climb,
    };
    pub use crate::kernels::{Kernels, Pass, Scoring, Tokens};
    pub use crate::parameters;
    pub use dfdx::prelude::Tape;
}

//! Numerics of the network: against PyTorch, against dfdx's composed operations, against finite differences.

mod composed;
mod finite_differences;
mod identity;
mod pretrained;
mod pytorch;
mod roberta;
mod support;
mod token_types;

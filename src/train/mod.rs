//! Learning: what a model's training is ([`plan`]), what it is measured by, and what MT-Uncertainty computes.

pub mod metrics;
pub mod plan;
pub mod uncertainty;

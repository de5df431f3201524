//! What camtlc makes of `tiny_base.cam`.

pub mod network;
pub mod tasks;

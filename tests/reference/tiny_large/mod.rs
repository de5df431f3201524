//! What camtlc makes of `tiny_large.cam`.

pub mod network;
pub mod tasks;

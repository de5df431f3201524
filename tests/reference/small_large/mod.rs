//! What camtlc makes of `small_large.cam`.

pub mod network;
pub mod tasks;

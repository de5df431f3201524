//! What camtlc makes of `small_base.cam`.

pub mod network;
pub mod tasks;

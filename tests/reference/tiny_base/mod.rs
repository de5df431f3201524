//! What camtlc makes of `tiny_base.cam`, in its own layout.

#[rustfmt::skip]
pub mod network;
#[rustfmt::skip]
pub mod tasks;

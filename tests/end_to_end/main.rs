//! The whole path through the real `camtlc`: a model is checked, built with cargo, trained, evaluated and asked, once
//! from random weights, once on a pretrained backbone, once as a variant; and each mistake of a user's is one error that leaves nothing.
//!
//! Three crates are built, in a home of their own below cargo's target folder, so that their dependencies are compiled
//! only the first time.
#![cfg(all(feature = "cli", feature = "runtime"))]

mod golden;
mod kinds;
mod mistakes;
mod pretrained;
mod roberta;
mod scratch;
mod simulate;
mod skip;
mod support;
mod variant;

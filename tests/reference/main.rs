//! `fidelity reference` against numbers of the authors' code, and against our own.
//!
//! Our own lie in `tests/golden/reference`, made by `tests/golden/reference.py`, which is held against the authors' too
//! (`--check`). The authors' are larger and lie elsewhere: with `CAMTL_GOLDEN` naming the folder that holds `tiny-base`
//! and `tiny-large`,
//!
//! ```console
//! $ CAMTL_GOLDEN=DIR CAMTL_MATMUL=gemm cargo test --test reference -- --ignored
//! ```
//!
//! A tile unit's products are exact to 4e-6 of a norm, which is not enough for 1e-5 behind several layers:
//! `CAMTL_MATMUL=gemm` sets it aside, and without that the tolerances are ten times as wide.

mod agreement;
mod files;
mod lowered;
mod small_base;
mod small_large;
mod tiny_base;
mod tiny_large;

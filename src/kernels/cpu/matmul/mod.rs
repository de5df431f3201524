//! Matrix products of f32.
//!
//! | file | holds |
//! |---|---|
//! | `operand` | how a factor lies in memory |
//! | `right` | a right factor that is prepared once for many left ones, and products with it |
//! | `packed` | a right factor's packed form, kept from product to product |
//! | `small` | a product from first to last on one thread |
//! | `weight_gradient` | a product over all tokens |
//! | `tiles` | products on the tile unit (AMX) of newer x86 processors |
//! | `pack` | f32 to the tile unit's format |
//!
//! There are two engines. `gemm` multiplies in f32 anywhere. Where the processor has AMX, large products run on its
//! tiles instead, each f32 taken as the sum of two bf16: about 16 bits of mantissa, accumulated in f32 (Henry, Tang,
//! Heinecke 2019, "Leveraging the bfloat16 Artificial Intelligence Datatype for Higher-Precision Computations").
//! The error of a product is about 4e-6 of its norm, ten times that of f32 and a hundredth of TF32's; its speed is more
//! than twice `gemm`'s.
//! `CAMTL_MATMUL=gemm` in the environment turns the tiles off.

mod operand;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod pack;
mod packed;
mod right;
mod small;
#[cfg(test)]
mod tests;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod tiles;
mod weight_gradient;

use std::sync::OnceLock;

use gemm::Parallelism;

pub use operand::{Operand, Target};
pub use packed::Packed;
pub use right::Right;
pub use small::Small;
pub use weight_gradient::{Rows, weight_gradient};

/// What multiplies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Gemm,
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    Tiles,
}

impl Engine {
    /// The faster one that this machine has; asked once.
    pub fn best() -> Self {
        static BEST: OnceLock<Engine> = OnceLock::new();
        *BEST.get_or_init(|| {
            let asked = std::env::var_os("CAMTL_MATMUL").filter(|engine| !engine.is_empty());
            if let Some(engine) = &asked
                && engine != "gemm"
            {
                tracing::warn!(?engine, "CAMTL_MATMUL can be `gemm` or nothing, and counts as nothing");
            }
            #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
            if asked.is_none_or(|engine| engine != "gemm") && tiles::available() {
                return Engine::Tiles;
            }
            Engine::Gemm
        })
    }
}

/// The rows of a block that one core works on at a time, of `rows` in all: so many that a right factor, of which little
/// stays in the cache, passes by seldom, and like many for every core.
pub fn block_rows(rows: usize) -> usize {
    const LARGEST: usize = 512;
    let blocks = rows.div_ceil(LARGEST).max(1).next_multiple_of(rayon::current_num_threads());
    rows.div_ceil(blocks).next_multiple_of(32).max(32)
}

/// target = [target +] left * right by `gemm`, for left [m, k] and right [k, n].
fn gemm_product(
    (m, k, n): (usize, usize, usize),
    target: &mut Target,
    left: Operand,
    right: Operand,
    parallelism: Parallelism,
) {
    if m == 0 || n == 0 {
        return;
    }
    left.check(m, k);
    right.check(k, n);
    let start = target.start(m, n);
    // SAFETY: the checks keep every address inside its buffer, and the target is borrowed mutably, so that it overlaps
    // neither factor.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            start,
            1,
            target.stride as isize,
            target.accumulate,
            left.values.as_ptr(),
            left.column_stride as isize,
            left.row_stride as isize,
            right.values.as_ptr(),
            right.column_stride as isize,
            right.row_stride as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            parallelism,
        );
    }
}

//! The widest vector instructions of the machine that runs, whatever the binary was compiled for.

/// Runs `work`, compiled for AVX-512 or AVX2 with FMA where the processor has it. Loops in it vectorize accordingly, also
/// in functions that it calls, if all of it is inlined: `vectorized(#[inline(always)] || ..)`.
#[inline(always)]
pub fn vectorized<R>(work: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(work)
}

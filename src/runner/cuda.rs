//! A GPU: opening it, and what there is to say when it has not enough memory.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::OnceLock;

use cudarc::driver::{DriverError, result, sys};
use dfdx::prelude::{Cache as _, Cuda};
use miette::Diagnostic;
use thiserror::Error;

use super::device::Precision;
use crate::kernels::cuda as kernels;

/// Bytes of the GPU that were free when it was opened, and all of its bytes.
static MEMORY: OnceLock<(u64, u64)> = OnceLock::new();

/// Opens the GPU of this number, for products in this precision. To be called once.
///
/// # Errors
/// No driver, no such GPU, or one that refuses.
pub fn open(number: usize, precision: Precision) -> Result<Cuda, CudaUnusable> {
    let refused = |cause: DriverError| CudaUnusable::Refused { number, cause: format!("{cause:?}") };
    result::init().map_err(|cause| CudaUnusable::NoDriver { cause: format!("{cause:?}") })?;
    let count = result::device::get_count().map_err(refused)?;
    let count = usize::try_from(count).unwrap_or(0);
    if number >= count {
        return Err(CudaUnusable::NoSuchGpu { number, count });
    }
    let cuda = Cuda::try_build(number, 0)
        .map_err(|cause| CudaUnusable::Refused { number, cause: format!("{cause:?}") })?;
    let precision = match precision {
        Precision::F32 => kernels::Precision::F32,
        Precision::Tf32 => kernels::Precision::Tf32,
        Precision::Amp => kernels::Precision::Mixed,
    };
    kernels::open(number, precision)
        .map_err(|cause| CudaUnusable::Refused { number, cause: format!("{cause:?}") })?;
    keep_freed_memory(number).map_err(refused)?;
    let (free, total) = result::mem_get_info().map_err(refused)?;
    let _ = MEMORY.set((free as u64, total as u64));
    cuda.enable_cache();
    Ok(cuda)
}

/// What is freed stays with the process: without this each wait for the GPU gives memory back to it, to be asked for
/// again in the next step. GPUs without memory pools do nothing of this.
fn keep_freed_memory(number: usize) -> Result<(), DriverError> {
    let device = result::device::get(i32::try_from(number).unwrap_or(i32::MAX))?;
    let pools = sys::CUdevice_attribute_enum::CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED;
    // SAFETY: the driver is initialized and `device` is one of its devices; the pool is its own and lives as long,
    // and the threshold is read as the u64 that this attribute is.
    unsafe {
        if result::device::get_attribute(device, pools)? == 0 {
            return Ok(());
        }
        let mut pool = std::ptr::null_mut();
        sys::cuDeviceGetDefaultMemPool(&mut pool, device).result()?;
        let mut threshold = u64::MAX;
        let attribute = sys::CUmemPool_attribute_enum::CU_MEMPOOL_ATTR_RELEASE_THRESHOLD;
        sys::cuMemPoolSetAttribute(pool, attribute, (&raw mut threshold).cast()).result()
    }
}

/// Runs `work`; where the GPU's memory does not suffice for it, an error takes the place of dfdx's panic.
///
/// # Errors
/// What `work` gives, and [`OutOfMemory`].
pub fn within_memory<R>(work: impl FnOnce() -> miette::Result<R>) -> miette::Result<R> {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !is_out_of_memory(panic.payload()) {
            hook(panic);
        }
    }));
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(done) => done,
        Err(panic) if is_out_of_memory(&*panic) => {
            let (free, total) = MEMORY.get().copied().unwrap_or_default();
            Err(super::memory::out_of_memory(free, total).into())
        }
        Err(panic) => resume_unwind(panic),
    }
}

/// dfdx panics with the driver's error in words.
fn is_out_of_memory(payload: &(dyn std::any::Any + Send)) -> bool {
    let text =
        payload.downcast_ref::<String>().map(String::as_str).or(payload.downcast_ref::<&str>().copied());
    text.is_some_and(|text| {
        ["CUDA_ERROR_OUT_OF_MEMORY", "CUBLAS_STATUS_ALLOC_FAILED", "out of memory on the device"]
            .iter()
            .any(|sign| text.contains(sign))
    })
}

#[derive(Debug, Error, Diagnostic)]
pub enum CudaUnusable {
    #[error("there is no working CUDA driver: {cause}")]
    #[diagnostic(
        code(device::driver),
        help(
            "`camtlc doctor --device cuda` says what is missing; in a container the GPU has to be passed on (`--gpus all`). `--device cpu` computes without"
        )
    )]
    NoDriver { cause: String },
    #[error("there is no GPU {number}: this machine has {count}")]
    #[diagnostic(code(device::number), help("GPUs are counted from 0, as CUDA_VISIBLE_DEVICES leaves them"))]
    NoSuchGpu { number: usize, count: usize },
    #[error("GPU {number} cannot be used: {cause}")]
    #[diagnostic(
        code(device::refused),
        help(
            "`nvidia-smi` shows what else runs on it; `camtlc doctor --device cuda` whether it fits the program"
        )
    )]
    Refused { number: usize, cause: String },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_of_another_kind_stays_one() {
        let memory: Box<dyn std::any::Any + Send> =
            Box::new("called `Result::unwrap()` on an `Err` value: Driver(DriverError(CUDA_ERROR_OUT_OF_MEMORY, \"out of memory\"))".to_owned());
        assert!(is_out_of_memory(&*memory));
        assert!(!is_out_of_memory(&"index out of bounds"));
    }
}

//! Memory of the operations' own, which is kept when it is given back.
//!
//! A step asks for some thousand buffers, and each call of the driver costs microseconds in which nothing is queued. Sizes
//! are rounded up, to at most an eighth more, so that what one batch has given back fits the next, whose sizes are others.
//! What is given back may be used again at once: work is done in the order in which it is queued.

use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::{Mutex, MutexGuard, PoisonError};

use cudarc::driver::{CudaSlice, DevicePtr as _};
use dfdx::prelude::CudaError;

use super::address::At;
use super::module::{Gpu, gpu};

/// What was given back, by size in bytes.
#[derive(Debug, Default)]
pub struct Kept {
    free: Mutex<Free>,
}

type Free = HashMap<usize, Vec<CudaSlice<u8>>>;

impl Kept {
    fn lock(&self) -> MutexGuard<'_, Free> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Memory for numbers, which nothing has been written to.
#[derive(Debug)]
pub struct Buffer<E> {
    /// Taken when it is given back.
    bytes: Option<CudaSlice<u8>>,
    size: usize,
    of: PhantomData<E>,
}

impl<E> Buffer<E> {
    /// For `count` numbers.
    pub fn new(gpu: &Gpu, count: usize) -> Result<Self, CudaError> {
        let size = rounded(count * size_of::<E>());
        let kept = gpu.kept.lock().get_mut(&size).and_then(Vec::pop);
        let bytes = match kept.map_or_else(|| gpu.bytes(size), Ok) {
            Ok(bytes) => bytes,
            // of other sizes there may be enough
            Err(_) => {
                gpu.kept.lock().clear();
                gpu.bytes(size)?
            }
        };
        Ok(Self { bytes: Some(bytes), size, of: PhantomData })
    }

    pub fn at(&self) -> At {
        At(self.bytes.as_ref().map_or(0, |bytes| *bytes.device_ptr()))
    }
}

impl<E> Drop for Buffer<E> {
    fn drop(&mut self) {
        if let Some(bytes) = self.bytes.take() {
            gpu().kept.lock().entry(self.size).or_default().push(bytes);
        }
    }
}

/// Eight sizes between a power of two and the next; none is empty, for not all GPUs give such.
fn rounded(bytes: usize) -> usize {
    let bytes = bytes.max(256);
    let step = (bytes.next_power_of_two() / 16).max(1);
    bytes.next_multiple_of(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_rounded_to_at_most_an_eighth_more() {
        assert_eq!(rounded(0), 256);
        assert_eq!(rounded(1024), 1024);
        for bytes in (300..100_000).step_by(37) {
            let size = rounded(bytes);
            assert!(size >= bytes && size * 8 <= bytes * 9 + 8, "{bytes} -> {size}");
            assert_eq!(rounded(size), size);
        }
    }
}

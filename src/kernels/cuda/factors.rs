//! Dropout factors made on the GPU, equal to those of the CPU: the one kernel of our own.
//!
//! dfdx draws its masks on the host and copies them over, twice a dropout. [`Mask`] is a function of a place, so a
//! kernel makes it where it is needed. A tensor's buffer is private to dfdx and a gradient's is not: the kernel writes a
//! gradient, and dfdx makes a tensor of that.
//!
//! `dropout.ptx` is what `nvcc --ptx -arch=compute_75 dropout.cu` of CUDA 13.0 writes, with `.version 6.0` and
//! `.target sm_52` at its head: it uses no more, and every driver from 2017 on takes it.

use cudarc::driver::{CudaSlice, DeviceSlice as _, DriverError, LaunchAsync as _, LaunchConfig};
use dfdx::prelude::{Cuda, Gradients, HasShape as _, Shape, Tensor, ZerosTensor as _};

use crate::kernels::pass::Mask;
use crate::kernels::{Factors, Segments};

const PTX: &str = include_str!("dropout.ptx");
const MODULE: &str = "camtl_dropout";
const ELEMENTS: &str = "element_factors";
const ATTENTION: &str = "attention_factors";
/// Of a block.
const THREADS: u32 = 256;

impl Factors for Cuda {
    fn elements<S: Shape>(&self, mask: Mask, shape: S) -> Tensor<S, f32, Self> {
        filled(self, shape, |out, count| {
            let (key, threshold, scale) = mask.parts();
            let function = function(out, ELEMENTS)?;
            // SAFETY: the arguments are those of the kernel, which writes `count` numbers, and `out` has as many.
            unsafe { function.launch(blocks(count), (out, count, key, threshold, scale)) }
        })
    }

    fn attention(
        &self,
        mask: Mask,
        segments: &Segments,
        heads: usize,
        length: usize,
    ) -> Tensor<(usize, usize, usize), f32, Self> {
        let lengths: Vec<u32> = (0..segments.sequences()).map(|s| segments.range(s).len() as u32).collect();
        filled(self, (lengths.len() * heads, length, length), |out, count| {
            let (key, threshold, scale) = mask.parts();
            let function = function(out, ATTENTION)?;
            let lengths = out.device().htod_copy(lengths)?;
            let arguments = (out, count, key, threshold, scale, &lengths, heads as u32, length as u32);
            // SAFETY: as above; a count of sequences * heads * length * length leaves each sequence below the number
            // of lengths.
            unsafe { function.launch(blocks(count), arguments) }
        })
    }
}

/// A tensor that `write` fills.
fn filled<S: Shape>(
    device: &Cuda,
    shape: S,
    write: impl FnOnce(&mut CudaSlice<f32>, u32) -> Result<(), DriverError>,
) -> Tensor<S, f32, Cuda> {
    let tensor: Tensor<S, f32, Cuda> = device.zeros_like(&shape);
    if tensor.shape().num_elements() == 0 {
        return tensor;
    }
    let mut written = Gradients::leaky();
    let done = match written.get_or_alloc_mut(&tensor) {
        // one below 2^32 numbers: 16 GiB
        Ok(out) => {
            let count = out.len() as u32;
            write(out, count).map_err(|error| format!("{error:?}"))
        }
        Err(error) => Err(format!("{error:?}")),
    };
    if let Err(error) = done {
        panic!("dropout on the device: {error}");
    }
    written.get(&tensor)
}

fn function(out: &CudaSlice<f32>, name: &str) -> Result<cudarc::driver::CudaFunction, DriverError> {
    let device = out.device();
    if !device.has_func(MODULE, name) {
        device.load_ptx(PTX.into(), MODULE, &[ELEMENTS, ATTENTION])?;
    }
    Ok(device.get_func(MODULE, name).expect("it is in the module that has been loaded"))
}

fn blocks(count: u32) -> LaunchConfig {
    LaunchConfig {
        grid_dim: (count.div_ceil(THREADS), 1, 1),
        block_dim: (THREADS, 1, 1),
        shared_mem_bytes: 0,
    }
}

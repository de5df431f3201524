//! The GPU as this room uses it: our kernels loaded, a handle of cuBLAS with its precision, memory.
//!
//! A process computes on one GPU, which [`open`] chooses. Work is queued on dfdx's stream, the default one, and done in
//! that order: memory that is given back may be used again by what is queued later.
//!
//! `kernels.ptx` is made of kernels.cu by `scripts/cuda/kernels.sh`, for GPUs of compute capability 7.0 and newer.

use std::collections::HashMap;
use std::ffi::{CString, c_void};
use std::sync::{Arc, OnceLock};

use cudarc::cublas::{CudaBlas, sys as cublas};
use cudarc::driver::{CudaDevice, CudaSlice, DeviceRepr, DriverError, result, sys};
use dfdx::prelude::CudaError;

use super::address::At;
use super::memory::{Buffer, Kept};

const PTX: &str = include_str!("kernels.ptx");
/// Threads of a block; `THREADS` in kernels.cu.
pub const THREADS: usize = 256;
/// Blocks of a kernel that strides over elements: enough to fill any GPU.
const BLOCKS: usize = 2048;

/// What products are computed in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// 24 bits of mantissa.
    #[default]
    F32,
    /// f32 whose mantissas are rounded to 11 bits.
    Tf32,
    /// Operands in f16, sums in f32; all else, weights and gradients too, is f32.
    Mixed,
}

pub struct Gpu {
    device: Arc<CudaDevice>,
    blas: CudaBlas,
    pub precision: Precision,
    functions: HashMap<&'static str, Function>,
    pub(super) kept: Kept,
}

#[derive(Clone, Copy)]
struct Function(sys::CUfunction);

// SAFETY: a function of a loaded module is a handle that any thread may launch; the module is never unloaded.
unsafe impl Send for Function {}
// SAFETY: as above.
unsafe impl Sync for Function {}

static GPU: OnceLock<Gpu> = OnceLock::new();

/// Chooses the GPU that this process computes on, and the precision of its products. To be called once, before the
/// first operation; one that comes without is on GPU 0 in f32.
///
/// # Errors
/// What the driver or cuBLAS say.
pub fn open(number: usize, precision: Precision) -> Result<(), CudaError> {
    let gpu = Gpu::new(number, precision)?;
    let opened = GPU.set(gpu).is_ok();
    assert!(opened, "a process computes on one GPU");
    Ok(())
}

/// The GPU of this process.
pub fn gpu() -> &'static Gpu {
    GPU.get_or_init(|| match Gpu::new(0, Precision::F32) {
        Ok(gpu) => gpu,
        Err(error) => panic!("the GPU cannot be used: {error:?}"),
    })
}

impl Gpu {
    fn new(number: usize, precision: Precision) -> Result<Self, CudaError> {
        let device = CudaDevice::new(number)?;
        let blas = CudaBlas::new(device.clone())?;
        let mode = match precision {
            Precision::Tf32 => cublas::cublasMath_t::CUBLAS_TF32_TENSOR_OP_MATH,
            Precision::F32 | Precision::Mixed => cublas::cublasMath_t::CUBLAS_DEFAULT_MATH,
        };
        // SAFETY: the handle is open.
        unsafe { cublas::cublasSetMathMode(*blas.handle(), mode) }.result()?;
        Ok(Self { functions: load()?, kept: Kept::default(), device, blas, precision })
    }

    pub fn blas(&self) -> cublas::cublasHandle_t {
        *self.blas.handle()
    }

    pub fn is_mixed(&self) -> bool {
        self.precision == Precision::Mixed
    }

    /// Memory for `count` numbers, which nothing has been written to.
    pub fn memory<E>(&self, count: usize) -> Result<Buffer<E>, CudaError> {
        Buffer::new(self, count)
    }

    /// Memory of the driver.
    pub(super) fn bytes(&self, size: usize) -> Result<CudaSlice<u8>, CudaError> {
        // SAFETY: every operation writes its buffers before it reads them.
        Ok(unsafe { self.device.alloc(size) }?)
    }

    /// Memory for `count` zeros.
    pub fn zeros(&self, count: usize) -> Result<Buffer<f32>, CudaError> {
        let made = self.memory(count)?;
        // SAFETY: it has room for `count` numbers.
        unsafe {
            result::memset_d8_async(made.at().0, 0, count * size_of::<f32>(), *self.device.cu_stream())
        }?;
        Ok(made)
    }

    pub fn upload<E: DeviceRepr>(&self, values: Vec<E>) -> Result<Buffer<E>, CudaError> {
        let made = self.memory(values.len())?;
        if !values.is_empty() {
            // SAFETY: it has room for the values, which the driver has read when this returns: they are not pinned.
            unsafe { result::memcpy_htod_async(made.at().0, &values, *self.device.cu_stream()) }?;
        }
        Ok(made)
    }

    pub fn download(&self, from: At, count: usize) -> Result<Vec<f32>, CudaError> {
        let mut values = vec![0.0; count];
        // SAFETY: there are `count` numbers, and `values` is not looked at before the copy is done.
        unsafe { result::memcpy_dtoh_async(&mut values, from.0, *self.device.cu_stream()) }?;
        self.device.synchronize()?;
        Ok(values)
    }

    /// Copies `count` numbers.
    pub fn copy(&self, to: At, from: At, count: usize) -> Result<(), CudaError> {
        // SAFETY: both have room for `count` numbers.
        let copied = unsafe {
            result::memcpy_dtod_async(to.0, from.0, count * size_of::<f32>(), *self.device.cu_stream())
        };
        Ok(copied?)
    }

    /// Queues the kernel `name` of kernels.cu: a grid of blocks of [`THREADS`]. An empty grid is nothing to do.
    pub fn launch(
        &self,
        name: &'static str,
        grid: (usize, usize),
        arguments: &mut [Argument],
    ) -> Result<(), CudaError> {
        if grid.0 == 0 || grid.1 == 0 {
            return Ok(());
        }
        let function = self.functions[name];
        let mut pointers: Vec<*mut c_void> =
            arguments.iter_mut().map(|argument| (&raw mut argument.0).cast()).collect();
        // SAFETY: the operations pass what kernels.cu asks for, in its order: buffers that are as large as said there
        // and that live until the work queued so far is done, for memory is given back in the order of the queue.
        let launched = unsafe {
            result::launch_kernel(
                function.0,
                (grid.0 as u32, grid.1 as u32, 1),
                (THREADS as u32, 1, 1),
                0,
                *self.device.cu_stream(),
                &mut pointers,
            )
        };
        Ok(launched?)
    }

    /// The grid of a kernel that strides over `count` elements.
    pub fn stride(count: usize) -> (usize, usize) {
        (count.div_ceil(THREADS).min(BLOCKS), 1)
    }
}

/// One argument of a kernel: its bytes, at the lowest address.
#[derive(Clone, Copy)]
pub struct Argument(u64);

impl From<At> for Argument {
    fn from(at: At) -> Self {
        Self(at.0)
    }
}

/// Null where there is none.
impl From<Option<At>> for Argument {
    fn from(at: Option<At>) -> Self {
        Self(at.map_or(0, |at| at.0))
    }
}

impl From<f32> for Argument {
    fn from(value: f32) -> Self {
        Self(u64::from(value.to_bits()))
    }
}

impl From<u32> for Argument {
    fn from(value: u32) -> Self {
        Self(u64::from(value))
    }
}

/// A count; kernels take 32 bits.
impl From<usize> for Argument {
    fn from(value: usize) -> Self {
        Self(u64::from(u32::try_from(value).expect("below 2^32 numbers, 16 GiB")))
    }
}

/// `launch!(gpu, "name", grid, a, b, ..)`: the arguments as kernels take them.
macro_rules! launch {
    ($gpu:expr, $name:literal, $grid:expr, $($argument:expr),+ $(,)?) => {
        $gpu.launch(concat!("camtl_", $name), $grid, &mut [$($crate::kernels::cuda::module::Argument::from($argument)),+])
    };
}
pub(super) use launch;

/// All kernels of the module by their names.
fn load() -> Result<HashMap<&'static str, Function>, DriverError> {
    let image = CString::new(PTX).expect("PTX is text");
    // SAFETY: the image is PTX that ends with a zero.
    let module = unsafe { result::module::load_data(image.as_ptr().cast()) }?;
    let names = PTX.lines().filter_map(|line| line.trim().strip_prefix(".visible .entry "));
    names
        .map(|name| {
            let name = name.trim_end_matches('(');
            let text = CString::new(name).expect("a name is text");
            // SAFETY: the module has been loaded.
            let function = unsafe { result::module::get_function(module, text) }?;
            Ok((name, Function(function)))
        })
        .collect()
}

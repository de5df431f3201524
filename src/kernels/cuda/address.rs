//! Where a tensor's numbers lie in the GPU's memory.
//!
//! dfdx keeps a tensor's storage to itself; what it shows of a tensor, for debugging, begins with the address and the
//! length of that storage. Both versions are pinned (dfdx =0.13.0 shows a cudarc 0.9 slice), what is shown otherwise
//! panics, and so does a length that is not the shape's: a tensor that repeats its rows without having them.

use std::fmt::{self, Write as _};

use cudarc::driver::{CudaSlice, DevicePtr as _};
use dfdx::prelude::{Cuda, CudaError, Gradients, HasShape as _, Shape, Tensor, ZerosTensor as _};

use super::memory::Buffer;

/// An address in the GPU's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At(pub u64);

impl At {
    /// The `count`-th f32 behind it.
    pub fn offset(self, count: usize) -> Self {
        Self(self.0 + (count * size_of::<f32>()) as u64)
    }
}

/// Where a tensor's numbers begin, row by row. It lives as long as a clone of the tensor.
///
/// # Panics
/// If it does not hold each of its numbers once.
pub fn at<S: Shape>(tensor: &Tensor<S, f32, Cuda>) -> At {
    let mut shown = Shown { text: String::with_capacity(256), fields: [None; 2] };
    // it ends with an error once both are known
    let _ = write!(shown, "{tensor:?}");
    let [Some(address), Some(length)] = shown.fields else {
        panic!("dfdx does not show where a tensor lies: {}", shown.text);
    };
    assert_eq!(length as usize, tensor.shape().num_elements(), "numbers of a contiguous tensor");
    At(address)
}

/// Where a buffer's numbers begin.
pub fn of<E>(buffer: &Buffer<E>) -> At {
    buffer.at()
}

/// Where a gradient's numbers begin.
pub fn slot(gradient: &CudaSlice<f32>) -> At {
    At(*gradient.device_ptr())
}

/// A tensor of zeros, and where it lies.
pub fn fresh<S: Shape>(device: &Cuda, shape: S) -> Result<(Tensor<S, f32, Cuda>, At), CudaError> {
    let tensor: Tensor<S, f32, Cuda> = device.try_zeros_like(&shape)?;
    let at = at(&tensor);
    Ok((tensor, at))
}

/// Where the gradient of `tensor` is added up; zeros, where there is none yet.
pub fn gradient_of<S: Shape>(
    gradients: &mut Gradients<f32, Cuda>,
    tensor: &Tensor<S, f32, Cuda>,
) -> Result<At, CudaError> {
    Ok(slot(gradients.get_or_alloc_mut(tensor)?))
}

const FIELDS: [&str; 2] = ["cu_device_ptr: ", "len: "];

/// Takes what is shown until the fields have been seen.
struct Shown {
    text: String,
    fields: [Option<u64>; 2],
}

impl fmt::Write for Shown {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        self.text.push_str(part);
        for (field, name) in self.fields.iter_mut().zip(FIELDS) {
            *field = field.or_else(|| number_after(&self.text, name));
        }
        if self.fields.iter().all(Option::is_some) { Err(fmt::Error) } else { Ok(()) }
    }
}

/// The number behind `name`, once something else follows it.
fn number_after(text: &str, name: &str) -> Option<u64> {
    let rest = &text[text.find(name)? + name.len()..];
    let end = rest.find(|c: char| !c.is_ascii_digit())?;
    rest[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_counts_once_it_has_ended() {
        let mut shown = Shown { text: String::new(), fields: [None; 2] };
        for part in ["Slice { cu_device_ptr: ", "14", "0", ", ", "len: 12"] {
            assert!(shown.write_str(part).is_ok(), "{part}");
        }
        assert_eq!(shown.fields, [Some(140), None]);
        assert!(shown.write_str(" }").is_err());
        assert_eq!(shown.fields, [Some(140), Some(12)]);
    }
}

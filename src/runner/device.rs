//! Where a model computes, the processor or a GPU, and how exactly.

use std::fmt;
use std::str::FromStr;

use clap::ValueEnum;
use miette::Diagnostic;
use thiserror::Error;

/// What `--device` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    Cpu,
    /// The GPU of this number, from 0.
    Cuda(usize),
}

impl Default for Device {
    /// What the program was built for.
    fn default() -> Self {
        if cfg!(feature = "cuda") { Self::Cuda(0) } else { Self::Cpu }
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(0) => f.write_str("cuda"),
            Self::Cuda(n) => write!(f, "cuda:{n}"),
        }
    }
}

impl FromStr for Device {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = match text {
            "cpu" => return Ok(Self::Cpu),
            "cuda" => return Ok(Self::Cuda(0)),
            _ => text.strip_prefix("cuda:").and_then(|number| number.parse().ok()),
        };
        number.map(Self::Cuda).ok_or_else(|| "a device is `cpu`, `cuda` or `cuda:N`, N from 0".to_owned())
    }
}

/// What matrix products on CUDA are computed in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Precision {
    /// 24 bits of mantissa
    #[default]
    F32,
    /// What enters a product is rounded to 11 bits of mantissa, on GPUs from compute capability 8.0 on
    Tf32,
    /// Mixed: what enters a product in f16, all else in f32; the loss is scaled so that no gradient vanishes
    Amp,
}

/// As on the command line.
impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_possible_value().map_or(Ok(()), |value| f.write_str(value.get_name()))
    }
}

/// Where and how exactly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct Placement {
    /// Where to compute: cpu, cuda, or cuda:N for another GPU than the first, N from 0
    #[arg(long, value_name = "DEVICE", default_value_t = Device::default())]
    pub device: Device,
    /// What matrix products on CUDA are computed in
    #[arg(long, value_enum, default_value_t = Precision::F32)]
    pub precision: Precision,
}

impl fmt::Display for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.device {
            Device::Cpu => write!(f, "{}", self.device),
            Device::Cuda(_) => write!(f, "{}, {}", self.device, self.precision),
        }
    }
}

impl Placement {
    /// What to add to a command of `camtlc`, which computes on the CPU if nothing is said.
    pub fn flags(self) -> String {
        match self.device {
            Device::Cpu => String::new(),
            Device::Cuda(_) => format!(" --device {} --precision {}", self.device, self.precision),
        }
    }

    /// # Errors
    /// What this program cannot do.
    pub fn check(self) -> Result<(), PlacementError> {
        match (self.device, self.precision) {
            (Device::Cuda(_), _) if cfg!(not(feature = "cuda")) => Err(PlacementError::NotBuilt),
            (Device::Cpu, Precision::Tf32 | Precision::Amp) => Err(PlacementError::OnCpu),
            _ => Ok(()),
        }
    }

    /// What cuBLAS reads from the environment when it is first used, with its value; nothing for the CPU.
    ///
    /// A value that the user has set is overruled: the option says what is meant.
    pub fn environment(self) -> Option<(&'static str, &'static str)> {
        match (self.device, self.precision) {
            (Device::Cpu, _) => None,
            (Device::Cuda(_), Precision::Tf32) => Some(("NVIDIA_TF32_OVERRIDE", "1")),
            (Device::Cuda(_), _) => Some(("NVIDIA_TF32_OVERRIDE", "0")),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Error, Diagnostic)]
pub enum PlacementError {
    #[error("this program was built for the CPU")]
    #[diagnostic(
        code(device::not_built),
        help(
            "`camtlc build FILE --device cuda` builds one that runs on both; `camtlc doctor --device cuda` says what that needs"
        )
    )]
    NotBuilt,
    #[error("tf32 and amp are precisions of CUDA's matrix products, and this runs on the CPU")]
    #[diagnostic(code(device::precision), help("leave `--precision` out, or name `--device cuda`"))]
    OnCpu,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_read_as_it_is_written() {
        for text in ["cpu", "cuda", "cuda:3"] {
            assert_eq!(text.parse::<Device>().map(|device| device.to_string()), Ok(text.to_owned()));
        }
        assert_eq!("cuda:0".parse(), Ok(Device::Cuda(0)));
        for text in ["gpu", "cuda:", "cuda:-1", "cuda:x", "CPU", ""] {
            assert!(text.parse::<Device>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_computed_is_an_error_and_no_other_precision() {
        let check = |device, precision| Placement { device, precision }.check();
        assert_eq!(check(Device::Cpu, Precision::F32), Ok(()));
        assert_eq!(check(Device::Cpu, Precision::Tf32), Err(PlacementError::OnCpu));
        assert_eq!(check(Device::Cpu, Precision::Amp), Err(PlacementError::OnCpu));
        let expected = if cfg!(feature = "cuda") { Ok(()) } else { Err(PlacementError::NotBuilt) };
        for precision in [Precision::Tf32, Precision::Amp] {
            assert_eq!(check(Device::Cuda(0), precision), expected);
        }
    }

    #[test]
    fn a_placement_is_told_as_it_is_asked_for() {
        let of = |device, precision| Placement { device, precision };
        let told = |placement: Placement| (placement.to_string(), placement.flags());
        let both = |name: &str, flags: &str| (name.to_owned(), flags.to_owned());
        assert_eq!(told(of(Device::Cpu, Precision::F32)), both("cpu", ""));
        assert_eq!(
            told(of(Device::Cuda(0), Precision::F32)),
            both("cuda, f32", " --device cuda --precision f32")
        );
        assert_eq!(
            told(of(Device::Cuda(2), Precision::Amp)),
            both("cuda:2, amp", " --device cuda:2 --precision amp")
        );
    }

    #[test]
    fn f32_is_asked_for_as_well() {
        let of = |device, precision| Placement { device, precision }.environment();
        assert_eq!(of(Device::Cpu, Precision::F32), None);
        assert_eq!(of(Device::Cuda(1), Precision::F32), Some(("NVIDIA_TF32_OVERRIDE", "0")));
        assert_eq!(of(Device::Cuda(0), Precision::Tf32), Some(("NVIDIA_TF32_OVERRIDE", "1")));
    }
}

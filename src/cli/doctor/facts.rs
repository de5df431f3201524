//! What a machine has, as far as building and running models goes. Nothing is judged here.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

/// A whole and a half version, `13.0`; what comes after is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32);

impl Version {
    /// The first `N.N` at the start of a text.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().split(|c: char| !c.is_ascii_digit());
        let whole = parts.next()?.parse().ok()?;
        Some(Self(whole, parts.next()?.parse().ok()?))
    }

    /// The one that follows `word` in a text.
    pub fn after(text: &str, word: &str) -> Option<Self> {
        text.split_once(word).and_then(|(_, rest)| Self::parse(rest))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

impl Serialize for Version {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Facts {
    pub cargo: Option<Version>,
    pub rustc: Option<Version>,
    /// What links: the C compiler's name.
    pub linker: Option<String>,
    pub nvcc: Option<Nvcc>,
    /// The folder with `include/cuda.h`.
    pub toolkit: Option<PathBuf>,
    /// Of [`LIBRARIES`] those that a linker would not find.
    pub unlinked: Vec<&'static str>,
    pub nvidia_smi: Smi,
    /// What CUDA_COMPUTE_CAP asks to be built for, instead of this machine's GPU.
    pub wanted_capability: Option<String>,
}

/// What a program for CUDA is linked with.
pub const LIBRARIES: [&str; 4] = ["cuda", "nvrtc", "cublas", "cublasLt"];

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Nvcc {
    pub version: Option<Version>,
    /// Compute capabilities without their point, that it builds for.
    pub capabilities: Vec<u32>,
}

/// What nvidia-smi says, which comes with the driver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Smi {
    Missing,
    /// It is there, and says this.
    Fails(String),
    /// It tells a compute capability and no more: a machine that only builds.
    Capability(Version),
    Driver(Driver),
}

impl Smi {
    /// What is built for, if nothing else is asked for.
    pub fn capability(&self) -> Option<Version> {
        match self {
            Self::Missing | Self::Fails(_) => None,
            Self::Capability(capability) => Some(*capability),
            Self::Driver(driver) => driver.gpus.first().map(|gpu| gpu.capability),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Driver {
    pub version: String,
    /// The newest CUDA that it runs.
    pub cuda: Option<Version>,
    pub gpus: Vec<Gpu>,
}

/// Memory in MiB.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gpu {
    pub name: String,
    pub capability: Version,
    pub memory: u64,
    pub free: u64,
}

/// Of `nvidia-smi --query-gpu=name,compute_cap,driver_version,memory.total,memory.free --format=csv,noheader,nounits`
/// the driver with its GPUs; `banner` is what it says without arguments, which alone has the version of CUDA.
pub fn driver(table: &str, banner: &str) -> Option<Driver> {
    let mut version = None;
    let mut gpus = Vec::new();
    for line in table.lines().filter(|line| !line.trim().is_empty()) {
        // a name may have a comma
        let mut cells = line.rsplitn(5, ',').map(str::trim);
        let (free, memory) = (cells.next()?.parse().ok()?, cells.next()?.parse().ok()?);
        version = Some(cells.next()?.to_owned());
        let capability = Version::parse(cells.next()?)?;
        gpus.push(Gpu { name: cells.next()?.to_owned(), capability, memory, free });
    }
    Some(Driver { version: version?, cuda: Version::after(banner, "CUDA Version:"), gpus })
}

/// Of `nvcc --list-gpu-code`: `sm_75` and so on.
pub fn capabilities(list: &str) -> Vec<u32> {
    list.lines().filter_map(|line| line.trim().strip_prefix("sm_")?.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nvidia_smi_prints_is_read() {
        let table = "NVIDIA H200, 9.0, 580.95.05, 143771, 143150\nTesla, V100, 7.0, 580.95.05, 16160, 120\n";
        let banner = "| NVIDIA-SMI 580.95.05   Driver Version: 580.95.05   CUDA Version: 13.0 |";
        let driver = driver(table, banner).expect("a driver");
        assert_eq!((driver.version.as_str(), driver.cuda), ("580.95.05", Some(Version(13, 0))));
        assert_eq!(driver.gpus.len(), 2);
        let gpu = &driver.gpus[1];
        assert_eq!((gpu.name.as_str(), gpu.capability, gpu.free), ("Tesla, V100", Version(7, 0), 120));
        assert_eq!(super::driver("No devices were found\n", banner), None);
        assert_eq!(super::driver("", banner), None);
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(Version::parse("12.10") > Version::parse("12.9.1"));
        assert_eq!(Version::after("release 13.0, V13.0.88", "release"), Some(Version(13, 0)));
        assert_eq!(Version::after("no version", "release"), None);
        assert_eq!(capabilities("sm_75\nsm_100\nsm_90a\n"), [75, 100]);
    }
}

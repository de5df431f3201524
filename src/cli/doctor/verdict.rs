//! Judges the facts: what is there, what is missing for which purpose, and what to install. Pure functions.

use serde::Serialize;

use super::facts::{Driver, Facts, Smi, Version};

/// What something is needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Building and running on the CPU; the build for CUDA needs it too.
    Cpu,
    BuildCuda,
    RunCuda,
}

impl Purpose {
    pub fn text(self) -> &'static str {
        match self {
            Self::Cpu => "to build",
            Self::BuildCuda => "to build for CUDA",
            Self::RunCuda => "to run on CUDA",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub name: &'static str,
    pub purpose: Purpose,
    /// It is there and fits.
    pub good: bool,
    /// What was found.
    pub found: String,
    /// What to do where it is not good, or might be better.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

/// The oldest Rust that builds a model.
const RUST: &str = env!("CARGO_PKG_RUST_VERSION");
/// Below this much memory, in MiB, there is a remark: a training step of MiniLM fits.
const LITTLE: u64 = 2048;

const RUSTUP: &str = "install Rust from https://rustup.rs and open a new shell";
const TOOLKIT: &str = "install the CUDA toolkit, no newer than what the driver runs \
    (https://developer.nvidia.com/cuda-toolkit-archive; 13.0 for driver 580), and name its folder in CUDA_PATH; on a \
    machine that only builds: `. scripts/cuda/toolchain.sh`, see scripts/cuda/README.md of camtl";
const DRIVER: &str = "install NVIDIA's driver (https://www.nvidia.com/drivers); in a container pass the GPU on \
    (`--gpus all`); on a machine that only builds: `. scripts/cuda/toolchain.sh`, see scripts/cuda/README.md of camtl";

/// Every finding, what the CPU needs first.
pub fn judge(facts: &Facts) -> Vec<Finding> {
    let mut findings = vec![
        rust("cargo", facts.cargo),
        rust("rustc", facts.rustc),
        tool(
            "C compiler",
            Purpose::Cpu,
            facts.linker.clone(),
            "install a C compiler, such as gcc or clang: rustc links with it",
        ),
        nvcc(facts),
        tool(
            "CUDA toolkit",
            Purpose::BuildCuda,
            facts.toolkit.as_ref().map(|root| root.display().to_string()),
            TOOLKIT,
        ),
        libraries(facts),
        architecture(facts),
    ];
    findings.extend(driver(facts));
    findings
}

/// Is all there for this purpose, and for what it builds on?
pub fn is_ready(findings: &[Finding], purpose: Purpose) -> bool {
    let counts = |finding: &&Finding| finding.purpose == Purpose::Cpu || finding.purpose == purpose;
    findings.iter().filter(counts).all(|finding| finding.good)
}

/// What stands in the way of a build for CUDA, Rust aside, whose absence has an error of its own.
pub fn missing_to_build(findings: &[Finding]) -> Vec<&Finding> {
    findings.iter().filter(|finding| finding.purpose == Purpose::BuildCuda && !finding.good).collect()
}

fn tool(name: &'static str, purpose: Purpose, found: Option<String>, advice: &str) -> Finding {
    match found {
        Some(found) => Finding { name, purpose, good: true, found, advice: None },
        None => Finding {
            name,
            purpose,
            good: false,
            found: "missing".to_owned(),
            advice: Some(advice.to_owned()),
        },
    }
}

fn rust(name: &'static str, version: Option<Version>) -> Finding {
    let finding = tool(name, Purpose::Cpu, version.map(|version| version.to_string()), RUSTUP);
    match (version, Version::parse(RUST)) {
        (Some(version), Some(oldest)) if version < oldest => Finding {
            good: false,
            advice: Some(format!("it has to be {oldest} or newer: `rustup update stable`")),
            ..finding
        },
        _ => finding,
    }
}

fn nvcc(facts: &Facts) -> Finding {
    let found = facts.nvcc.as_ref().map(|nvcc| match nvcc.version {
        Some(version) => version.to_string(),
        None => "of an unknown version".to_owned(),
    });
    let advice = format!("{TOOLKIT}; its `bin` has to be on the PATH");
    tool("nvcc", Purpose::BuildCuda, found, &advice)
}

fn libraries(facts: &Facts) -> Finding {
    let list = |names: &[&str]| names.iter().map(|name| format!("lib{name}")).collect::<Vec<_>>().join(", ");
    let (good, found, advice) = match facts.unlinked.as_slice() {
        [] => (true, list(&super::facts::LIBRARIES), None),
        missing => {
            let advice = format!("{TOOLKIT}; a driver's libcuda.so or the toolkit's stub of it counts");
            (false, format!("missing: {}", list(missing)), Some(advice))
        }
    };
    Finding { name: "CUDA libraries", purpose: Purpose::BuildCuda, good, found, advice }
}

/// What the kernels are compiled for. dfdx's build asks nvidia-smi in any case, and nvcc whether it can.
fn architecture(facts: &Facts) -> Finding {
    let finding = |good, found: String, advice: Option<String>| Finding {
        name: "compute capability",
        purpose: Purpose::BuildCuda,
        good,
        found,
        advice,
    };
    let Some(capability) = facts.nvidia_smi.capability() else {
        let found = match &facts.nvidia_smi {
            Smi::Fails(said) => format!("unknown, nvidia-smi says: {said}"),
            _ => "unknown: nvidia-smi, which tells it, is missing".to_owned(),
        };
        return finding(false, found, Some(DRIVER.to_owned()));
    };
    let own = 10 * capability.0 + capability.1;
    if let Some(nvcc) = facts.nvcc.as_ref().filter(|nvcc| !nvcc.capabilities.is_empty())
        && !nvcc.capabilities.contains(&own)
    {
        let advice =
            "nvcc builds for others: install a toolkit of the GPU's time (12.9 is the last before 7.5)";
        return finding(false, capability.to_string(), Some(advice.to_owned()));
    }
    match &facts.wanted_capability {
        None => finding(true, capability.to_string(), None),
        Some(wanted) => match wanted.parse::<u32>() {
            Err(_) => {
                let advice = "write it without a point: CUDA_COMPUTE_CAP=80, or leave it unset";
                finding(
                    false,
                    format!("`{wanted}`, which CUDA_COMPUTE_CAP asks for"),
                    Some(advice.to_owned()),
                )
            }
            Ok(wanted) => {
                let found = format!("{}.{}, which CUDA_COMPUTE_CAP asks for", wanted / 10, wanted % 10);
                let is_newer = wanted > own && matches!(facts.nvidia_smi, Smi::Driver(_));
                let advice = is_newer.then(|| format!("the GPU here has {capability} and will not run it"));
                finding(true, found, advice)
            }
        },
    }
}

/// The driver, and each of its GPUs.
fn driver(facts: &Facts) -> Vec<Finding> {
    let finding = |good, found: String, advice: Option<String>| Finding {
        name: "driver",
        purpose: Purpose::RunCuda,
        good,
        found,
        advice,
    };
    let Driver { version, cuda, gpus } = match &facts.nvidia_smi {
        Smi::Driver(driver) => driver,
        Smi::Missing => return vec![finding(false, "missing".to_owned(), Some(DRIVER.to_owned()))],
        Smi::Fails(said) => {
            return vec![finding(false, format!("nvidia-smi says: {said}"), Some(DRIVER.to_owned()))];
        }
        Smi::Capability(_) => {
            let advice = "what is built here runs elsewhere: scripts/cuda/README.md of camtl";
            return vec![finding(
                false,
                "none, this machine only builds".to_owned(),
                Some(advice.to_owned()),
            )];
        }
    };
    let nvcc = facts.nvcc.as_ref().and_then(|nvcc| nvcc.version);
    let runs = cuda.map_or(String::new(), |cuda| format!(", runs CUDA up to {cuda}"));
    let advice = match (nvcc, cuda) {
        (Some(nvcc), Some(cuda)) if nvcc > *cuda => Some(format!(
            "it refuses what nvcc {nvcc} writes: update the driver, or install the toolkit {cuda}"
        )),
        _ => None,
    };
    let mut findings = vec![finding(advice.is_none(), format!("{version}{runs}"), advice)];
    findings.extend(gpus.iter().map(|gpu| {
        let found = format!(
            "{}, compute capability {}, {} of {} MiB free",
            gpu.name, gpu.capability, gpu.free, gpu.memory
        );
        let advice =
            (gpu.free < LITTLE).then(|| "little memory is free: `nvidia-smi` shows what uses it".to_owned());
        Finding { name: "GPU", purpose: Purpose::RunCuda, good: true, found, advice }
    }));
    findings
}

#[cfg(test)]
mod tests {
    use super::super::facts::{Gpu, LIBRARIES, Nvcc};
    use super::*;

    fn complete() -> Facts {
        Facts {
            cargo: Some(Version(1, 95)),
            rustc: Some(Version(1, 95)),
            linker: Some("cc".to_owned()),
            nvcc: Some(Nvcc { version: Some(Version(13, 0)), capabilities: vec![75, 80, 90] }),
            toolkit: Some("/usr/local/cuda".into()),
            unlinked: Vec::new(),
            nvidia_smi: Smi::Driver(Driver {
                version: "580.95.05".to_owned(),
                cuda: Some(Version(13, 0)),
                gpus: vec![Gpu {
                    name: "H200".to_owned(),
                    capability: Version(9, 0),
                    memory: 143_771,
                    free: 143_000,
                }],
            }),
            wanted_capability: None,
        }
    }

    fn without_cuda() -> Facts {
        Facts {
            nvcc: None,
            toolkit: None,
            unlinked: LIBRARIES.to_vec(),
            nvidia_smi: Smi::Missing,
            ..complete()
        }
    }

    /// Those that are not good.
    fn bad(facts: &Facts) -> Vec<&'static str> {
        judge(facts).iter().filter(|finding| !finding.good).map(|finding| finding.name).collect()
    }

    fn ready(facts: &Facts) -> [bool; 3] {
        let findings = judge(facts);
        [Purpose::Cpu, Purpose::BuildCuda, Purpose::RunCuda].map(|purpose| is_ready(&findings, purpose))
    }

    #[test]
    fn a_machine_with_all_of_it_is_ready() {
        assert_eq!(bad(&complete()), Vec::<&str>::new());
        assert_eq!(ready(&complete()), [true; 3]);
        assert!(judge(&complete()).iter().all(|finding| finding.advice.is_none()));
    }

    #[test]
    fn without_cuda_the_cpu_is_ready_and_everything_missing_has_advice() {
        assert_eq!(ready(&without_cuda()), [true, false, false]);
        let findings = judge(&without_cuda());
        let missing: Vec<&str> = missing_to_build(&findings).iter().map(|finding| finding.name).collect();
        assert_eq!(missing, ["nvcc", "CUDA toolkit", "CUDA libraries", "compute capability"]);
        assert!(findings.iter().filter(|finding| !finding.good).all(|finding| finding.advice.is_some()));
    }

    #[test]
    fn a_machine_that_only_builds_builds() {
        let facts = Facts { nvidia_smi: Smi::Capability(Version(8, 0)), ..complete() };
        assert_eq!(ready(&facts), [true, true, false]);
    }

    #[test]
    fn without_rust_nothing_is_ready_and_an_old_one_counts_as_none() {
        assert_eq!(ready(&Facts { cargo: None, ..complete() }), [false; 3]);
        let old = Facts { rustc: Some(Version(1, 70)), ..complete() };
        assert_eq!(bad(&old), ["rustc"]);
        assert_eq!(ready(&old), [false; 3]);
        assert_eq!(bad(&Facts { linker: None, ..complete() }), ["C compiler"]);
    }

    #[test]
    fn a_toolkit_newer_than_the_driver_is_found_before_the_driver_refuses_it() {
        let nvcc = Some(Nvcc { version: Some(Version(13, 1)), capabilities: vec![90] });
        let facts = Facts { nvcc, ..complete() };
        assert_eq!(bad(&facts), ["driver"]);
        assert_eq!(ready(&facts), [true, true, false]);
        let older = Some(Nvcc { version: Some(Version(12, 8)), capabilities: vec![90] });
        assert_eq!(bad(&Facts { nvcc: older, ..complete() }), Vec::<&str>::new());
    }

    #[test]
    fn a_gpu_that_nvcc_does_not_know_is_found_before_the_build() {
        let facts = Facts { nvidia_smi: Smi::Capability(Version(6, 1)), ..complete() };
        assert!(bad(&facts).contains(&"compute capability"));
        let wrong = Facts { wanted_capability: Some("8.0".to_owned()), ..complete() };
        assert_eq!(bad(&wrong), ["compute capability"]);
        let newer = Facts { wanted_capability: Some("100".to_owned()), ..complete() };
        let findings = judge(&newer);
        assert!(findings.iter().any(|finding| finding.good && finding.advice.is_some()), "a remark");
    }

    #[test]
    fn a_missing_library_is_named() {
        let findings = judge(&Facts { unlinked: vec!["cublasLt"], ..complete() });
        let finding = findings.iter().find(|finding| !finding.good).expect("one");
        assert_eq!(finding.found, "missing: libcublasLt");
    }

    #[test]
    fn little_memory_is_a_remark() {
        let mut facts = complete();
        if let Smi::Driver(driver) = &mut facts.nvidia_smi {
            driver.gpus[0].free = 100;
        }
        let findings = judge(&facts);
        assert_eq!(ready(&facts), [true; 3]);
        assert!(findings.iter().any(|finding| finding.name == "GPU" && finding.advice.is_some()));
    }
}

//! `doctor`, and what `build --device cuda` says where something is missing, on machines made of pretended tools.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{QUICKSTART, code, command, stderr, stdout};

/// Folders of a machine: its tools, its CUDA toolkit, and camtlc's home.
struct Machine {
    folder: TempDir,
}

impl Machine {
    /// With Rust and a C compiler, and no more.
    fn new() -> Self {
        let machine = Self { folder: tempfile::tempdir().expect("a temporary folder") };
        machine.tool("cargo", "echo cargo 1.95.0 '(abc 2026-01-01)'");
        machine.tool("rustc", "echo rustc 1.95.0 '(abc 2026-01-01)'");
        machine.tool("cc", "true");
        machine
    }

    /// With a toolkit, too.
    fn with_toolkit() -> Self {
        let machine = Self::new();
        machine.tool(
            "nvcc",
            "case $1 in --version) echo release 13.0, V13.0.88;; *) echo sm_80; echo sm_90;; esac",
        );
        machine.file("cuda/include/cuda.h");
        for library in ["cuda", "nvrtc", "cublas", "cublasLt"] {
            machine.file(&format!("cuda/lib64/lib{library}.so"));
        }
        machine
    }

    fn file(&self, path: &str) {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().expect("below the folder")).expect("folders can be made");
        fs::write(path, "").expect("files can be written");
    }

    fn tool(&self, name: &str, script: &str) {
        use std::os::unix::fs::PermissionsExt as _;

        let path = self.folder.path().join("bin").join(name);
        fs::create_dir_all(path.parent().expect("below the folder")).expect("folders can be made");
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("files can be written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("permitted");
    }

    /// A driver that runs CUDA up to this version, with one GPU.
    fn driver(&self, cuda: &str) {
        let script = format!(
            "case \"$*\" in\n\
             '') echo '| Driver Version: 580.95.05   CUDA Version: {cuda} |';;\n\
             *name*) echo 'NVIDIA H200, 9.0, 580.95.05, 143771, 143000';;\n\
             *) echo compute_cap; echo 9.0;;\n\
             esac"
        );
        self.tool("nvidia-smi", &script);
    }

    fn camtlc(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("camtlc runs")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = command(arguments);
        let inside = |name: &str| self.folder.path().join(name);
        command.env("PATH", inside("bin")).env("CAMTL_HOME", inside("home")).env("CUDA_PATH", inside("cuda"));
        for variable in ["CARGO", "RUSTC", "CUDA_ROOT", "CUDA_TOOLKIT_ROOT_DIR", "CUDA_COMPUTE_CAP"] {
            command.env_remove(variable);
        }
        command
    }
}

#[test]
fn without_cuda_the_cpu_will_do_unless_cuda_is_asked_for() {
    let machine = Machine::new();
    let out = machine.camtlc(&["doctor"]);
    assert_eq!(code(&out), 0, "{}", stdout(&out));
    assert!(stdout(&out).contains("to build: all is there"), "{}", stdout(&out));
    assert!(stdout(&out).contains("x nvcc"), "{}", stdout(&out));
    assert_eq!(code(&machine.camtlc(&["doctor", "--device", "cuda"])), 1);
}

#[test]
fn what_the_cpu_needs_is_missed() {
    let machine = Machine::new();
    fs::remove_file(machine.folder.path().join("bin/cc")).expect("removed");
    let out = machine.camtlc(&["doctor"]);
    assert_eq!(code(&out), 1);
    assert!(stdout(&out).contains("install a C compiler"), "{}", stdout(&out));
}

#[test]
fn a_machine_with_a_gpu_is_described_as_json() {
    let machine = Machine::with_toolkit();
    machine.driver("13.0");
    let out = machine.camtlc(&["doctor", "--json", "--device", "cuda"]);
    let value: Value = serde_json::from_str(&stdout(&out)).expect("JSON");
    assert_eq!(code(&out), 0, "{value:#}");
    for purpose in ["cpu", "build_cuda", "run_cuda"] {
        assert_eq!(value["ready"][purpose], true, "{value:#}");
    }
    let gpu = &value["facts"]["nvidia_smi"]["driver"]["gpus"][0];
    assert_eq!((&gpu["capability"], &gpu["free"]), (&"9.0".into(), &143_000.into()));
}

#[test]
fn a_driver_too_old_for_the_toolkit_is_found() {
    let machine = Machine::with_toolkit();
    machine.driver("12.4");
    let out = machine.camtlc(&["doctor", "--device", "cuda"]);
    assert_eq!(code(&out), 1);
    assert!(stdout(&out).contains("refuses what nvcc 13.0 writes"), "{}", stdout(&out));
}

#[test]
fn a_build_for_cuda_without_cuda_fails_before_anything_is_compiled() {
    let machine = Machine::new();
    machine.tool("cargo", "echo cargo was asked >&2; exit 101");
    let out = machine.camtlc(&["build", QUICKSTART, "--device", "cuda"]);
    assert_eq!(code(&out), 1);
    let text = stderr(&out);
    for word in ["cannot be built here", "nvcc", "CUDA toolkit", "nvidia-smi", "camtlc doctor"] {
        assert!(text.contains(word), "{word} in {text}");
    }
    assert!(!text.contains("cargo was asked"), "{text}");
    assert!(!machine.folder.path().join("home").exists(), "nothing is written");
}

#[test]
fn a_failing_build_for_cuda_names_its_log_and_shows_none_of_it() {
    let machine = Machine::with_toolkit();
    machine.driver("13.0");
    machine.tool("cargo", "echo 'nvcc error while compiling \"src/add.cu\": riddles' >&2; exit 101");
    let out = machine.camtlc(&["build", QUICKSTART, "--device", "cuda"]);
    assert_eq!(code(&out), 1);
    let text = stderr(&out);
    assert!(text.contains("build.log") && text.contains("CUDA's tools refuse"), "{text}");
    assert!(!text.contains("riddles"), "{text}");
}

#[test]
fn a_build_for_each_device_is_kept_and_the_program_is_told_where_to_compute() {
    let machine = Machine::with_toolkit();
    machine.driver("13.0");
    let program = machine.folder.path().join("bin/program");
    machine.tool("program", "printf '%s\\n' \"$@\"");
    let built = serde_json::json!({
        "reason": "compiler-artifact",
        "target": { "name": "quickstart" },
        "executable": program,
    });
    machine.tool("cargo", &format!("echo '{built}'"));
    let train = |device: &[&str]| {
        let out = machine.camtlc(&[&["train", QUICKSTART, "--data", "d"][..], device].concat());
        assert_eq!(code(&out), 0, "{}", stderr(&out));
        (stdout(&out).lines().map(str::to_owned).collect::<Vec<_>>(), stderr(&out))
    };
    let (on_cpu, _) = train(&[]);
    assert_eq!(on_cpu, ["train", "--model", QUICKSTART, "--data", "d"]);
    let (on_cuda, said) = train(&["--device", "cuda:1", "--precision", "tf32"]);
    assert!(said.contains("built in"), "another binary: {said}");
    assert_eq!(
        on_cuda,
        ["train", "--device", "cuda:1", "--precision", "tf32", "--model", QUICKSTART, "--data", "d"]
    );
    let (_, said) = train(&["--device", "cuda"]);
    assert!(!said.contains("built in"), "the one of before: {said}");

    let manifest = |path: &Path| fs::read_to_string(path.join("Cargo.toml")).expect("a crate");
    let crates = fs::read_dir(machine.folder.path().join("home/crates")).expect("crates");
    let folder = crates.map(|entry| entry.expect("an entry").path()).next().expect("one");
    assert!(manifest(&folder).contains("features = [\"cuda\"]"), "{}", manifest(&folder));
}

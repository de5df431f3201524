//! Finds the facts out: asks the tools on the path, and looks where the linker and dfdx's build look.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::facts::{self, Facts, LIBRARIES, Nvcc, Smi, Version};

pub fn probe() -> Facts {
    let toolkit = toolkit();
    Facts {
        cargo: rust("cargo", "CARGO"),
        rustc: rust("rustc", "RUSTC"),
        linker: linker(),
        nvcc: nvcc(),
        unlinked: unlinked(toolkit.as_deref()),
        toolkit,
        nvidia_smi: nvidia_smi(),
        wanted_capability: env::var("CUDA_COMPUTE_CAP").ok(),
    }
}

/// What a tool prints; `None` where it cannot be started. An error of it is given as what it says.
fn ask(tool: &str, arguments: &[&str]) -> Option<Result<String, String>> {
    let out = Command::new(tool).args(arguments).stdin(Stdio::null()).output().ok()?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    Some(match out.status.success() {
        true => Ok(text(&out.stdout)),
        false => {
            let said = [text(&out.stderr), text(&out.stdout)].join("\n");
            Err(said.trim().lines().next().unwrap_or("it fails and says nothing").to_owned())
        }
    })
}

/// "cargo 1.93.0 (hash date)"; the variable names another than the one on the path, as in a build.
fn rust(tool: &str, variable: &str) -> Option<Version> {
    let chosen = env::var(variable).unwrap_or_else(|_| tool.to_owned());
    let said = ask(&chosen, &["--version"])?.ok()?;
    Version::after(&said, tool)
}

fn linker() -> Option<String> {
    let names: &[&str] = if cfg!(windows) { &["link.exe", "clang.exe"] } else { &["cc", "gcc", "clang"] };
    let found = names.iter().find(|name| on_path(name));
    // with Visual Studio rustc finds it outside of the path
    found.map(|name| (*name).to_owned()).or_else(|| cfg!(windows).then(|| "Visual Studio's".to_owned()))
}

fn on_path(name: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(name).is_file())
}

fn nvcc() -> Option<Nvcc> {
    let said = ask("nvcc", &["--version"])?.ok()?;
    let list = ask("nvcc", &["--list-gpu-code"]).and_then(Result::ok).unwrap_or_default();
    Some(Nvcc { version: Version::after(&said, "release"), capabilities: facts::capabilities(&list) })
}

fn nvidia_smi() -> Smi {
    let query = "--query-gpu=name,compute_cap,driver_version,memory.total,memory.free";
    let said = match ask("nvidia-smi", &[query, "--format=csv,noheader,nounits"]) {
        None => return Smi::Missing,
        Some(said) => said,
    };
    let banner = ask("nvidia-smi", &[]).and_then(Result::ok).unwrap_or_default();
    if let Some(driver) = said.as_ref().ok().and_then(|table| facts::driver(table, &banner)) {
        return Smi::Driver(driver);
    }
    // what dfdx's build asks, and all that a stand-in has to answer
    match ask("nvidia-smi", &["--query-gpu=compute_cap", "--format=csv"]) {
        Some(Ok(table)) => match Version::after(&table, "compute_cap") {
            Some(capability) => Smi::Capability(capability),
            None => Smi::Fails(table.lines().next().unwrap_or_default().to_owned()),
        },
        _ => Smi::Fails(said.unwrap_or_else(|error| error)),
    }
}

/// Where dfdx and its CUDA bindings look, in their order.
fn toolkit() -> Option<PathBuf> {
    let named = ["CUDA_PATH", "CUDA_ROOT", "CUDA_TOOLKIT_ROOT_DIR"].into_iter().filter_map(env::var_os);
    let usual = ["/usr", "/usr/local/cuda", "/opt/cuda", "/usr/lib/cuda"].map(Into::into);
    named.chain(usual).map(PathBuf::from).find(|root| root.join("include/cuda.h").is_file())
}

fn unlinked(toolkit: Option<&Path>) -> Vec<&'static str> {
    const INSIDE: [&str; 7] = [
        "lib",
        "lib/x64",
        "lib/x86_64-linux-gnu",
        "lib64",
        "lib64/stubs",
        "targets/x86_64-linux/lib",
        "targets/x86_64-linux/lib/stubs",
    ];
    const USUAL: [&str; 6] = [
        "/usr/lib",
        "/usr/lib64",
        "/lib64",
        "/usr/local/lib",
        "/usr/lib/x86_64-linux-gnu",
        "/usr/lib/aarch64-linux-gnu",
    ];
    let inside = toolkit.into_iter().flat_map(|root| INSIDE.map(|folder| root.join(folder)));
    let folders: Vec<PathBuf> = inside.chain(USUAL.map(PathBuf::from)).collect();
    let is_there = |name: &str| {
        let file = if cfg!(windows) { format!("{name}.lib") } else { format!("lib{name}.so") };
        folders.iter().any(|folder| folder.join(&file).is_file())
    };
    LIBRARIES.into_iter().filter(|name| !is_there(name)).collect()
}

//! What a dependency on camtl costs: a build script that compiles a model has no use for the runtime.

use std::process::Command;

#[test]
fn the_compiler_alone_is_light() {
    let packages = packages("compiler");
    assert!(packages.iter().any(|name| name == "pest"), "{packages:?}");
    for heavy in ["clap", "ctrlc", "dfdx", "gemm", "rayon", "tokenizers", "tempfile", "tracing"] {
        assert!(!packages.iter().any(|name| name == heavy), "`compiler` pulls in {heavy}");
    }
}

#[test]
fn the_runtime_has_nothing_of_the_compiler() {
    let packages = packages("runtime");
    assert!(packages.iter().any(|name| name == "dfdx"), "{packages:?}");
    for other in ["pest", "prettyplease"] {
        assert!(!packages.iter().any(|name| name == other), "`runtime` pulls in {other}");
    }
}

/// The names of all packages that camtl needs with one feature.
fn packages(feature: &str) -> Vec<String> {
    let out = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--locked", "--no-default-features", "--features", feature])
        .args(["--edges", "normal", "--prefix", "none", "--format", "{p}"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let text = String::from_utf8(out.stdout).expect("names are UTF-8");
    text.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

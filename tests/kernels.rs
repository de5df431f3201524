//! What CUDA programs hold, kernels.ptx, is made of the kernels' source as it is.
#![cfg(feature = "runtime")]

use std::fs;
use std::path::Path;

#[test]
fn the_compiled_kernels_are_of_their_source() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/kernels/cuda");
    let source = fs::read(folder.join("kernels.cu")).unwrap();
    let compiled = fs::read_to_string(folder.join("kernels.ptx")).unwrap();
    let mut sum = flate2::Crc::new();
    sum.update(&source);
    let expected = format!("CRC-32 is {:08x};", sum.sum());
    let first = compiled.lines().next().unwrap();
    assert!(first.contains(&expected), "`{first}` instead of {expected}: run scripts/cuda/kernels.sh");
}

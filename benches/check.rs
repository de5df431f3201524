//! Time of `camtlc check` as its user feels it: a whole process, on a model of 24 tasks.
//!
//!     cargo bench --bench check

use std::process::{Command, Stdio};

use criterion::{Criterion, criterion_group, criterion_main};

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/ok/twenty_four.cam");

fn check(c: &mut Criterion) {
    c.bench_function("camtlc check, 24 tasks", |bencher| {
        bencher.iter(|| {
            let status = Command::new(env!("CARGO_BIN_EXE_camtlc"))
                .args(["check", MODEL])
                .stdout(Stdio::null())
                .status()
                .expect("camtlc runs");
            assert!(status.success());
        });
    });
}

criterion_group!(benches, check);
criterion_main!(benches);

//! Time of a training step and of scoring, at MiniLM's size (6 x 384) and at BERT-base's (12 x 768), on random weights
//! and tokens.
//!
//!     cargo bench --features runtime --bench step

mod support;

use std::time::Duration;

use camtl::nn::{Encode, Model, Predict};
use camtl::runner::{Cpu, keep_freed_memory};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use support::{BATCH, CANDIDATES, PLAN, SEQUENCE, bert_base, minilm};

#[global_allocator]
static ALLOCATOR: camtl::runner::Allocator = camtl::runner::ALLOCATOR;

fn steps(c: &mut Criterion) {
    keep_freed_memory();
    of::<384, minilm::Encoder<Cpu>, minilm::Heads<Cpu>>(c, "minilm");
    of::<768, bert_base::Encoder<Cpu>, bert_base::Heads<Cpu>>(c, "bert_base");
}

fn of<const HIDDEN: usize, E, P>(c: &mut Criterion, name: &str)
where
    E: Encode<HIDDEN, Cpu>,
    P: Predict<HIDDEN, Cpu>,
{
    let network: Model<HIDDEN, E, P, Cpu> = support::random();
    let mut learner = support::learner(network);
    let batch = support::batch(BATCH, SEQUENCE);
    let targets = support::targets(&batch);

    let mut group = c.benchmark_group(name);
    group.sample_size(10).warm_up_time(Duration::from_secs(1));
    group.throughput(Throughput::Elements(BATCH as u64));
    let mut number = 0;
    group.bench_function(format!("train {BATCH} x {SEQUENCE}"), |bencher| {
        bencher.iter(|| {
            number += 1;
            support::step(&mut learner, number, &batch, &targets)
        });
    });
    // a chunk of the candidates of all tasks
    let candidates = CANDIDATES * PLAN.tasks.len();
    group.throughput(Throughput::Elements(candidates as u64));
    group.bench_function(format!("score {candidates} x {SEQUENCE}"), |bencher| {
        bencher.iter(|| {
            (0..candidates / BATCH).map(|_| support::score(&learner.network, &batch)).collect::<Vec<_>>()
        });
    });
    group.finish();
}

criterion_group!(benches, steps);
criterion_main!(benches);

//! Time of each operation at MiniLM's sizes, forward and with its backward pass, and of matrix products against the
//! crate `gemm` alone.
//!
//!     cargo bench --features runtime --bench operations
//!
//! Where an operation is made of matrix products, `elem/s` is their floating point operations in a second; elsewhere it
//! is numbers of the output in a second.

mod support;

use std::hint::black_box;
use std::time::Duration;

use camtl::kernels::{
    AdamWUpdate, BlockShape, Dense, Kernels, Matrix, Pass, Residual, Segments, TokenIds, Tokens, Weight,
};
use camtl::nn::EPSILON;
use camtl::runner::{Cpu, keep_freed_memory};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use dfdx::prelude::{Const, Gradients, Rank1, Rank2, Tape, Tensor, TensorFromVec};
use support::measure::{self, Operation};
use support::products::{self, Gemm, Linear, ROWS, numbers};

#[global_allocator]
static ALLOCATOR: camtl::runner::Allocator = camtl::runner::ALLOCATOR;

const HIDDEN: usize = 384;
const FFN: usize = 1536;
const HEADS: usize = 12;
const TASKS: usize = 8;
const VOCAB: usize = 30522;
/// Numbers of all parameters of a MiniLM.
const PARAMETERS: usize = 22_700_000;

/// Declares an operation on fields of its own.
macro_rules! operation {
    ($name:ident { $($field:ident: $type:ty),* $(,)? } -> $out:ty, |$own:ident, $pass:ident| $body:expr) => {
        struct $name {
            $($field: $type,)*
        }

        impl Operation for $name {
            type Out = $out;

            fn run<T: Tape<f32, Cpu>>(&self, $pass: &mut Pass<T, Cpu>) -> Tensor<$out, f32, Cpu> {
                let $own = self;
                $body
            }
        }
    };
}

type Flat = (usize, Const<HIDDEN>);

operation!(SelfAttention {
    x: Tokens<HIDDEN, Cpu>, dense: [Dense<HIDDEN, HIDDEN, Cpu>; 3], bias: Matrix<Cpu>, shape: BlockShape, segments: Segments,
} -> Flat, |own, pass| {
    let bias = Some((own.bias.clone(), own.shape));
    Cpu::self_attention(pass, &own.x, own.dense.clone(), HEADS, bias, &own.segments, &own.segments)
});
operation!(LinearNorm {
    x: Tokens<HIDDEN, Cpu>, dense: Dense<HIDDEN, HIDDEN, Cpu>, residual: Residual<HIDDEN, Cpu>,
} -> Flat, |own, pass| Cpu::linear_norm(pass, &own.x, own.dense.clone(), own.residual.clone()));
operation!(FeedForward {
    x: Tokens<HIDDEN, Cpu>, dense: (Dense<HIDDEN, FFN, Cpu>, Dense<FFN, HIDDEN, Cpu>), residual: Residual<HIDDEN, Cpu>,
} -> Flat, |own, pass| Cpu::feed_forward(pass, &own.x, own.dense.clone(), true, Some(own.residual.clone())));
operation!(Norm {
    x: Tokens<HIDDEN, Cpu>, gamma: Tokens<HIDDEN, Cpu>, beta: Tokens<HIDDEN, Cpu>, segments: Segments,
} -> Flat, |own, pass| Cpu::norm(pass, &own.x, &own.gamma, &own.beta, EPSILON, &own.segments, true));
operation!(Film {
    x: Tokens<HIDDEN, Cpu>, gamma: Tokens<HIDDEN, Cpu>, beta: Tokens<HIDDEN, Cpu>, segments: Segments,
} -> Flat, |own, pass| Cpu::film(pass, &own.x, &own.gamma, &own.beta, &own.segments));
operation!(Dropout { x: Tokens<HIDDEN, Cpu> } -> Flat, |own, pass| Cpu::dropout(pass, &own.x));
operation!(Select { x: Tokens<HIDDEN, Cpu>, rows: Vec<usize> } -> Flat, |own, pass| Cpu::select(pass, &own.x, &own.rows));
operation!(Embed {
    ids: TokenIds, word: Weight<Rank2<VOCAB, HIDDEN>, Cpu>, position: Tensor<Rank2<512, HIDDEN>, f32, Cpu>,
    types: Tensor<Rank2<2, HIDDEN>, f32, Cpu>,
} -> Flat, |own, pass| Cpu::embed(pass, &own.ids, &own.word, &own.position, &own.types, true));
operation!(BlockBias {
    blocks: Tensor<(usize,), f32, Cpu>, gamma: Matrix<Cpu>, beta: Matrix<Cpu>, shape: BlockShape,
} -> (usize, usize), |own, pass| Cpu::block_bias(pass, &own.blocks, &own.gamma, &own.beta, own.shape));

fn operations(c: &mut Criterion) {
    keep_freed_memory();
    let mut group = c.benchmark_group("operations");
    group.sample_size(20).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(2));
    let group = &mut group;

    linear::<384>(group, 384);
    linear::<384>(group, 1152);
    linear::<384>(group, 1536);
    linear::<1536>(group, 384);

    let long = segments(32, 128);
    let (tokens, sizes) = (|| x(ROWS), (HIDDEN * HIDDEN) as f64);
    for (name, segments, length) in [("32 x 128", long.clone(), 128), ("128 x 20", segments(128, 20), 20)] {
        let (shape, rows) = (BlockShape::new(128, 4), segments.rows());
        let flops = 2.0 * rows as f64 * (3.0 * sizes + 2.0 * (length * HIDDEN) as f64);
        let attention = SelfAttention {
            x: x(rows),
            dense: [dense(), dense(), dense()],
            bias: device().tensor_from_vec(numbers(TASKS * shape.entries()), (TASKS, shape.entries())),
            shape,
            segments,
        };
        bench(group, &format!("self_attention, {name}"), flops, 3.0, &attention);
    }
    let linear_norm = LinearNorm { x: tokens(), dense: dense(), residual: residual(&long, TASKS) };
    bench(group, "linear_norm", 2.0 * ROWS as f64 * sizes, 3.0, &linear_norm);
    let feed_forward =
        FeedForward { x: tokens(), dense: (dense(), dense()), residual: residual(&long, TASKS) };
    bench(group, "feed_forward", 4.0 * (ROWS * HIDDEN * FFN) as f64, 3.0, &feed_forward);

    let all = (ROWS * HIDDEN) as f64;
    for (name, rows) in [("plain", 1), ("conditional", TASKS)] {
        let norm = Norm { x: tokens(), gamma: x(rows), beta: x(rows), segments: long.clone() };
        bench(group, &format!("norm, {name}"), all, 1.0, &norm);
    }
    let film = Film { x: tokens(), gamma: x(TASKS), beta: x(TASKS), segments: long.clone() };
    bench(group, "film", all, 1.0, &film);
    bench(group, "dropout", all, 1.0, &Dropout { x: tokens() });
    let firsts = long.firsts().to_vec();
    bench(group, "select", (firsts.len() * HIDDEN) as f64, 1.0, &Select { x: tokens(), rows: firsts });
    let embed = Embed {
        ids: support::batch(32, 128).ids,
        word: Weight::new(device().tensor_from_vec(numbers(VOCAB * HIDDEN), Default::default())),
        position: device().tensor_from_vec(numbers(512 * HIDDEN), Default::default()),
        types: device().tensor_from_vec(numbers(2 * HIDDEN), Default::default()),
    };
    bench(group, "embed", all, 1.0, &embed);
    let shape = BlockShape::new(128, 4);
    let shared = || device().tensor_from_vec(numbers(TASKS * 32 * 32), (TASKS, 32 * 32));
    let blocks = device().tensor_from_vec(numbers(shape.entries()), (shape.entries(),));
    let block_bias = BlockBias { blocks, gamma: shared(), beta: shared(), shape };
    bench(group, "block_bias", (TASKS * shape.entries()) as f64, 1.0, &block_bias);
    adamw(group);
}

fn linear<const IN: usize>(group: &mut BenchmarkGroup<WallTime>, output: usize) {
    let name = format!("linear, {IN} -> {output}");
    bench(group, &name, products::flops(IN, output), 3.0, &Linear::<IN>::new(output));
}

/// Forward, and with the backward pass; `together` is how much more work both are than forward alone.
fn bench<O: Operation>(
    group: &mut BenchmarkGroup<WallTime>,
    name: &str,
    work: f64,
    together: f64,
    operation: &O,
) {
    group.throughput(Throughput::Elements(work as u64));
    group.bench_function(format!("{name}, forward"), |bencher| bencher.iter(|| measure::forward(operation)));
    group.throughput(Throughput::Elements((together * work) as u64));
    group.bench_function(format!("{name}, both"), |bencher| {
        bencher
            .iter_custom(|count| (0..count).map(|_| Duration::from_secs_f64(measure::both(operation))).sum());
    });
}

fn adamw(group: &mut BenchmarkGroup<WallTime>) {
    let mut weight = Weight::new(device().tensor_from_vec(numbers(PARAMETERS), (PARAMETERS,)));
    let mut gradients: Gradients<f32, Cpu> = Gradients::leaky();
    let mut moments = <Cpu as Kernels>::Moments::default();
    let mut step = 0;
    group.throughput(Throughput::Elements(PARAMETERS as u64));
    group.bench_function("adamw", |bencher| {
        bencher.iter(|| {
            step += 1;
            let (lr, weight_decay, beta1, beta2, epsilon) = (1e-5, 0.01, 0.9, 0.999, 1e-8);
            let update = AdamWUpdate { lr, weight_decay, beta1, beta2, epsilon, step, scale: 1.0 };
            black_box(Cpu::squared_norm(&mut gradients, &weight));
            Cpu::adamw(&mut weight, &mut moments, &mut gradients, &update, &mut ());
        });
    });
}

/// The product of a linear layer through `linear`, without a tape, and by `gemm` alone.
fn matrix_products(c: &mut Criterion) {
    let mut group = c.benchmark_group("matrix products");
    group.sample_size(20).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(2));
    let mut ratios = Vec::new();
    product::<384>(&mut group, 384, &mut ratios);
    product::<384>(&mut group, 1152, &mut ratios);
    product::<384>(&mut group, 1536, &mut ratios);
    product::<1536>(&mut group, 384, &mut ratios);
    group.finish();
    println!("our speed over that of gemm alone, both in turn:\n{}\n", ratios.join("\n"));
}

fn product<const IN: usize>(group: &mut BenchmarkGroup<WallTime>, output: usize, ratios: &mut Vec<String>) {
    group.throughput(Throughput::Elements(products::flops(IN, output) as u64));
    let (ours, mut alone) = (Linear::<IN>::new(output), Gemm::new(IN, output));
    group.bench_function(format!("{IN} -> {output}, ours"), |bencher| {
        bencher.iter(|| measure::forward(&ours))
    });
    group.bench_function(format!("{IN} -> {output}, gemm"), |bencher| bencher.iter(|| alone.forward()));
    let times = products::compare::<IN>(output, 15);
    let [forward, both] = [times.gemm_forward / times.forward, times.gemm_both / times.both];
    ratios.push(format!("{IN} -> {output}: forward {forward:.2}, with backward {both:.2}"));
}

fn device() -> Cpu {
    Cpu::default()
}

fn x(rows: usize) -> Tokens<HIDDEN, Cpu> {
    device().tensor_from_vec(numbers(rows * HIDDEN), (rows, Const))
}

fn dense<const IN: usize, const OUT: usize>() -> Dense<IN, OUT, Cpu> {
    let weight = Weight::new(device().tensor_from_vec(numbers(OUT * IN), Rank2::default()));
    Dense { weight, bias: device().tensor_from_vec(numbers(OUT), Rank1::default()), learn: true }
}

/// With a norm of so many tasks.
fn residual(segments: &Segments, tasks: usize) -> Residual<HIDDEN, Cpu> {
    let rows = segments.rows();
    Residual {
        x: x(rows),
        gamma: x(tasks),
        beta: x(tasks),
        epsilon: EPSILON,
        segments: segments.clone(),
        learn: true,
    }
}

/// Sequences of about `length` tokens, their tasks in turn.
fn segments(count: usize, length: usize) -> Segments {
    let lengths: Vec<usize> =
        (0..count).map(|i| if length < 100 { length - 8 + (i * 7) % 17 } else { length }).collect();
    Segments::new(&lengths, (0..count).map(|i| i % TASKS).collect())
}

criterion_group!(benches, operations, matrix_products);
criterion_main!(benches);

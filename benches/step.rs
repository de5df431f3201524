//! Time of a training step and of scoring at MiniLM's size (6 x 384), on random weights and tokens.
//!
//!     RUSTFLAGS="-C target-cpu=native" cargo bench --features runtime --bench step
//!
//! All four modules are attached and nothing is frozen: the most work that a model of this size makes.

use camtl::kernels::{AdamWUpdate, Pass, Training};
use camtl::nn::prelude::*;
use camtl::nn::pretrained;
use criterion::{Criterion, criterion_group, criterion_main};
use dfdx::prelude::{Axis, Backward, Cpu, HasShape, PutTape, Rank0, ReshapeTo, Shape, SumTo};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const TASKS: usize = 8;

type Layer<D> = EncoderLayer<384, 12, 1536, Trained, BlockAttention<128, 4>, CondNorm, NoBottleneck, D>;
type Top<D> = EncoderLayer<384, 12, 1536, Trained, BlockAttention<128, 4>, CondNorm, CondBottleneck<128>, D>;

struct Encoder<D: Kernels> {
    task_embedding: TaskEmbedding<384, D>,
    embeddings: Embeddings<384, 30522, 512, 2, Trained, D>,
    alignment: Alignment<384, D>,
    layers: [Layer<D>; 5],
    top: [Top<D>; 1],
    pooler: Pooler<384, Trained, D>,
}

impl<D: Kernels> Build<D> for Encoder<D> {
    fn build(at: &Scope<D>) -> Self {
        Self {
            task_embedding: TaskEmbedding::build(&at.child("task_embedding"), TASKS),
            embeddings: Build::build(&at.child("embeddings")),
            alignment: Build::build(&at.child("alignment")),
            layers: at.layers(0),
            top: at.layers(5),
            pooler: Build::build(&at.child("pooler")),
        }
    }
}

camtl::parameters!(Encoder { task_embedding, embeddings, alignment, layers, top, pooler });

impl<D: Kernels> Encoder<D> {
    fn encode<T: Tape<f32, D>>(&self, batch: &Batch, pass: &mut Pass<T, D>) -> Encoded<384, D> {
        let z = self.task_embedding.forward();
        let x = self.embeddings.forward(batch, pass);
        let x = self.alignment.forward(x, &z, batch, pass);
        let x = self.layers.forward(x, &z, batch, pass);
        let x = self.top.forward(x, &z, batch, pass);
        self.pooler.forward(x, batch, pass)
    }
}

/// `count` sequences of `length` tokens, tasks in turn.
fn batch(count: usize, length: usize) -> Batch {
    let words: Vec<u32> = (0..length as u32).map(|i| 1000 + i * 7).collect();
    let types = vec![0; length];
    Batch::new((0..count).map(|i| (words.as_slice(), types.as_slice(), i % TASKS)))
}

fn step(c: &mut Criterion) {
    let device = Cpu::default();
    let mut encoder: Encoder<Cpu> = Build::build(&Scope::root(device.clone()));
    let mut parameters = Vec::new();
    encoder.parameters(&mut parameters);
    pretrained::start(&mut parameters, 1);
    let mut moments: Vec<<Cpu as Kernels>::Moments> = parameters.iter().map(|_| Default::default()).collect();

    let mut group = c.benchmark_group("minilm");
    group.sample_size(10);
    let mut steps = 0;
    group.bench_function("train 32 x 128", |bencher| {
        let batch = batch(32, 128);
        bencher.iter(|| {
            steps += 1;
            let mut pass = Training::training(device.clone(), 0.1, steps);
            let pooled = encoder.encode(&batch, &mut pass).pooled;
            let count = pooled.shape().num_elements();
            let loss = pass.record(&pooled, |x| x.reshape_like(&(count,)).sum::<Rank0, Axis<0>>());
            let mut gradients = loss.put_tape(pass.tape).backward();
            let update = AdamWUpdate {
                lr: 1e-5,
                weight_decay: 0.01,
                beta1: 0.9,
                beta2: 0.999,
                epsilon: 1e-8,
                step: steps,
                scale: 1.0,
            };
            let mut parameters = Vec::new();
            encoder.parameters(&mut parameters);
            for (parameter, moments) in parameters.into_iter().zip(&mut moments) {
                parameter.adamw(moments, &mut gradients, &update);
            }
        });
    });
    group.bench_function("score 32 x 128", |bencher| {
        let batch = batch(32, 128);
        bencher.iter(|| encoder.encode(&batch, &mut Pass::scoring(device.clone())).pooled.as_vec());
    });
    group.finish();
}

criterion_group!(benches, step);
criterion_main!(benches);

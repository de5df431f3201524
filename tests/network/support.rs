//! A small network as camtlc lowers one, and the tools that several tests use.

use camtl::nn::prelude::*;
use camtl::nn::pretrained;
use dfdx::prelude::{Backward, Cpu, Gradients, PutTape};

pub const TASKS: usize = 3;

/// Two plain layers, and two with everything attached; nothing frozen but the first layer.
type Lower<D> = EncoderLayer<32, 4, 48, Frozen, PlainAttention, PlainNorm, NoBottleneck, D>;
type Upper<D> = EncoderLayer<32, 4, 48, Trained, BlockAttention<16, 3>, CondNorm, NoBottleneck, D>;
type Top<D> = EncoderLayer<32, 4, 48, Trained, BlockAttention<16, 3>, CondNorm, CondBottleneck<8>, D>;

pub struct Encoder<D: Kernels> {
    pub task_embedding: TaskEmbedding<32, D>,
    pub embeddings: Embeddings<32, 40, 24, 2, Frozen, D>,
    pub alignment: Alignment<32, D>,
    pub lower: [Lower<D>; 1],
    pub upper: [Upper<D>; 1],
    pub top: [Top<D>; 1],
    pub ladder: [LadderStep<32, 6, D>; 2],
    pub pooler: Pooler<32, Trained, D>,
}

impl<D: Kernels> Build<D> for Encoder<D> {
    fn build(at: &Scope<D>) -> Self {
        Self {
            task_embedding: TaskEmbedding::build(&at.child("task_embedding"), TASKS),
            embeddings: Build::build(&at.child("embeddings")),
            alignment: Build::build(&at.child("alignment")),
            lower: at.layers(0),
            upper: at.layers(1),
            top: at.layers(2),
            ladder: at.ladder(1),
            pooler: Build::build(&at.child("pooler")),
        }
    }
}

camtl::parameters!(Encoder { task_embedding, embeddings, alignment, lower, upper, top, ladder, pooler });

impl<D: Kernels> Encode<32, D> for Encoder<D> {
    fn constant(&self, batch: &Batch, pass: &mut Scoring<D>) -> Constant<32, D> {
        Some(self.embeddings.forward(batch, pass))
    }

    fn encode<T: Tape<f32, D>>(
        &self,
        constant: Constant<32, D>,
        batch: &Batch,
        pass: &mut Pass<T, D>,
    ) -> Encoded<32, D> {
        let z = self.task_embedding.forward();
        let x = constant.expect("the embeddings are constant");
        let x = self.alignment.forward(x, &z, batch, pass);
        let x = self.lower.forward(x, &z, batch, pass);
        let (x, f) = climb(&self.upper, &self.ladder[..1], (x, None), &z, batch, pass);
        let (_, f) = climb(&self.top, &self.ladder[1..], (x, f), &z, batch, pass);
        self.pooler.forward(f.expect("the ladder has steps"), batch, pass)
    }
}

pub struct Heads<D: Kernels> {
    pub pair: Classify<32, 3, D>,
    pub score: Regress<32, D>,
    pub single: Classify<32, 2, D>,
}

impl<D: Kernels> Build<D> for Heads<D> {
    fn build(at: &Scope<D>) -> Self {
        Self {
            pair: Build::build(&at.child("pair")),
            score: Build::build(&at.child("score")),
            single: Build::build(&at.child("single")),
        }
    }
}

camtl::parameters!(Heads { pair, score, single });

impl<D: Kernels> Predict<32, D> for Heads<D> {
    fn logits<T: Tape<f32, D>>(&self, task: usize, rows: Tokens<32, D>, pass: &mut Pass<T, D>) -> Logits<D> {
        match task {
            0 => self.pair.forward(rows, pass),
            1 => self.score.forward(rows, pass),
            2 => self.single.forward(rows, pass),
            _ => unreachable!("three tasks"),
        }
    }
}

pub type Model = camtl::nn::Model<32, Encoder<Cpu>, Heads<Cpu>, Cpu>;

/// All of a model's parts built, every parameter random, also those that start at zero.
pub fn random_model(seed: u64) -> Model {
    let mut model = Model::build(Cpu::default());
    let mut parameters = model.parameters();
    pretrained::start(&mut parameters, seed);
    for (i, parameter) in parameters.into_iter().enumerate() {
        let offset = if parameter.meta().name.ends_with("LayerNorm.weight") { 1.0 } else { 0.0 };
        let count = parameter.dims().iter().product();
        let values: Vec<f32> =
            noise(seed * 1000 + i as u64, count).iter().map(|x| 0.2 * x + offset).collect();
        parameter.write(&values);
    }
    model
}

/// Three sequences of different lengths and tasks.
pub fn batch() -> Batch {
    let ids: [&[u32]; 3] = [&[5, 9, 17, 30, 6], &[5, 8, 39, 6, 21, 22, 12, 6], &[5, 11, 6]];
    let types: [&[u8]; 3] = [&[0, 0, 0, 0, 0], &[0, 0, 0, 0, 1, 1, 1, 1], &[0, 0, 0]];
    Batch::new([(ids[0], types[0], 2), (ids[1], types[1], 0), (ids[2], types[2], 1)])
}

/// Reproducible values in [-1, 1].
pub fn noise(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x1234_5678_9abc_def1;
    (0..count)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
        })
        .collect()
}

/// sum(x * weights), and its gradients by the pass's tape.
pub fn backward<S: dfdx::prelude::Shape>(
    mut pass: camtl::kernels::Training<Cpu>,
    x: &dfdx::prelude::Tensor<S, f32, Cpu>,
    weights: &[f32],
) -> (f32, Gradients<f32, Cpu>) {
    use dfdx::prelude::{Axis, HasShape, Rank0, ReshapeTo, SumTo, TensorFromVec};
    let count = x.shape().num_elements();
    let weights = pass.device.tensor_from_vec(weights[..count].to_vec(), (count,));
    let flat = pass.record(x, |x| x.reshape_like(&(count,)));
    let products = pass.record(&flat, |x| x * weights);
    let sum = pass.record(&products, |x| x.sum::<Rank0, Axis<0>>());
    let value = sum.as_vec()[0];
    (value, sum.put_tape(pass.tape).backward())
}

/// Largest difference over the largest expected value.
pub fn relative_difference(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().fold(0.0f32, |m, x| m.max(x.abs()));
    let difference = found.iter().zip(expected).fold(0.0f32, |m, (a, b)| m.max((a - b).abs()));
    if largest == 0.0 { difference } else { difference / largest }
}

#[track_caller]
pub fn assert_close(what: &str, found: &[f32], expected: &[f32], tolerance: f32) {
    let difference = relative_difference(found, expected);
    assert!(difference <= tolerance, "{what} differs by {difference:e}, more than {tolerance:e}");
}

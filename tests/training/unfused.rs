//! A training by the fused operations against one by their compositions, and against itself.

use camtl::data::Goal;
use camtl::kernels::{BlockShape, Matrix, Residual, Segments, composed};
use camtl::nn::prelude::*;
use camtl::nn::{AttentionKind, BottleneckKind, EPSILON, Film, Linear, Model, NormKind, Weights, pretrained};
use camtl::train::learner::Learner;
use camtl::train::plan::{AdamW, Schedule, Training, Warmup};
use dfdx::prelude::{BroadcastTo, Const, Cpu, HasShape, ReshapeTo};

use crate::tiny::PLAN;

const HIDDEN: usize = 64;
const SEQUENCE: usize = 24;
const BLOCKS: usize = 3;
const WORDS: usize = 48;
const STEPS: usize = 50;

type Lower<D> = EncoderLayer<HIDDEN, 4, 128, Trained, PlainAttention, PlainNorm, NoBottleneck, D>;
type Attention = BlockAttention<SEQUENCE, BLOCKS>;
type Upper<D> = EncoderLayer<HIDDEN, 4, 128, Trained, Attention, CondNorm, CondBottleneck<32>, D>;

/// Everything trained: a plain layer, and one with all that can be attached.
struct Encoder<D: Kernels> {
    task_embedding: TaskEmbedding<HIDDEN, D>,
    embeddings: Embeddings<HIDDEN, WORDS, SEQUENCE, 2, Trained, D>,
    alignment: Alignment<HIDDEN, D>,
    lower: [Lower<D>; 1],
    upper: [Upper<D>; 1],
    pooler: Pooler<HIDDEN, Trained, D>,
}

impl<D: Kernels> Build<D> for Encoder<D> {
    fn build(at: &Scope<D>) -> Self {
        Self {
            task_embedding: TaskEmbedding::build(&at.child("task_embedding"), 2),
            embeddings: Build::build(&at.child("embeddings")),
            alignment: Build::build(&at.child("alignment")),
            lower: at.layers(0),
            upper: at.layers(1),
            pooler: Build::build(&at.child("pooler")),
        }
    }
}

camtl::parameters!(Encoder { task_embedding, embeddings, alignment, lower, upper, pooler });

impl<D: Kernels> Encode<HIDDEN, D> for Encoder<D> {
    fn constant(&self, _: &Batch, _: &mut Scoring<D>) -> Constant<HIDDEN, D> {
        None
    }

    fn encode<T: Tape<f32, D>>(
        &self,
        _: Constant<HIDDEN, D>,
        batch: &Batch,
        pass: &mut Pass<T, D>,
    ) -> Encoded<HIDDEN, D> {
        let z = self.task_embedding.forward();
        let x = self.embeddings.forward(batch, pass);
        let x = self.alignment.forward(x, &z, batch, pass);
        let x = self.lower.forward(x, &z, batch, pass);
        let x = self.upper.finish(x, &z, batch, pass);
        self.pooler.forward(x, batch, pass)
    }
}

struct Heads<D: Kernels> {
    class: Classify<HIDDEN, 2, D>,
    value: Regress<HIDDEN, D>,
}

impl<D: Kernels> Build<D> for Heads<D> {
    fn build(at: &Scope<D>) -> Self {
        Self { class: Build::build(&at.child("class")), value: Build::build(&at.child("value")) }
    }
}

camtl::parameters!(Heads { class, value });

impl<D: Kernels> Predict<HIDDEN, D> for Heads<D> {
    fn logits<T: Tape<f32, D>>(
        &self,
        task: usize,
        rows: Tokens<HIDDEN, D>,
        pass: &mut Pass<T, D>,
    ) -> Logits<D> {
        match task {
            0 => self.class.forward(rows, pass),
            1 => self.value.forward(rows, pass),
            _ => unreachable!("two tasks"),
        }
    }
}

/// The same network with the same parameters, its forward written over the compositions.
struct Unfused<P>(P);

impl<P: Build<Cpu>> Build<Cpu> for Unfused<P> {
    fn build(at: &Scope<Cpu>) -> Self {
        Self(P::build(at))
    }
}

impl<P: Parameters<Cpu>> Parameters<Cpu> for Unfused<P> {
    fn parameters<'a>(&'a mut self, all: &mut Vec<&'a mut dyn Parameter<Cpu>>) {
        self.0.parameters(all);
    }
}

type Rows = Tokens<HIDDEN, Cpu>;

impl Encode<HIDDEN, Cpu> for Unfused<Encoder<Cpu>> {
    fn constant(&self, _: &Batch, _: &mut Scoring<Cpu>) -> Constant<HIDDEN, Cpu> {
        None
    }

    fn encode<T: Tape<f32, Cpu>>(
        &self,
        _: Constant<HIDDEN, Cpu>,
        batch: &Batch,
        pass: &mut Pass<T, Cpu>,
    ) -> Encoded<HIDDEN, Cpu> {
        let Encoder { task_embedding, embeddings: tables, alignment, lower: [lower], upper: [upper], pooler } =
            &self.0;
        let (z, segments) = (task_embedding.weight.value(), &batch.segments);

        let (word, position, kind) =
            (tables.word.value(), tables.position.value(), tables.token_type.value());
        let x = composed::embed(pass, &batch.ids, word, position, kind, true);
        let [gamma, beta] = plain(&tables.norm, pass);
        let x = composed::norm(pass, &x, (&gamma, &beta), EPSILON, segments, true);
        let x = composed::dropout(pass, &x);
        let x = film(&x, &alignment.film, z, segments, pass);

        let norms = [plain(&lower.attention_norm, pass), plain(&lower.norm, pass)];
        let x = layer(lower, &x, None, norms, None, (segments, segments), pass);
        let bias = Some((bias(&upper.bias, z, pass), BlockShape::new(SEQUENCE, BLOCKS)));
        let norms = [conditional(&upper.attention_norm, z, pass), conditional(&upper.norm, z, pass)];
        let (bottleneck, read) = (Some((&upper.bottleneck, z)), batch.read());
        let tokens = layer(upper, &x, bias, norms, bottleneck, (segments, read), pass);

        let first = composed::select(pass, &tokens, read.firsts());
        let pooled = linear(&first, &pooler.dense, pass);
        let pooled = pass.record(&pooled, |x| x.tanh());
        Encoded { tokens, pooled }
    }
}

impl Predict<HIDDEN, Cpu> for Unfused<Heads<Cpu>> {
    fn logits<T: Tape<f32, Cpu>>(&self, task: usize, rows: Rows, pass: &mut Pass<T, Cpu>) -> Logits<Cpu> {
        match task {
            0 => head(&self.0.class, &rows, pass),
            1 => head(&self.0.value, &rows, pass),
            _ => unreachable!("two tasks"),
        }
    }
}

fn head<const CLASSES: usize, T: Tape<f32, Cpu>>(
    head: &Classify<HIDDEN, CLASSES, Cpu>,
    rows: &Rows,
    pass: &mut Pass<T, Cpu>,
) -> Logits<Cpu> {
    let rows = composed::dropout(pass, rows);
    let logits = linear(&rows, &head.dense, pass);
    pass.record(&logits, |x| {
        let shape = (x.shape().0, CLASSES);
        x.reshape_like(&shape)
    })
}

fn linear<const IN: usize, const OUT: usize, W: Weights, T: Tape<f32, Cpu>>(
    x: &Tokens<IN, Cpu>,
    layer: &Linear<IN, OUT, W, Cpu>,
    pass: &mut Pass<T, Cpu>,
) -> Tokens<OUT, Cpu> {
    composed::linear(pass, x, layer.weight.value(), layer.bias.value(), true)
}

/// gamma(z) and beta(z).
fn generate<T: Tape<f32, Cpu>>(film: &Film<HIDDEN, Cpu>, z: &Rows, pass: &mut Pass<T, Cpu>) -> [Rows; 2] {
    let gamma = linear(z, &film.gamma, pass);
    [pass.record(&gamma, |gamma| gamma + 1.0), linear(z, &film.beta, pass)]
}

fn film<T: Tape<f32, Cpu>>(
    x: &Rows,
    film: &Film<HIDDEN, Cpu>,
    z: &Rows,
    segments: &Segments,
    pass: &mut Pass<T, Cpu>,
) -> Rows {
    let [gamma, beta] = generate(film, z, pass);
    composed::film(pass, x, &gamma, &beta, segments)
}

/// gamma and beta of a plain norm.
fn plain<T: Tape<f32, Cpu>>(
    norm: &<PlainNorm as NormKind>::Norm<HIDDEN, Trained, Cpu>,
    pass: &mut Pass<T, Cpu>,
) -> [Rows; 2] {
    [&norm.weight, &norm.bias].map(|parameter| {
        let shape = (1, Const::<HIDDEN>);
        pass.record(parameter.value(), |v| v.reshape_like(&shape))
    })
}

/// gamma and beta of a conditional norm.
fn conditional<T: Tape<f32, Cpu>>(
    norm: &<CondNorm as NormKind>::Norm<HIDDEN, Trained, Cpu>,
    z: &Rows,
    pass: &mut Pass<T, Cpu>,
) -> [Rows; 2] {
    let [gamma, beta] = generate(&norm.film, z, pass);
    let shape = *gamma.shape();
    let weight: Rows = pass.record(norm.norm.weight.value(), |v| v.broadcast_like(&shape));
    let bias: Rows = pass.record(norm.norm.bias.value(), |v| v.broadcast_like(&shape));
    [pass.record(&weight, |v| v * gamma), pass.record(&bias, |v| v + beta)]
}

/// M(z)
fn bias<T: Tape<f32, Cpu>>(
    bias: &<Attention as AttentionKind>::Bias<HIDDEN, Cpu>,
    z: &Rows,
    pass: &mut Pass<T, Cpu>,
) -> Matrix<Cpu> {
    let gamma = composed::linear(pass, z, bias.gamma.weight.value(), bias.gamma.bias.value(), true);
    let gamma = pass.record(&gamma, |gamma| gamma + 1.0);
    let beta = composed::linear(pass, z, bias.beta.weight.value(), bias.beta.bias.value(), true);
    composed::block_bias(pass, bias.blocks.value(), &gamma, &beta, BlockShape::new(SEQUENCE, BLOCKS))
}

type Bottleneck = <CondBottleneck<32> as BottleneckKind>::Path<HIDDEN, Cpu>;

/// One layer, with gamma and beta of its norms.
fn layer<A: AttentionKind, N: NormKind, B: BottleneckKind, T: Tape<f32, Cpu>>(
    layer: &EncoderLayer<HIDDEN, 4, 128, Trained, A, N, B, Cpu>,
    x: &Rows,
    bias: Option<(Matrix<Cpu>, BlockShape)>,
    norms: [[Rows; 2]; 2],
    bottleneck: Option<(&Bottleneck, &Rows)>,
    (segments, wanted): (&Segments, &Segments),
    pass: &mut Pass<T, Cpu>,
) -> Rows {
    let after = |x: &Rows, [gamma, beta]: [Rows; 2]| {
        let (x, segments) = (x.clone(), wanted.clone());
        Residual { x, gamma, beta, epsilon: EPSILON, segments, learn: true }
    };
    let [first, second] = norms;
    let dense = [layer.query.dense(), layer.key.dense(), layer.value.dense()];
    let context = composed::self_attention(pass, x, dense, 4, bias, segments, wanted);
    let x = match segments.first_rows(wanted) {
        None => x.clone(),
        Some(rows) => composed::select(pass, x, &rows),
    };
    let attended = composed::linear_norm(pass, &context, layer.attention_output.dense(), after(&x, first));
    let ffn = (layer.ffn_in.dense(), layer.ffn_out.dense());
    let residual = Some(after(&attended, second));
    match bottleneck {
        None => composed::feed_forward(pass, &attended, ffn, true, residual),
        Some((path, z)) => {
            let h = composed::feed_forward(pass, &attended, ffn, true, None);
            let h = film(&h, &path.film, z, wanted, pass);
            composed::feed_forward(pass, &h, (path.down.dense(), path.up.dense()), false, residual)
        }
    }
}

/// A step's batch, of both tasks: at least 100 tokens, so that products are large enough for every engine. Class and
/// value are those of the second word.
fn batch(step: usize) -> (Batch, Vec<Goal<'static>>) {
    let mut state = step as u64 % 5; // five batches in turn
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize
    };
    let sequences: Vec<Vec<u32>> =
        (0..12).map(|_| (0..SEQUENCE - next() % 14).map(|_| (next() % WORDS) as u32).collect()).collect();
    let types = [0; SEQUENCE];
    let targets = sequences.iter().enumerate().map(|(i, words)| match i % 2 {
        0 => Goal::Class(u32::from(words[1] >= 24)),
        _ => Goal::Value(words[1] as f32 / WORDS as f32),
    });
    let targets = targets.collect();
    let sequences = sequences.iter().enumerate();
    (Batch::new(sequences.map(|(i, words)| (&words[..], &types[..words.len()], i % 2))), targets)
}

/// The losses of a training, and the parameters after it.
fn run<E, P>(dropout: f64) -> (Vec<f64>, Vec<Vec<f32>>)
where
    E: Encode<HIDDEN, Cpu>,
    P: Predict<HIDDEN, Cpu>,
{
    let mut network = Model::<HIDDEN, E, P, Cpu>::build(Cpu::default());
    pretrained::start(&mut network.parameters(), 3);
    let training = Training {
        optimizer: AdamW { lr: 1e-3, ..PLAN.training.optimizer },
        schedule: Schedule::Linear { warmup: Warmup::Fraction(0.1) },
        dropout,
        ..PLAN.training
    };
    let mut learner = Learner::new(network, training, STEPS);
    let losses = (1..=STEPS).map(|step| {
        let (batch, targets) = batch(step);
        assert!(batch.segments.rows() >= 100);
        learner.step(step, &[1.0; 2], &batch, None, &targets).expect("losses are finite").loss
    });
    let losses = losses.collect();
    (losses, learner.network.parameters().iter().map(|parameter| parameter.read()).collect())
}

fn compare(dropout: f64) {
    let (fused, _) = run::<Encoder<Cpu>, Heads<Cpu>>(dropout);
    let (expected, _) = run::<Unfused<Encoder<Cpu>>, Unfused<Heads<Cpu>>>(dropout);
    let mean = |losses: &[f64]| losses.iter().sum::<f64>() / losses.len() as f64;
    let (first, last) = (mean(&expected[..10]), mean(&expected[STEPS - 10..]));
    assert!(last < 0.9 * first, "nothing is learned: {first} to {last}");
    for (step, (found, expected)) in fused.iter().zip(&expected).enumerate() {
        let difference = (found - expected).abs() / expected;
        assert!(difference <= 1e-4, "step {}: {found} and {expected} differ by {difference:e}", step + 1);
    }
}

#[test]
fn losses_are_those_of_the_compositions() {
    compare(0.0);
}

#[test]
fn losses_are_those_of_the_compositions_with_dropout() {
    compare(0.1);
}

/// Which thread does what must not show: sums are in the order of the rows.
#[test]
fn a_training_is_the_same_to_the_bit_at_one_number_of_threads() {
    let threads = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    let bits = || {
        let (losses, parameters) = threads.install(|| run::<Encoder<Cpu>, Heads<Cpu>>(0.1));
        let losses: Vec<u64> = losses.into_iter().map(f64::to_bits).collect();
        (losses, parameters.concat().into_iter().map(f32::to_bits).collect::<Vec<u32>>())
    };
    let (first, second) = (bits(), bits());
    assert!(first.0 == second.0, "losses");
    assert!(first.1 == second.1, "parameters");
}

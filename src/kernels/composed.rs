//! The operations as compositions of dfdx's own, on any of its devices: what the fused ones are tested against.
//!
//! Everything is flat before a matrix product, `[tokens, hidden]` and `[sequences * heads, length, width]`; only
//! attention pads, to the longest sequence of the batch. The equations are those of [`super::Kernels`].
//!
//! What the host makes for an operation is small: indices of rows. Rows move by `gather`, which takes tokens to
//! padded heads in one go; where a parameter has one row for all tokens it is broadcast, not copied.

use dfdx::prelude::*;

use super::{
    AdamWUpdate, BlockShape, Dense, Factors, Kernels, Matrix, Moments, Pass, Residual, Segments, TokenIds,
    Tokens,
};

/// What a padded position adds to its score before softmax.
const MASKED: f32 = -1e9;

/// Runs an operation on the pass's tape where `learn`, off it otherwise: a frozen weight gets no gradient.
macro_rules! learned {
    ($pass:expr, $learn:expr, $weight:expr, |$w:ident| $operation:expr) => {
        if $learn {
            $pass.record($weight, |$w| $operation)
        } else {
            let $w = $weight.clone();
            $operation
        }
    };
}

pub fn embed<const HIDDEN: usize, const VOCAB: usize, const POSITIONS: usize, const TYPES: usize, T, D>(
    pass: &mut Pass<T, D>,
    ids: &TokenIds,
    word: &Tensor<Rank2<VOCAB, HIDDEN>, f32, D>,
    position: &Tensor<Rank2<POSITIONS, HIDDEN>, f32, D>,
    token_type: &Tensor<Rank2<TYPES, HIDDEN>, f32, D>,
    learn: bool,
) -> Tokens<HIDDEN, D>
where
    T: Tape<f32, D>,
    D: Device<f32>,
{
    let rows = [&ids.word, &ids.position, &ids.token_type].map(|rows| index(&pass.device, rows.clone()));
    let [words, positions, types] = rows;
    let words: Tokens<HIDDEN, D> = learned!(pass, learn, word, |table| table.gather(words));
    let positions: Tokens<HIDDEN, D> = learned!(pass, learn, position, |table| table.gather(positions));
    let types: Tokens<HIDDEN, D> = learned!(pass, learn, token_type, |table| table.gather(types));
    let sum = pass.record(&words, |words| words + positions);
    pass.record(&sum, |sum| sum + types)
}

pub fn linear<const IN: usize, Out: Dim, T: Tape<f32, D>, D: Device<f32>>(
    pass: &mut Pass<T, D>,
    x: &Tokens<IN, D>,
    weight: &Tensor<(Out, Const<IN>), f32, D>,
    bias: &Tensor<(Out,), f32, D>,
    learn: bool,
) -> Tensor<(usize, Out), f32, D> {
    let shape = (x.shape().0, weight.shape().0);
    let weight: Tensor<(Const<IN>, Out), f32, D> = learned!(pass, learn, weight, |w| w.permute());
    let bias: Tensor<(usize, Out), f32, D> = learned!(pass, learn, bias, |b| b.broadcast_like(&shape));
    let product = pass.record(x, |x| x.matmul(weight)); // [rows, Out]
    pass.record(&product, |product| product + bias)
}

fn gelu<const WIDTH: usize, T: Tape<f32, D>, D: Device<f32>>(
    pass: &mut Pass<T, D>,
    x: &Tokens<WIDTH, D>,
) -> Tokens<WIDTH, D> {
    // dfdx 0.13 differentiates erf(x / sqrt 2) without its inner factor: its slope is x e^(-x^2/2) / sqrt(pi)
    // where x e^(-x^2/2) / sqrt(2 pi) is right. The term below is zero in value and has the missing slope.
    let k = (1.0 / std::f64::consts::PI.sqrt() - 1.0 / (2.0 * std::f64::consts::PI).sqrt()) as f32;
    let y = pass.record(x, |x| x.accurate_gelu());
    if !T::OWNS_TAPE {
        return y; // no slope is asked for
    }
    let value = (x.clone().square() * -0.5).exp() * k; // off the tape
    let slope = pass.record(x, |x| (x.square() * -0.5).exp() * k - value);
    pass.record(&y, |y| y + slope)
}

pub fn dropout<const WIDTH: usize, T: Tape<f32, D>, D: Factors>(
    pass: &mut Pass<T, D>,
    x: &Tokens<WIDTH, D>,
) -> Tokens<WIDTH, D> {
    let Some(mask) = pass.next_mask() else { return x.clone() };
    let factors = pass.device.elements(mask, *x.shape());
    pass.record(x, |x| x * factors)
}

pub fn norm<const HIDDEN: usize, T: Tape<f32, D>, D: Device<f32>>(
    pass: &mut Pass<T, D>,
    x: &Tokens<HIDDEN, D>,
    (gamma, beta): (&Tokens<HIDDEN, D>, &Tokens<HIDDEN, D>),
    epsilon: f32,
    segments: &Segments,
    learn: bool,
) -> Tokens<HIDDEN, D> {
    let normalized = pass.record(x, |x| x.normalize::<Axis<1>>(epsilon));
    let gamma = rows_by_task(pass, gamma, segments, learn);
    let beta = rows_by_task(pass, beta, segments, learn);
    let scaled = pass.record(&normalized, |x| x * gamma);
    pass.record(&scaled, |x| x + beta)
}

pub fn linear_norm<const IN: usize, const HIDDEN: usize, T: Tape<f32, D>, D: Factors + Kernels>(
    pass: &mut Pass<T, D>,
    x: &Tokens<IN, D>,
    dense: Dense<IN, HIDDEN, D>,
    residual: Residual<HIDDEN, D>,
) -> Tokens<HIDDEN, D> {
    let y = apply(pass, x, &dense);
    let y = dropout(pass, &y);
    residual_norm(pass, &y, residual)
}

pub fn feed_forward<const HIDDEN: usize, const INNER: usize, T: Tape<f32, D>, D: Factors + Kernels>(
    pass: &mut Pass<T, D>,
    x: &Tokens<HIDDEN, D>,
    (up, down): (Dense<HIDDEN, INNER, D>, Dense<INNER, HIDDEN, D>),
    with_dropout: bool,
    residual: Option<Residual<HIDDEN, D>>,
) -> Tokens<HIDDEN, D> {
    let inner = apply(pass, x, &up);
    let inner = gelu(pass, &inner);
    let y = apply(pass, &inner, &down);
    let y = if with_dropout { dropout(pass, &y) } else { y };
    match residual {
        Some(residual) => residual_norm(pass, &y, residual),
        None => y,
    }
}

fn apply<const IN: usize, const OUT: usize, T: Tape<f32, D>, D: Kernels>(
    pass: &mut Pass<T, D>,
    x: &Tokens<IN, D>,
    Dense { weight, bias, learn }: &Dense<IN, OUT, D>,
) -> Tokens<OUT, D> {
    linear(pass, x, weight.value(), bias, *learn)
}

fn residual_norm<const HIDDEN: usize, T: Tape<f32, D>, D: Device<f32>>(
    pass: &mut Pass<T, D>,
    y: &Tokens<HIDDEN, D>,
    residual: Residual<HIDDEN, D>,
) -> Tokens<HIDDEN, D> {
    let Residual { x, gamma, beta, epsilon, segments, learn } = residual;
    let sum = pass.record(y, |y| y + x);
    norm(pass, &sum, (&gamma, &beta), epsilon, &segments, learn)
}

/// One row of gamma or beta a token, `[tokens, HIDDEN]`.
fn rows_by_task<const HIDDEN: usize, T: Tape<f32, D>, D: Device<f32>>(
    pass: &mut Pass<T, D>,
    parameter: &Tokens<HIDDEN, D>,
    segments: &Segments,
    learn: bool,
) -> Tokens<HIDDEN, D> {
    let rows = parameter.shape().0; // 1, or one a task
    if rows == 1 {
        let shape = (segments.rows(), Const::<HIDDEN>);
        let row: Tensor<Rank1<HIDDEN>, f32, D> =
            learned!(pass, learn, parameter, |p| p.reshape_like(&(Const::<HIDDEN>,)));
        return learned!(pass, learn, &row, |p| p.broadcast_like(&shape));
    }
    let which = index(&pass.device, segments.row_tasks().to_vec());
    learned!(pass, learn, parameter, |p| p.gather(which))
}

pub fn film<const HIDDEN: usize, T: Tape<f32, D>, D: Device<f32>>(
    pass: &mut Pass<T, D>,
    x: &Tokens<HIDDEN, D>,
    gamma: &Tokens<HIDDEN, D>,
    beta: &Tokens<HIDDEN, D>,
    segments: &Segments,
) -> Tokens<HIDDEN, D> {
    let gamma = rows_by_task(pass, gamma, segments, true);
    let beta = rows_by_task(pass, beta, segments, true);
    let scaled = pass.record(x, |x| x * gamma);
    pass.record(&scaled, |x| x + beta)
}

pub fn block_bias<T: Tape<f32, D>, D: Device<f32>>(
    pass: &mut Pass<T, D>,
    blocks: &Tensor<(usize,), f32, D>,
    gamma: &Matrix<D>,
    beta: &Matrix<D>,
    shape: BlockShape,
) -> Matrix<D> {
    let tasks = gamma.shape().0;
    let entries = shape.entries();
    let shared = shape.shared().repeat(tasks);
    let shared: Tensor<(usize, usize), usize, D> = pass.device.tensor_from_vec(shared, (tasks, entries));
    let gamma: Matrix<D> = pass.record(gamma, |gamma| gamma.gather(shared.clone()));
    let beta: Matrix<D> = pass.record(beta, |beta| beta.gather(shared));
    let blocks: Matrix<D> = pass.record(blocks, |a| a.broadcast_like::<_, Axis<0>>(&(tasks, entries)));
    let scaled = pass.record(&blocks, |a| a * gamma);
    pass.record(&scaled, |a| a + beta)
}

pub fn self_attention<const HIDDEN: usize, T: Tape<f32, D>, D: Factors + Kernels>(
    pass: &mut Pass<T, D>,
    x: &Tokens<HIDDEN, D>,
    [query, key, value]: [Dense<HIDDEN, HIDDEN, D>; 3],
    heads: usize,
    bias: Option<(Matrix<D>, BlockShape)>,
    segments: &Segments,
    asking: &Segments,
) -> Tokens<HIDDEN, D> {
    let query = apply(pass, x, &query);
    let key = apply(pass, x, &key);
    let value = apply(pass, x, &value);
    let bias = bias.as_ref().map(|(entries, shape)| (entries, *shape));
    let context = attention(pass, [&query, &key, &value], heads, bias, segments);
    match segments.first_rows(asking) {
        None => context,
        Some(rows) => select(pass, &context, &rows),
    }
}

fn attention<const HIDDEN: usize, T: Tape<f32, D>, D: Factors>(
    pass: &mut Pass<T, D>,
    [query, key, value]: [&Tokens<HIDDEN, D>; 3],
    heads: usize,
    bias: Option<(&Matrix<D>, BlockShape)>,
    segments: &Segments,
) -> Tokens<HIDDEN, D> {
    let padding = Padding::new(segments, heads);
    let width = HIDDEN / heads;
    let mask = pass.next_mask();

    let [q, k, v] = [query, key, value].map(|x| padding.split_heads(pass, x)); // [sequences * heads, length, width]
    let k: Tensor<(usize, usize, usize), f32, D> = pass.record(&k, |k| k.permute::<_, Axes3<0, 2, 1>>());
    let scores = pass.record(&q, |q| q.matmul(k));
    let scores = pass.record(&scores, |s| s / (width as f32).sqrt());
    let scores = match padding.mask() {
        None => scores,
        Some(mask) => {
            let (rows, length, _) = *scores.shape();
            let mask = pass.device.tensor_from_vec(mask, (rows, length));
            let mask = mask.broadcast_like::<(usize, usize, usize), Axis<1>>(scores.shape());
            pass.record(&scores, |s| s + mask)
        }
    };
    let scores = match bias {
        None => scores,
        Some((bias, blocks)) => {
            let bias = padding.spread_bias(pass, bias, blocks);
            pass.record(&scores, |s| s + bias)
        }
    };
    let weights = pass.record(&scores, |s| s.softmax::<Axis<2>>());
    let weights = match mask {
        None => weights,
        Some(mask) => {
            let factors = pass.device.attention(mask, segments, heads, padding.length);
            pass.record(&weights, |w| w * factors)
        }
    };
    let context = pass.record(&weights, |w| w.matmul(v));
    padding.join_heads(pass, &context)
}

/// Flat tokens to padded heads and back.
struct Padding<'a> {
    segments: &'a Segments,
    sequences: usize,
    heads: usize,
    /// The longest sequence of the batch.
    length: usize,
}

impl<'a> Padding<'a> {
    fn new(segments: &'a Segments, heads: usize) -> Self {
        let sequences = segments.sequences();
        let length = (0..sequences).map(|s| segments.range(s).len()).max().unwrap_or(0);
        Self { segments, sequences, heads, length }
    }

    /// `[tokens, HIDDEN]` to `[sequences * heads, length, HIDDEN / heads]`; padding repeats a sequence's first row.
    fn split_heads<const HIDDEN: usize, T: Tape<f32, D>, D: Device<f32>>(
        &self,
        pass: &mut Pass<T, D>,
        x: &Tokens<HIDDEN, D>,
    ) -> Tensor<(usize, usize, usize), f32, D> {
        let (sequences, heads, length) = (self.sequences, self.heads, self.length);
        let tokens = x.shape().0;
        let mut rows = Vec::with_capacity(sequences * heads * length);
        for range in (0..sequences).map(|sequence| self.segments.range(sequence)) {
            for head in 0..heads {
                let token = |i| if i < range.len() { range.start + i } else { range.start };
                rows.extend((0..length).map(|i| token(i) * heads + head));
            }
        }
        let rows = index(&pass.device, rows);
        let width = HIDDEN / heads;
        let parts: Matrix<D> = pass.record(x, |x| x.reshape_like(&(tokens * heads, width)));
        let split: Matrix<D> = pass.record(&parts, |x| x.gather(rows));
        pass.record(&split, |x| x.reshape_like(&(sequences * heads, length, width)))
    }

    /// The reverse of `split_heads`, without the padding.
    fn join_heads<const HIDDEN: usize, T: Tape<f32, D>, D: Device<f32>>(
        &self,
        pass: &mut Pass<T, D>,
        x: &Tensor<(usize, usize, usize), f32, D>,
    ) -> Tokens<HIDDEN, D> {
        let (sequences, heads, length) = (self.sequences, self.heads, self.length);
        let tokens = self.segments.rows();
        let mut rows = Vec::with_capacity(tokens * heads);
        for sequence in 0..sequences {
            for i in 0..self.segments.range(sequence).len() {
                rows.extend((0..heads).map(|head| (sequence * heads + head) * length + i));
            }
        }
        let rows = index(&pass.device, rows);
        let parts: Matrix<D> =
            pass.record(x, |x| x.reshape_like(&(sequences * heads * length, HIDDEN / heads)));
        let joined: Matrix<D> = pass.record(&parts, |x| x.gather(rows));
        pass.record(&joined, |x| x.reshape_like(&(tokens, Const::<HIDDEN>)))
    }

    /// `MASKED` on padded keys, `[sequences * heads, length]`; `None` where all sequences are equally long.
    fn mask(&self) -> Option<Vec<f32>> {
        let own = |sequence| self.segments.range(sequence).len();
        if (0..self.sequences).all(|sequence| own(sequence) == self.length) {
            return None;
        }
        let mut mask = Vec::with_capacity(self.sequences * self.heads * self.length);
        for sequence in (0..self.sequences).flat_map(|sequence| std::iter::repeat_n(sequence, self.heads)) {
            mask.extend((0..self.length).map(|column| if column < own(sequence) { 0.0 } else { MASKED }));
        }
        Some(mask)
    }

    /// M(z) of each sequence's task, `[sequences * heads, length, length]`, zero outside the blocks: first that of
    /// every task, then a sequence's and head's own.
    fn spread_bias<T: Tape<f32, D>, D: Device<f32>>(
        &self,
        pass: &mut Pass<T, D>,
        bias: &Matrix<D>,
        blocks: BlockShape,
    ) -> Tensor<(usize, usize, usize), f32, D> {
        let (tasks, entries) = *bias.shape();
        let length = self.length;
        let square = length * length;
        let mut place = vec![0; tasks * square];
        let mut inside = vec![0.0; tasks * square];
        for task in 0..tasks {
            for (row, column, entry, n) in blocks.rows(length) {
                for i in 0..n {
                    let at = task * square + row * length + column + i;
                    place[at] = task * entries + entry + i;
                    inside[at] = 1.0;
                }
            }
        }
        let place = index(&pass.device, place);
        let inside = pass.device.tensor_from_vec(inside, (tasks, square));
        let which = (0..self.sequences).flat_map(|s| std::iter::repeat_n(self.segments.task(s), self.heads));
        let which = index(&pass.device, which.collect());

        let flat = pass.record(bias, |bias| bias.reshape_like(&(tasks * entries,)));
        let spread: Tensor<(usize,), f32, D> = pass.record(&flat, |flat| flat.gather(place));
        let spread: Matrix<D> = pass.record(&spread, |spread| spread.reshape_like(&(tasks, square)));
        let spread = pass.record(&spread, |spread| spread * inside);
        let own: Matrix<D> = pass.record(&spread, |spread| spread.gather(which)); // [sequences * heads, square]
        pass.record(&own, |own| own.reshape_like(&(self.sequences * self.heads, length, length)))
    }
}

pub fn select<const WIDTH: usize, T: Tape<f32, D>, D: Device<f32>>(
    pass: &mut Pass<T, D>,
    x: &Tokens<WIDTH, D>,
    rows: &[usize],
) -> Tokens<WIDTH, D> {
    let rows = index(&pass.device, rows.to_vec());
    pass.record(x, |x| x.gather(rows))
}

pub fn log_likelihood<T: Tape<f32, D>, D: Device<f32>>(
    pass: &mut Pass<T, D>,
    x: &Matrix<D>,
    weights: Vec<f32>,
) -> Tensor<Rank0, f32, D> {
    let weights = pass.device.tensor_from_vec(weights, *x.shape());
    pass.record(x, |x| (x.log_softmax::<Axis<1>>() * weights).sum::<Rank0, _>())
}

fn index<D: Device<f32>>(device: &D, rows: Vec<usize>) -> Tensor<(usize,), usize, D> {
    let count = rows.len();
    device.tensor_from_vec(rows, (count,))
}

/// Moments that live on the device, flat.
#[derive(Debug)]
pub struct DeviceMoments<D: Device<f32>> {
    state: State<D>,
}

#[derive(Debug)]
enum State<D: Device<f32>> {
    Empty,
    /// From a checkpoint; the first update tells which device they are for.
    Loaded([Vec<f32>; 2]),
    Kept([Tensor<(usize,), f32, D>; 2]),
}

impl<D: Device<f32>> Default for DeviceMoments<D> {
    fn default() -> Self {
        Self { state: State::Empty }
    }
}

impl<D: Device<f32>> Moments for DeviceMoments<D> {
    fn save(&self) -> (Vec<f32>, Vec<f32>) {
        match &self.state {
            State::Empty => (Vec::new(), Vec::new()),
            State::Loaded([first, second]) => (first.clone(), second.clone()),
            State::Kept([first, second]) => (first.as_vec(), second.as_vec()),
        }
    }

    fn load(first: Vec<f32>, second: Vec<f32>) -> Self {
        Self { state: State::Loaded([first, second]) }
    }
}

/// Its gradient, row by row.
pub fn gradient<S: Shape, D: Device<f32>>(
    gradients: &mut Gradients<f32, D>,
    value: &Tensor<S, f32, D>,
) -> Vec<f32> {
    flat_gradient(gradients, value).as_vec()
}

pub fn adamw<S: Shape, D: Device<f32>>(
    value: &mut Tensor<S, f32, D>,
    moments: &mut DeviceMoments<D>,
    gradients: &mut Gradients<f32, D>,
    update: &AdamWUpdate,
) {
    let gradient = flat_gradient(gradients, value) * update.scale as f32;
    let exponent = update.step.min(i32::MAX as u64) as i32;
    let correction1 = 1.0 - update.beta1.powi(exponent);
    let correction2 = 1.0 - update.beta2.powi(exponent);

    let [first, second] = match std::mem::replace(&mut moments.state, State::Empty) {
        State::Kept(kept) => kept,
        State::Loaded(loaded) if !loaded[0].is_empty() => {
            loaded.map(|values| gradient.device().tensor_from_vec(values, *gradient.shape()))
        }
        State::Empty | State::Loaded(_) => {
            let zeros = gradient.device().zeros_like(&gradient);
            [zeros.clone(), zeros]
        }
    };
    let first = first * update.beta1 as f32 + gradient.clone() * (1.0 - update.beta1) as f32;
    let second = second * update.beta2 as f32 + gradient.square() * (1.0 - update.beta2) as f32;
    let deviation = second.clone().sqrt() / correction2.sqrt() as f32 + update.epsilon as f32;
    let step = first.clone() / deviation * (update.lr / correction1) as f32;

    let shape = *value.shape();
    let decayed = value.clone() * (1.0 - update.lr * update.weight_decay) as f32;
    *value = decayed - step.reshape_like(&shape);
    moments.state = State::Kept([first, second]);
}

fn flat_gradient<S: Shape, D: Device<f32>>(
    gradients: &mut Gradients<f32, D>,
    value: &Tensor<S, f32, D>,
) -> Tensor<(usize,), f32, D> {
    if let Err(error) = gradients.get_or_alloc_mut(value) {
        panic!("out of memory on the device: {error:?}");
    }
    gradients.get(value).reshape_like(&(value.shape().num_elements(),))
}

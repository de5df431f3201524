//! Each fused operation against the composition of dfdx's own, forward and every gradient.

use camtl::kernels::{
    BlockShape, Dense, Kernels, Residual, Segments, TokenIds, Tokens, Training, Weight, composed,
};
use dfdx::prelude::{Const, Cpu, Gradients, Rank1, Rank2, Shape, Tensor, TensorFromVec};

use crate::support::{assert_close, backward, noise};

const TOLERANCE: f32 = 2e-5;

/// Of attention where a tile unit multiplies (4e-6 of a product's norm). The gradient of the scores, softmax's
/// (dP - mean dP), is smaller than the products that it is the difference of, so their error weighs more in what
/// follows from it.
const ATTENTION_TOLERANCE: f32 = 5e-5;

fn tensor<S: Shape>(seed: u64, shape: S) -> Tensor<S, f32, Cpu> {
    Cpu::default().tensor_from_vec(noise(seed, shape.num_elements()), shape)
}

fn weight<S: Shape>(seed: u64, shape: S) -> Weight<S, Cpu> {
    Weight::new(tensor(seed, shape))
}

fn segments() -> Segments {
    Segments::new(&[5, 1, 9, 4], vec![1, 0, 2, 1])
}

const ROWS: usize = 19;

/// Runs both forms with the same dropout and compares output and the gradients of all inputs.
macro_rules! compare {
    ($name:literal, $($rest:tt)*) => {
        compare!(within TOLERANCE: $name, $($rest)*)
    };
    (within $tolerance:ident: $name:literal, $dropout:expr, [$($input:ident),*], |$pass:ident| $fused:expr, $composed:expr) => {{
        let run = |fused: bool| {
            let mut training = Training::training(Cpu::default(), $dropout, 7);
            let $pass = &mut training;
            let y = if fused { $fused } else { $composed };
            let values = y.as_vec();
            let (_, gradients) = backward(training, &y, &noise(99, values.len()));
            (values, gradients)
        };
        let ((fused, mut fused_gradients), (expected, mut gradients)) = (run(true), run(false));
        assert_close(concat!($name, ": output"), &fused, &expected, $tolerance);
        $(
            let what = concat!($name, ": gradient of ", stringify!($input));
            let expected = $input.gradient(&mut gradients);
            assert!(expected.iter().any(|g| *g != 0.0), "{what} is zero");
            assert_close(what, &$input.gradient(&mut fused_gradients), &expected, $tolerance);
        )*
    }};
}

trait Input {
    fn gradient(&self, gradients: &mut Gradients<f32, Cpu>) -> Vec<f32>;
}

impl<S: Shape> Input for Tensor<S, f32, Cpu> {
    fn gradient(&self, gradients: &mut Gradients<f32, Cpu>) -> Vec<f32> {
        gradients.get(self).as_vec()
    }
}

impl<S: Shape> Input for Weight<S, Cpu> {
    fn gradient(&self, gradients: &mut Gradients<f32, Cpu>) -> Vec<f32> {
        Cpu::gradient(gradients, self)
    }
}

#[test]
fn linear() {
    let (x, w, b): (Tokens<12, Cpu>, _, _) =
        (tensor(1, (ROWS, Const)), weight(2, <Rank2<20, 12>>::default()), tensor(3, <Rank1<20>>::default()));
    compare!("linear", 0.0, [x, w, b], |pass| Cpu::linear(pass, &x, &w, &b, true), {
        composed::linear(pass, &x, w.value(), &b, true)
    });
}

#[test]
fn dropout_drops_the_same_elements() {
    let x: Tokens<12, Cpu> = tensor(1, (ROWS, Const));
    compare!("dropout", 0.3, [x], |pass| Cpu::dropout(pass, &x), composed::dropout(pass, &x));
}

#[test]
fn dropout_keeps_the_expected_share_and_scale() {
    let x: Tokens<64, Cpu> = Cpu::default().tensor_from_vec(vec![1.0; 2000 * 64], (2000, Const));
    let y = Cpu::dropout(&mut Training::training(Cpu::default(), 0.1, 3), &x).as_vec();
    let dropped = y.iter().filter(|&&v| v == 0.0).count() as f64 / y.len() as f64;
    assert!((dropped - 0.1).abs() < 0.005, "dropped {dropped}");
    assert!(y.iter().all(|&v| v == 0.0 || (v - 1.0 / 0.9).abs() < 1e-6));
}

#[test]
fn embed() {
    let (word, position, kind) = (
        weight(1, <Rank2<30, 8>>::default()),
        tensor(2, <Rank2<6, 8>>::default()),
        tensor(3, <Rank2<2, 8>>::default()),
    );
    let ids = TokenIds {
        word: vec![3, 29, 3, 0, 7],
        position: vec![0, 1, 2, 0, 1],
        token_type: vec![0, 0, 1, 0, 1],
    };
    compare!(
        "embed",
        0.0,
        [word, position, kind],
        |pass| Cpu::embed(pass, &ids, &word, &position, &kind, true),
        composed::embed(pass, &ids, word.value(), &position, &kind, true)
    );
}

#[test]
fn norm_with_one_row_of_weights() {
    let x: Tokens<24, Cpu> = tensor(1, (ROWS, Const));
    let (gamma, beta): (Tokens<24, Cpu>, Tokens<24, Cpu>) = (tensor(3, (1, Const)), tensor(4, (1, Const)));
    let s = segments();
    compare!(
        "norm",
        0.0,
        [x, gamma, beta],
        |pass| Cpu::norm(pass, &x, &gamma, &beta, 1e-12, &s, true),
        composed::norm(pass, &x, (&gamma, &beta), 1e-12, &s, true)
    );
}

fn dense<const IN: usize, const OUT: usize>(seed: u64) -> Dense<IN, OUT, Cpu> {
    Dense {
        weight: weight(seed, Default::default()),
        bias: tensor(seed + 50, Default::default()),
        learn: true,
    }
}

/// With one row of gamma and beta, or one for each of three tasks.
fn residual<const HIDDEN: usize>(x: &Tokens<HIDDEN, Cpu>, rows: usize) -> Residual<HIDDEN, Cpu> {
    let (gamma, beta) = (tensor(3, (rows, Const)), tensor(4, (rows, Const)));
    Residual { x: x.clone(), gamma, beta, epsilon: 1e-12, segments: segments(), learn: true }
}

#[test]
fn linear_norm() {
    let (x, r): (Tokens<20, Cpu>, Tokens<24, Cpu>) = (tensor(1, (ROWS, Const)), tensor(2, (ROWS, Const)));
    let d = dense::<20, 24>(5);
    for rows in [1, 3] {
        let residual = residual(&r, rows);
        let (w, b) = (d.weight.clone(), d.bias.clone());
        let (gamma, beta) = (residual.gamma.clone(), residual.beta.clone());
        compare!(
            "linear_norm",
            0.2,
            [x, r, gamma, beta, w, b],
            |pass| Cpu::linear_norm(pass, &x, d.clone(), residual.clone()),
            composed::linear_norm(pass, &x, d.clone(), residual.clone())
        );
    }
}

#[test]
fn feed_forward_with_its_input_as_residual() {
    let x: Tokens<24, Cpu> = tensor(1, (ROWS, Const));
    let (up, down) = (dense::<24, 40>(5), dense::<40, 24>(6));
    let residual = residual(&x, 3);
    let (w, b, v, c) = (up.weight.clone(), up.bias.clone(), down.weight.clone(), down.bias.clone());
    let (gamma, beta) = (residual.gamma.clone(), residual.beta.clone());
    compare!(
        "feed_forward",
        0.2,
        [x, gamma, beta, w, b, v, c],
        |pass| Cpu::feed_forward(pass, &x, (up.clone(), down.clone()), true, Some(residual.clone())),
        composed::feed_forward(pass, &x, (up.clone(), down.clone()), true, Some(residual.clone()))
    );
}

#[test]
fn feed_forward_with_another_residual_and_without() {
    let (x, r): (Tokens<24, Cpu>, Tokens<24, Cpu>) = (tensor(1, (ROWS, Const)), tensor(2, (ROWS, Const)));
    let (up, down) = (dense::<24, 40>(5), dense::<40, 24>(6));
    let residual = residual(&r, 1);
    let (w, b, v, c) = (up.weight.clone(), up.bias.clone(), down.weight.clone(), down.bias.clone());
    compare!(
        "feed_forward",
        0.2,
        [x, r, w, b, v, c],
        |pass| Cpu::feed_forward(pass, &x, (up.clone(), down.clone()), false, Some(residual.clone())),
        composed::feed_forward(pass, &x, (up.clone(), down.clone()), false, Some(residual.clone()))
    );
    compare!(
        "feed_forward alone",
        0.2,
        [x, w, b, v, c],
        |pass| Cpu::feed_forward(pass, &x, (up.clone(), down.clone()), true, None),
        composed::feed_forward(pass, &x, (up.clone(), down.clone()), true, None)
    );
}

#[test]
fn film() {
    let x: Tokens<24, Cpu> = tensor(1, (ROWS, Const));
    let (gamma, beta): (Tokens<24, Cpu>, Tokens<24, Cpu>) = (tensor(3, (3, Const)), tensor(4, (3, Const)));
    let s = segments();
    compare!("film", 0.0, [x, gamma, beta], |pass| Cpu::film(pass, &x, &gamma, &beta, &s), {
        composed::film(pass, &x, &gamma, &beta, &s)
    });
}

#[test]
fn block_bias() {
    let shape = BlockShape::new(10, 3); // blocks 4, 4, 2
    let (a, gamma, beta) = (tensor(1, (shape.entries(),)), tensor(2, (3, 16)), tensor(3, (3, 16)));
    compare!(
        "block bias",
        0.0,
        [a, gamma, beta],
        |pass| Cpu::block_bias(pass, &a, &gamma, &beta, shape),
        composed::block_bias(pass, &a, &gamma, &beta, shape)
    );
}

#[test]
fn self_attention_plain_biased_and_with_dropout() {
    let x: Tokens<24, Cpu> = tensor(1, (ROWS, Const));
    let d: [Dense<24, 24, Cpu>; 3] = [5, 6, 7].map(dense);
    let [(q, a), (k, b), (v, c)] = d.each_ref().map(|d| (d.weight.clone(), d.bias.clone()));
    let s = segments();
    // the bias of the keys shifts all scores of a row alike: its gradient is zero but for rounding
    let _ = b;
    compare!(
        within ATTENTION_TOLERANCE: "attention",
        0.0,
        [x, q, a, k, v, c],
        |pass| Cpu::self_attention(pass, &x, d.clone(), 4, None, &s, &s),
        composed::self_attention(pass, &x, d.clone(), 4, None, &s, &s)
    );
    let shape = BlockShape::new(10, 3);
    let bias = tensor(8, (3, shape.entries()));
    for dropout in [0.0, 0.25] {
        compare!(
            within ATTENTION_TOLERANCE: "attention with bias",
            dropout,
            [x, q, a, k, v, c, bias],
            |pass| Cpu::self_attention(pass, &x, d.clone(), 4, Some((bias.clone(), shape)), &s, &s),
            composed::self_attention(pass, &x, d.clone(), 4, Some((bias.clone(), shape)), &s, &s)
        );
    }
}

#[test]
fn self_attention_of_the_first_rows_of_each_sequence() {
    let x: Tokens<24, Cpu> = tensor(1, (ROWS, Const));
    let d: [Dense<24, 24, Cpu>; 3] = [5, 6, 7].map(dense);
    let [(q, a), (k, _), (v, c)] = d.each_ref().map(|d| (d.weight.clone(), d.bias.clone()));
    let s = segments();
    let shape = BlockShape::new(10, 3);
    let bias = tensor(8, (3, shape.entries()));
    for lengths in [[1, 1, 1, 1], [5, 1, 1, 4], [2, 1, 9, 0]] {
        let asking = Segments::new(&lengths, s.tasks().to_vec());
        compare!(
            within ATTENTION_TOLERANCE: "attention of some rows",
            0.25,
            [x, q, a, k, v, c, bias],
            |pass| Cpu::self_attention(pass, &x, d.clone(), 4, Some((bias.clone(), shape)), &s, &asking),
            composed::self_attention(pass, &x, d.clone(), 4, Some((bias.clone(), shape)), &s, &asking)
        );
    }
}

#[test]
fn select_may_repeat_rows() {
    let x: Tokens<6, Cpu> = tensor(1, (ROWS, Const));
    let rows = [3, 0, 3, 18];
    compare!("select", 0.0, [x], |pass| Cpu::select(pass, &x, &rows), composed::select(pass, &x, &rows));
}

#[test]
fn adamw_over_three_updates() {
    use camtl::kernels::{AdamWUpdate, Moments};
    let run = |fused: bool| {
        let mut weight = weight(1, (50,));
        let mut value = weight.value().clone();
        let (mut host, mut device) =
            (<Cpu as Kernels>::Moments::default(), composed::DeviceMoments::<Cpu>::default());
        for step in 1..=3 {
            let pass = Training::training(Cpu::default(), 0.0, 0);
            let trained = if fused { weight.value() } else { &value };
            let (_, mut gradients) = backward(pass, trained, &noise(step, 50));
            let update = AdamWUpdate {
                lr: 1e-2,
                weight_decay: 0.1,
                beta1: 0.9,
                beta2: 0.999,
                epsilon: 1e-8,
                step,
                scale: 0.5,
            };
            if fused {
                Cpu::adamw(&mut weight, &mut host, &mut gradients, &update, &mut ());
            } else {
                composed::adamw(&mut value, &mut device, &mut gradients, &update);
            }
        }
        let moments = if fused { host.save() } else { device.save() };
        (if fused { weight.value() } else { &value }.as_vec(), moments)
    };
    let ((fused, fused_moments), (expected, moments)) = (run(true), run(false));
    assert_close("value", &fused, &expected, 1e-6);
    assert_close("first moment", &fused_moments.0, &moments.0, 1e-6);
    assert_close("second moment", &fused_moments.1, &moments.1, 1e-6);
}

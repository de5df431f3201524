//! Losses and their gradients by hand and by finite differences.

use dfdx::prelude::{Backward, Cpu, PutTape, TensorFrom};

use super::*;
use crate::kernels::Pass;

/// Loss and gradient of the logits.
fn run(logits: &[f32], outputs: usize, rows: &[usize], goals: &[Goal<'_>], scale: f32) -> (f32, Vec<f32>) {
    let device = Cpu::default();
    let logits = device.tensor((logits.to_vec(), (logits.len() / outputs, outputs)));
    let mut pass = Pass::training(device, 0.0, 0);
    let loss = loss(&logits, rows, goals, scale, &mut pass);
    let value = loss.as_vec()[0];
    let gradients = loss.put_tape(pass.tape).backward();
    (value, gradients.get(&logits).as_vec())
}

fn close(found: f32, expected: f32) {
    assert!((found - expected).abs() < 1e-6, "{found} is not {expected}");
}

/// The gradient of every logit against the difference of the losses beside it.
fn check_gradient(logits: &[f32], outputs: usize, rows: &[usize], goals: &[Goal<'_>]) {
    let (_, gradient) = run(logits, outputs, rows, goals, 0.7);
    for i in 0..logits.len() {
        let at = |shift: f32| {
            let mut moved = logits.to_vec();
            moved[i] += shift;
            f64::from(run(&moved, outputs, rows, goals, 0.7).0)
        };
        let difference = (at(0.01) - at(-0.01)) / 0.02;
        assert!((f64::from(gradient[i]) - difference).abs() < 1e-4, "{i}: {} {difference}", gradient[i]);
    }
}

#[test]
fn cross_entropy_by_hand() {
    let goals = [Goal::Class(1), Goal::Class(0)];
    let (loss, gradient) = run(&[0.0, 0.0, 3f32.ln(), 0.0], 2, &[1, 1], &goals, 0.5);
    close(loss, 0.5 * (2f32.ln() + (4f32 / 3.0).ln()));
    gradient.iter().zip([0.25, -0.25, -0.125, 0.125]).for_each(|(found, expected)| close(*found, expected));
}

#[test]
fn squared_error_by_hand() {
    let (loss, gradient) = run(&[1.0, 4.0], 1, &[1, 1], &[Goal::Value(3.0), Goal::Value(4.5)], 0.5);
    close(loss, 0.5 * 4.25);
    assert_eq!(gradient, [-2.0, -0.5]);
}

#[test]
fn a_sentence_counts_as_the_mean_of_its_words() {
    let even = [0.0; 4];
    let sure = [3f32.ln(), 0.0]; // probabilities 3/4 and 1/4
    let logits = [&even[..], &sure].concat();
    // the third word of the second sentence was cut
    let goals = [Goal::Tags(&[0, 1]), Goal::Tags(&[1, 0])];
    let (loss, gradient) = run(&logits, 2, &[2, 1], &goals, 0.5);
    close(loss, 0.5 * (2f32.ln() + 4f32.ln()));
    let expected = [-0.125, 0.125, 0.125, -0.125, 0.375, -0.375];
    gradient.iter().zip(expected).for_each(|(found, expected)| close(*found, expected));
    check_gradient(&[0.3, -0.2, 1.0, 0.5, 2.0, -1.0], 2, &[2, 1], &goals);
}

#[test]
fn a_span_counts_as_the_mean_of_its_ends() {
    // two windows of two and three marks; columns are start and end
    let logits = [0.0, 3f32.ln(), 0.0, 0.0, 0.0, 0.0, 0.0, 2f32.ln(), 0.0, 0.0];
    let goals = [Goal::Span { start: 0, end: 0 }, Goal::Span { start: 2, end: 1 }];
    let (loss, gradient) = run(&logits, 2, &[2, 3], &goals, 1.0);
    let first = 0.5 * (2f32.ln() + (4f32 / 3.0).ln());
    let second = 0.5 * (3f32.ln() + 2f32.ln()); // 3 equal starts; ends of odds 1 : 2 : 1
    close(loss, first + second);
    close(gradient[0], 0.5 * (0.5 - 1.0));
    close(gradient[7], 0.5 * (0.5 - 1.0));
    close(gradient.iter().sum(), 0.0);
    check_gradient(&[0.1, 0.5, -0.3, 1.0, 0.2, -0.7, 0.0, 0.9, 1.5, -1.5], 2, &[2, 3], &goals);
}

#[test]
fn a_choice_is_among_the_texts_of_its_own_example() {
    let goals = [Goal::Class(1), Goal::Class(2)];
    let (loss, gradient) = run(&[0.0, 3f32.ln(), 5.0, 5.0, 5.0], 1, &[2, 3], &goals, 0.5);
    close(loss, 0.5 * ((4f32 / 3.0).ln() + 3f32.ln()));
    let third = 1.0 / 6.0;
    let expected = [0.125, -0.125, third, third, -2.0 * third];
    gradient.iter().zip(expected).for_each(|(found, expected)| close(*found, expected));
    check_gradient(&[0.4, -0.4, 1.0, 0.0, -2.0], 1, &[2, 3], &goals);
}

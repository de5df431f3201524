//! Every engine against plain loops, over shapes that end inside of a block.

use super::weight_gradient::{self, Rows};
use super::*;

fn engines() -> Vec<Engine> {
    let best = Engine::best();
    if best == Engine::Gemm { vec![best] } else { vec![Engine::Gemm, best] }
}

/// Values in [-1, 1), the same for a seed.
fn noise(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// left [m, k] times right [k, n], in f64.
fn reference(
    (m, k, n): (usize, usize, usize),
    left: impl Fn(usize, usize) -> f32,
    right: impl Fn(usize, usize) -> f32,
) -> Vec<f64> {
    let dot = |i, j| (0..k).map(|l| f64::from(left(i, l)) * f64::from(right(l, j))).sum();
    (0..m * n).map(|at| dot(at / n, at % n)).collect()
}

fn close(what: &str, found: impl Iterator<Item = f32>, expected: &[f64]) {
    let norm = (expected.iter().map(|x| x * x).sum::<f64>() / expected.len() as f64).sqrt().max(1e-3);
    let mut count = 0;
    for (found, expected) in found.zip(expected) {
        let error = (f64::from(found) - expected).abs() / norm;
        assert!(error < 3e-5, "{what}: {found} is not {expected}");
        count += 1;
    }
    assert_eq!(count, expected.len(), "{what}");
}

const SHAPES: [(usize, usize, usize); 7] =
    [(1, 1, 1), (3, 5, 2), (32, 32, 32), (33, 40, 65), (128, 70, 48), (20, 1000, 31), (150, 64, 400)];

#[test]
fn a_product_in_all_layouts() {
    for engine in engines() {
        for (m, k, n) in SHAPES {
            let (a, b) = (noise(1, m * k), noise(2, k * n));
            for (a_transposed, b_transposed) in [(false, false), (false, true), (true, false), (true, true)] {
                let what = format!("{engine:?} {m}x{k}x{n} {a_transposed} {b_transposed}");
                let left = if a_transposed { Operand::transposed(&a, m) } else { Operand::rows(&a, k) };
                let right = if b_transposed { Operand::transposed(&b, k) } else { Operand::rows(&b, n) };
                let expected = reference(
                    (m, k, n),
                    |i, l| if a_transposed { a[l * m + i] } else { a[i * k + l] },
                    |l, j| if b_transposed { b[j * k + l] } else { b[l * n + j] },
                );

                let mut c = vec![f32::NAN; m * n];
                Right::on(engine, m, (k, n), right).product(m, left, Target::over(&mut c, n));
                close(&what, c.iter().copied(), &expected);

                let mut c = vec![7.0; m * n];
                Small::on(engine).product((m, k, n), Target::onto(&mut c, n), left, right);
                close(&what, c.iter().map(|c| c - 7.0), &expected);
            }
        }
    }
}

#[test]
fn a_target_with_a_stride_keeps_what_lies_between() {
    for engine in engines() {
        let (m, k, n, stride) = (40, 33, 35, 50);
        let (a, b) = (noise(1, m * k), noise(2, k * n));
        let expected = reference((m, k, n), |i, l| a[i * k + l], |l, j| b[l * n + j]);
        let mut c = vec![9.0; m * stride];
        let target = Target::over(&mut c[5..], stride);
        Right::on(engine, m, (k, n), Operand::rows(&b, n)).product(m, Operand::rows(&a, k), target);
        let inside = |at: &usize| (5..5 + n).contains(&(at % stride));
        close("inside", (0..m * stride).filter(inside).map(|at| c[at]), &expected);
        assert!((0..m * stride).filter(|at| !inside(at)).all(|at| c[at] == 9.0), "{engine:?}");
    }
}

#[test]
fn a_left_factor_serves_several_right_ones() {
    for engine in engines() {
        let (m, k) = (50, 64);
        let a = noise(1, m * k);
        let b: Vec<Vec<f32>> = [2, 3].map(|seed| noise(seed, k * 40)).into();
        let rights: Vec<Right> =
            b.iter().map(|b| Right::on(engine, m, (k, 40), Operand::rows(b, 40))).collect();
        let mut c = vec![0.0; m * 80];
        rights[0].whole().with_left(m, Operand::rows(&a, k), |left| {
            for (i, right) in rights.iter().enumerate() {
                right.whole().times(left, Target::over(&mut c[40 * i..], 80), None);
            }
        });
        for (i, b) in b.iter().enumerate() {
            let expected = reference((m, k, 40), |i, l| a[i * k + l], |l, j| b[l * 40 + j]);
            let found = (0..m).flat_map(|row| c[row * 80 + 40 * i..][..40].to_vec());
            close("one of two", found, &expected);
        }
    }
}

#[test]
fn the_gradient_of_a_weight_adds_over_all_tokens() {
    for engine in engines() {
        for (rows, out, into) in [(0, 2, 3), (7, 3, 5), (300, 70, 96), (2100, 40, 33)] {
            let (dy, x) = (noise(1, rows * (out + 4)), noise(2, rows * into));
            let run = |c: &mut Vec<f32>| {
                let dy = Rows { values: &dy, width: out, stride: out + 4 };
                weight_gradient::on(engine, rows, [(c, dy)], Rows::new(&x, into));
            };
            let what = format!("{engine:?} {rows}x{out}x{into}");
            let expected = reference((out, rows, into), |i, l| dy[l * (out + 4) + i], |l, j| x[l * into + j]);
            let mut c = vec![1.0; out * into];
            run(&mut c);
            close(&what, c.iter().map(|c| c - 1.0), &expected);
            let mut fresh = Vec::new();
            run(&mut fresh);
            close(&format!("{what}, fresh"), fresh.iter().copied(), &expected);
            run(&mut fresh);
            close(&format!("{what}, twice"), fresh.iter().map(|c| c / 2.0), &expected);
        }
    }
}

#[test]
fn a_kept_factor_follows_its_values() {
    let (m, k, n) = (64, 40, 35);
    let a = noise(1, m * k);
    let packed = Packed::default();
    let product = |weight: &[f32], last: bool| {
        let mut c = vec![f32::NAN; m * n];
        Right::kept(m, (k, n), Operand::transposed(weight, k), &packed, last).product(
            m,
            Operand::rows(&a, k),
            Target::over(&mut c, n),
        );
        c
    };
    let expected = |b: &[f32]| reference((m, k, n), |i, l| a[i * k + l], |l, j| b[j * k + l]);
    let weights: Vec<Vec<f32>> = (2..6).map(|seed| noise(seed, n * k)).collect();
    for last in [false, false, true, true] {
        close("unchanged", product(&weights[0], last).into_iter(), &expected(&weights[0]));
    }
    packed.renew(&weights[1]);
    close("renewed", product(&weights[1], false).into_iter(), &expected(&weights[1]));
    packed.renew(&weights[2]);
    close("renewed again", product(&weights[2], true).into_iter(), &expected(&weights[2]));
    product(&weights[2], false);
    packed.forget();
    close("forgotten", product(&weights[3], false).into_iter(), &expected(&weights[3]));
}

#[test]
fn what_is_no_number_stays_so() {
    for engine in engines() {
        for odd in [f32::NAN, f32::INFINITY] {
            let (mut a, b) = (noise(1, 64 * 64), noise(2, 64 * 64));
            a[70] = odd; // row 1
            let mut c = vec![0.0; 64 * 64];
            let (left, right) = (Operand::rows(&a, 64), Operand::rows(&b, 64));
            Right::on(engine, 64, (64, 64), right).product(64, left, Target::over(&mut c, 64));
            assert!(c[64..128].iter().all(|c| !c.is_finite()), "{engine:?} {odd}");
            assert!(c[..64].iter().chain(&c[128..]).all(|c| c.is_finite()), "{engine:?} {odd}");
        }
    }
}

#[test]
fn parts_of_a_right_factor_make_up_the_whole() {
    const CHUNK: usize = Right::CHUNK;
    for engine in engines() {
        let (m, k, n) = (70, CHUNK + 50, 2 * CHUNK + 33);
        let (a, b) = (noise(1, m * k), noise(2, k * n));
        for transposed in [false, true] {
            let right = if transposed { Operand::transposed(&b, k) } else { Operand::rows(&b, n) };
            let right = Right::on(engine, m, (k, n), right);
            let mut c = vec![f32::NAN; m * n];
            let ranges = |size: usize| (0..size).step_by(CHUNK).map(move |at| at..size.min(at + CHUNK));
            for rows in ranges(k) {
                for columns in ranges(n) {
                    let part = right.part(rows.clone(), columns.clone());
                    let c = &mut c[columns.start..];
                    let target = if rows.start == 0 { Target::over(c, n) } else { Target::onto(c, n) };
                    part.product(m, Operand::rows(&a[rows.start..], k), target, Some(&right.whole()));
                }
            }
            let expected = reference(
                (m, k, n),
                |i, l| a[i * k + l],
                |l, j| if transposed { b[j * k + l] } else { b[l * n + j] },
            );
            close(&format!("{engine:?} {transposed}"), c.iter().copied(), &expected);
        }
    }
}

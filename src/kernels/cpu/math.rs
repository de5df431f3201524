//! Elementary functions without branches, so that loops over them vectorize, and the arithmetic of a norm.

/// e^x to about 2 units in the last place, for x in [-87, 88]; clamped outside.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    // e^x = 2^n e^r with n = round(x / ln 2), |r| <= ln 2 / 2; e^r by its Taylor polynomial of degree 7
    const ROUND: f32 = 12_582_912.0; // 1.5 * 2^23: adding it rounds to an integer
    let x = x.clamp(-87.0, 88.0);
    let shifted = x.mul_add(std::f32::consts::LOG2_E, ROUND); // its lowest bits are n
    let n = shifted - ROUND;
    let r = n.mul_add(-0.693_359_4, x); // ln 2 in two parts, the first exact in few bits
    let r = n.mul_add(2.121_944_4e-4, r);
    let p = 1.984_127e-4f32;
    let p = p.mul_add(r, 1.388_888_9e-3);
    let p = p.mul_add(r, 8.333_333e-3);
    let p = p.mul_add(r, 4.166_666_6e-2);
    let p = p.mul_add(r, 1.666_666_7e-1);
    let p = p.mul_add(r, 0.5);
    let p = p.mul_add(r, 1.0);
    let p = p.mul_add(r, 1.0);
    p * f32::from_bits(shifted.to_bits().wrapping_add(127) << 23)
}

/// Phi(x), the normal distribution function, and phi(x), its density.
#[inline(always)]
pub fn normal(x: f32) -> (f32, f32) {
    // Phi(x) = 1 - erfc(x / sqrt 2) / 2; erfc by Abramowitz and Stegun 7.1.26, absolute error below 1.5e-7
    let z = x.abs() * std::f32::consts::FRAC_1_SQRT_2;
    let t = 1.0 / z.mul_add(0.327_591_1, 1.0);
    let gauss = exp(-z * z); // e^(-x^2 / 2)
    let p = 1.061_405_4f32;
    let p = p.mul_add(t, -1.453_152);
    let p = p.mul_add(t, 1.421_413_7);
    let p = p.mul_add(t, -0.284_496_74);
    let p = p.mul_add(t, 0.254_829_6);
    let tail = 0.5 * p * t * gauss;
    let phi = 0.398_942_3 * gauss;
    (if x < 0.0 { tail } else { 1.0 - tail }, phi)
}

/// How many running sums a reduction keeps, so that it vectorizes.
pub const LANES: usize = 16;

/// All lanes in one, by halves: four operations that wait for each other instead of sixteen.
#[inline(always)]
pub fn fold(mut lanes: [f32; LANES], f: impl Fn(f32, f32) -> f32) -> f32 {
    for half in [8, 4, 2, 1] {
        for lane in 0..half {
            lanes[lane] = f(lanes[lane], lanes[lane + half]);
        }
    }
    lanes[0]
}

/// Sum of f over a row.
#[inline(always)]
pub fn sum(row: &[f32], f: impl Fn(f32) -> f32) -> f32 {
    let mut sums = [0.0f32; LANES];
    let chunks = row.chunks_exact(LANES);
    let rest: f32 = chunks.remainder().iter().map(|&x| f(x)).sum();
    for chunk in chunks {
        for (sum, &x) in sums.iter_mut().zip(chunk) {
            *sum += f(x);
        }
    }
    fold(sums, |a, b| a + b) + rest
}

/// The softmax of scale x over each column, of rows `stride` apart of which the first `width` columns count; for a
/// positive scale. `width` is a whole number of [`LANES`], so that all goes down the columns and nothing across them.
#[inline(always)]
pub fn softmax_of_columns(x: &mut [f32], stride: usize, width: usize, scale: f32) {
    for first in (0..width).step_by(LANES) {
        let mut largest = [f32::NEG_INFINITY; LANES];
        for row in x.chunks_exact(stride) {
            for (largest, &x) in largest.iter_mut().zip(lanes(row, first)) {
                *largest = if x > *largest { x } else { *largest };
            }
        }
        let mut sums = [0.0f32; LANES];
        for row in x.chunks_exact_mut(stride) {
            for ((x, &largest), sum) in lanes_mut(row, first).iter_mut().zip(&largest).zip(&mut sums) {
                *x = exp((*x - largest) * scale);
                *sum += *x;
            }
        }
        let inverse = sums.map(|sum| 1.0 / sum);
        for row in x.chunks_exact_mut(stride) {
            lanes_mut(row, first).iter_mut().zip(&inverse).for_each(|(x, &inverse)| *x *= inverse);
        }
    }
}

/// [`LANES`] elements of a row.
#[inline(always)]
pub fn lanes(row: &[f32], first: usize) -> &[f32; LANES] {
    row[first..].first_chunk().expect("rows of whole vectors")
}

/// [`LANES`] elements of a row.
#[inline(always)]
pub fn lanes_mut(row: &mut [f32], first: usize) -> &mut [f32; LANES] {
    row[first..].first_chunk_mut().expect("rows of whole vectors")
}

/// x <- (x - mean) / sqrt(var + epsilon); returns 1 / sqrt(var + epsilon).
#[inline(always)]
pub fn standardize(row: &mut [f32], epsilon: f32) -> f32 {
    let n = row.len() as f32;
    let mean = sum(row, |x| x) / n;
    let variance = sum(row, |x| (x - mean) * (x - mean)) / n;
    let inverse = 1.0 / (variance + epsilon).sqrt();
    row.iter_mut().for_each(|x| *x = (*x - mean) * inverse);
    inverse
}

/// dy <- the gradient of the input: (d - mean(d) - n mean(d n)) / deviation, with d = dy gamma, n the normalized row.
#[inline(always)]
pub fn input_gradient(dy: &mut [f32], gamma: &[f32], normalized: &[f32], inverse_deviation: f32) {
    let n = dy.len() as f32;
    let (mut sums, mut products) = ([0.0f32; 16], [0.0f32; 16]);
    for ((dy, gamma), normalized) in dy.chunks_mut(16).zip(gamma.chunks(16)).zip(normalized.chunks(16)) {
        for (lane, ((dy, &gamma), &normalized)) in dy.iter_mut().zip(gamma).zip(normalized).enumerate() {
            *dy *= gamma;
            sums[lane] += *dy;
            products[lane] += *dy * normalized;
        }
    }
    let mean = fold(sums, |a, b| a + b) / n;
    let product = fold(products, |a, b| a + b) / n;
    for (dy, &normalized) in dy.iter_mut().zip(normalized) {
        *dy = (*dy - mean - normalized * product) * inverse_deviation;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_agrees_with_std() {
        for i in -8600..8700 {
            let x = i as f32 * 0.01;
            let relative = (exp(x) - x.exp()).abs() / x.exp();
            assert!(relative < 4e-7, "exp({x}) is off by {relative}");
        }
        assert!(exp(-1e30) < 1e-37 && exp(f32::NEG_INFINITY) < 1e-37);
    }

    #[test]
    fn normal_agrees_with_known_values() {
        // Phi(0), Phi(1), Phi(-1), Phi(2.5)
        for (x, expected) in [(0.0, 0.5), (1.0, 0.841_344_8), (-1.0, 0.158_655_2), (2.5, 0.993_790_3)] {
            let (cumulative, _) = normal(x);
            assert!((cumulative - expected).abs() < 3e-7, "Phi({x}) = {cumulative}");
        }
    }

    #[test]
    fn softmax_goes_down_each_column() {
        let (rows, stride, width, scale) = (5, 40, 32, 0.5);
        let mut x: Vec<f32> = (0..rows * stride).map(|i| ((i * 7919) % 23) as f32 - 11.0).collect();
        let before = x.clone();
        softmax_of_columns(&mut x, stride, width, scale);
        for column in 0..width {
            let of = |row: usize| (before[row * stride + column] * scale).exp();
            let sum: f32 = (0..rows).map(of).sum();
            for row in 0..rows {
                assert!((x[row * stride + column] - of(row) / sum).abs() < 1e-6);
            }
        }
        assert!((0..rows).all(|row| x[row * stride + width..][..8] == before[row * stride + width..][..8]));
    }

    #[test]
    fn reductions_take_the_rest_of_a_row_too() {
        let row: Vec<f32> = (0..37).map(|i| ((i * 7) % 37) as f32).collect();
        assert_eq!(sum(&row, |x| 2.0 * x), 2.0 * 666.0);
    }
}

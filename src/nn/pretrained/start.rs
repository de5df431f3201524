//! Start distributions.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Normal};

use crate::kernels::Kernels;
use crate::nn::{Parameter, Start};

/// Gives every parameter its start values; the random ones depend on the seed and the parameter's name only, so
/// that attaching a module leaves the start of all others as it was.
pub fn start<D: Kernels>(parameters: &mut [&mut dyn Parameter<D>], seed: u64) {
    for parameter in parameters {
        let count = parameter.dims().iter().product();
        let values = match parameter.meta().start {
            Start::Zeros => vec![0.0; count],
            Start::Ones => vec![1.0; count],
            Start::Normal(deviation) => normal(deviation, count, seed, &parameter.meta().name),
        };
        parameter.write(&values);
    }
}

fn normal(deviation: f32, count: usize, seed: u64, name: &str) -> Vec<f32> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes()).update(name.as_bytes());
    let mut rng = ChaCha8Rng::from_seed(*hasher.finalize().as_bytes());
    // a standard deviation is a finite constant of the network
    let distribution = Normal::new(0.0, deviation).expect("a start's standard deviation is finite");
    (0..count).map(|_| distribution.sample(&mut rng)).collect()
}

//! What each sampler draws, and how often.

use super::super::plan::{AdamW, Fidelity, Schedule, Warmup};
use super::*;

fn training(sampler: Sampler, batch: Batch, seed: u64) -> Training {
    Training {
        sampler,
        batch,
        epochs: 1,
        steps: None,
        optimizer: AdamW { lr: 1e-3, weight_decay: 0.0, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
        schedule: Schedule::Constant { warmup: Warmup::Steps(0) },
        clip: None,
        dropout: 0.0,
        evaluate_every: None,
        seed,
        cache: None,
        fidelity: Fidelity::Paper,
    }
}

fn draws(sampler: Sampler, sizes: &[usize], seed: u64) -> Draws {
    let training = training(sampler, Batch::Examples(8), seed);
    Draws::new(training, sizes.iter().map(|&size| vec![3; size]).collect())
}

fn batches(draws: Draws) -> impl Iterator<Item = Vec<At>> {
    draws.map(|draw| match draw {
        Draw::Batch(examples) => examples,
        Draw::Candidates(_) => panic!("the sampler is proportional"),
    })
}

#[test]
fn a_deck_deals_every_example_once_before_any_twice() {
    let mut draws = draws(Sampler::Proportional, &[10], 1);
    let mut first: Vec<usize> = (0..10).map(|_| draws.decks[0].deal()).collect();
    first.sort_unstable();
    assert_eq!(first, (0..10).collect::<Vec<_>>());
}

#[test]
fn a_hand_never_holds_an_example_twice() {
    for draw in draws(Sampler::MtUncertainty { candidates: 7, rescore: 1 }, &[10, 3], 1).take(50) {
        let Draw::Candidates(mut hands) = draw else { panic!("{draw:?} is no candidates") };
        hands.iter_mut().for_each(|hand| hand.sort_unstable());
        assert_eq!(hands[0].len(), 7);
        assert!(hands[0].windows(2).all(|pair| pair[0] < pair[1]), "{hands:?}");
        assert_eq!(hands[1], [0, 1, 2]);
    }
}

#[test]
fn tasks_come_in_proportion_to_their_sizes_and_the_seed_decides() {
    let draw = |seed| {
        let draws = draws(Sampler::Proportional, &[300, 100], seed);
        batches(draws).take(100).flatten().collect::<Vec<At>>()
    };
    let drawn = draw(1);
    let first = drawn.iter().filter(|at| at.task == 0).count();
    assert!((540..660).contains(&first), "{first} of {}", drawn.len());
    assert_eq!(draw(1), drawn);
    assert_ne!(draw(2), drawn);
}

/// How often each task comes in so many examples.
fn counts(sampler: Sampler, sizes: &[usize], examples: usize) -> Vec<usize> {
    let mut counts = vec![0; sizes.len()];
    let drawn = batches(draws(sampler, sizes, 1)).flatten().take(examples);
    drawn.for_each(|at| counts[at.task] += 1);
    counts
}

#[test]
fn uniform_draws_every_task_as_often() {
    let counts = counts(Sampler::Uniform, &[5000, 100, 3], 9000);
    assert!(counts.iter().all(|count| (2850..3150).contains(count)), "{counts:?}");
}

#[test]
fn a_temperature_draws_by_the_root_of_the_bounded_size() {
    let root = Sampler::Temperature { temperature: 2.0, cap: Some(900) };
    // min(n, 900)^(1/2) = 30, 20, 10
    let parts = weights(root, &[9000, 400, 100]);
    let whole: u64 = parts.iter().sum();
    for (part, expected) in parts.iter().zip([30.0, 20.0, 10.0]) {
        assert!((*part as f64 / whole as f64 - expected / 60.0).abs() < 1e-9, "{parts:?}");
    }
    let counts = counts(root, &[9000, 400, 100], 6000);
    for (count, expected) in counts.iter().zip([3000, 2000, 1000_usize]) {
        assert!(count.abs_diff(expected) < 120, "{counts:?}");
    }
    let one = Sampler::Temperature { temperature: 1.0, cap: None };
    assert_eq!(weights(one, &[4, 2, 1]), [1 << 32, 1 << 31, 1 << 30]);
    assert_eq!(weights(Sampler::Temperature { temperature: 1.0, cap: Some(1) }, &[7, 9]), [1 << 32; 2]);
}

#[test]
fn a_sequence_takes_all_of_a_task_before_the_next_and_then_again() {
    let drawn: Vec<At> = batches(draws(Sampler::Sequential, &[5, 2, 4], 3)).flatten().take(22).collect();
    let tasks: Vec<usize> = drawn.iter().map(|at| at.task).collect();
    assert_eq!(tasks, [[0; 5].as_slice(), &[1; 2], &[2; 4], &[0; 5], &[1; 2], &[2; 4]].concat());
    for pass in drawn.chunks(11) {
        let mut examples = pass.to_vec();
        examples.sort_unstable();
        examples.dedup();
        assert_eq!(examples.len(), 11, "every example once");
    }
    assert_ne!(drawn[..11], drawn[11..], "in another order");
}

#[test]
fn the_seed_decides_under_every_sampler() {
    let hot = Sampler::Temperature { temperature: 3.0, cap: None };
    for sampler in [Sampler::Uniform, hot, Sampler::Sequential] {
        let drawn = |seed| batches(draws(sampler, &[30, 10], seed)).take(20).collect::<Vec<_>>();
        assert_eq!(drawn(1), drawn(1));
        assert_ne!(drawn(1), drawn(2));
    }
}

#[test]
fn a_budget_is_kept_and_used_and_nothing_is_lost() {
    let lengths: Vec<Vec<u32>> = vec![(3..40).collect(), (2..90).rev().collect()];
    let tokens = |batch: &[At]| batch.iter().map(|at| lengths[at.task][at.example]).sum::<u32>();
    let of = |batch| batches(Draws::new(training(Sampler::Proportional, batch, 5), lengths.clone()));
    let drawn: Vec<Vec<At>> = of(Batch::Tokens(100)).take(200).collect();
    for (batch, next) in drawn.iter().zip(&drawn[1..]) {
        assert!(tokens(batch) <= 100 && !batch.is_empty(), "{} of 100 tokens", tokens(batch));
        assert!(tokens(batch) + tokens(&next[..1]) > 100, "the next example would have fit");
    }
    let drawn: Vec<At> = drawn.into_iter().flatten().collect();
    let singly: Vec<At> = of(Batch::Examples(1)).flatten().take(drawn.len()).collect();
    assert_eq!(drawn, singly);
}

#[test]
fn a_budget_beyond_all_data_takes_as_many_examples_as_there_are() {
    let all = training(Sampler::Proportional, Batch::Tokens(1_000_000), 5);
    let drawn: Vec<usize> =
        batches(Draws::new(all, vec![vec![3; 4], vec![5; 2]])).take(5).map(|batch| batch.len()).collect();
    assert_eq!(drawn, [6; 5]);
}

#[test]
fn a_thread_may_draw_ahead() {
    fn is_send<T: Send + 'static>(_: &T) {}
    is_send(&draws(Sampler::Proportional, &[1], 1));
}

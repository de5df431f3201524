//! A task's weight: its share of the objective, and whether its head learns.

use camtl::data::Goal;
use camtl::nn::{Batch, pretrained};
use camtl::train::Network as _;
use camtl::train::learner::Learner;

use crate::tiny::{PLAN, build};

/// Objective and task losses of one step on two examples, one a task, and by how much the head of the second moved.
fn step(weights: [f64; 2]) -> (f64, [f64; 2], f32) {
    let mut network = build();
    pretrained::start(&mut network.parameters(), 5);
    let training = camtl::train::plan::Training { dropout: 0.0, ..PLAN.training };
    let mut learner = Learner::new(network, training, 2);
    let words: [&[u32]; 2] = [&[1, 7, 2], &[1, 9, 8, 2]];
    let types = [0; 4];
    let batch = Batch::new((0..2).map(|task| (words[task], &types[..words[task].len()], task)));
    let head = |learner: &mut Learner<_>| -> Vec<f32> {
        let network: &mut camtl::nn::Model<16, _, _, _> = &mut learner.network;
        let parameters = network.parameters();
        let head = parameters.iter().find(|parameter| parameter.meta().name == "heads.warmth.bias");
        head.expect("the second head has a bias").read()
    };
    let before = head(&mut learner);
    let constant = learner.network.constant(&batch);
    let targets = [Goal::Class(1), Goal::Value(0.25)];
    let stepped = learner.step(1, &weights, &batch, constant, &targets).expect("one step is finite");
    let moved = (head(&mut learner)[0] - before[0]).abs();
    let losses = [0, 1].map(|task| stepped.task_losses[task].expect("each task has an example"));
    (stepped.loss, losses, moved)
}

#[test]
fn the_objective_is_the_weighted_sum_of_the_losses() {
    let (plain, losses, _) = step([1.0, 1.0]);
    assert!((plain - (losses[0] + losses[1]) / 2.0).abs() < 1e-6, "{plain} {losses:?}");
    let (weighted, same, _) = step([0.5, 3.0]);
    assert_eq!(same, losses, "what a task loses is told without its weight");
    let expected = (0.5 * losses[0] + 3.0 * losses[1]) / 2.0;
    assert!((weighted - expected).abs() < 1e-6, "{weighted} is not {expected}");
}

#[test]
fn without_weight_a_head_does_not_move() {
    let (loss, losses, moved) = step([1.0, 0.0]);
    assert!((loss - losses[0] / 2.0).abs() < 1e-6);
    assert!(moved < 1e-9, "{moved}");
    assert!(step([1.0, 1.0]).2 > 0.0);
}

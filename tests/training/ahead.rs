//! What a thread draws ahead is what would be drawn without it.

use camtl::train::ahead::Ahead;
use camtl::train::draws::{Draw, Draws};

use crate::tiny::PLAN;

#[test]
fn the_draws_of_a_thread_are_those_of_none() {
    for sampler in ["mt_uncertainty", "proportional"] {
        let mut training = PLAN.training;
        training.set("sampler", sampler).unwrap();
        let draws = Draws::new(training, vec![vec![3; 40], vec![4; 25]]);
        let plain: Vec<Draw> = draws.clone().take(100).collect();
        assert_eq!(Ahead::new(draws).take(100).collect::<Vec<Draw>>(), plain);
    }
}

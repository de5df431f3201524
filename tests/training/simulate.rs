//! What is told before a training, against what it then does.

use camtl::train::Reading;
use camtl::train::plan::{Plan, Sampler};
use camtl::train::simulate::{Simulation, simulate};

use super::tiny::{PLAN, Place, lines};

fn told(place: &Place, set: &[(&str, &str)]) -> Simulation {
    let mut plan: Plan = PLAN;
    set.iter().for_each(|(key, value)| plan.training.set(key, value).unwrap());
    simulate(&plan, Reading::strict(&place.data(), None), None).unwrap()
}

#[test]
fn steps_and_tokens_are_those_of_the_training() {
    let place = Place::new();
    for (i, sampler) in ["uniform", "sequential", "proportional", "temperature 4"].into_iter().enumerate() {
        let set = [("sampler", sampler), ("steps", "off"), ("epochs", "2"), ("batch", "6")];
        let simulation = told(&place, &set);
        assert_eq!((simulation.epoch, simulation.steps), (14, 28)); // 80 examples in batches of 6
        assert_eq!((simulation.scored, simulation.passes, simulation.examples), (0.0, 0.0, 6.0));
        let events = lines(&place.train(&format!("run-{i}"), &set).run.events());
        assert_eq!(events.len(), 28);
        let tokens: u64 = events[..14].iter().map(|event| event["tokens"].as_u64().unwrap()).sum();
        assert_eq!(simulation.length, tokens as f64 / (14.0 * 6.0), "the first epoch's draws, {sampler}");
    }
}

#[test]
fn shares_follow_the_sampler() {
    let place = Place::new();
    let rows = place.data().join("weather/train.tsv");
    let text = std::fs::read_to_string(&rows).unwrap();
    let more: String = text.lines().skip(1).map(|row| format!("{row}\n")).collect();
    std::fs::write(&rows, format!("{text}{more}{more}")).unwrap(); // 120 of weather, 40 of warmth

    let shares = |set: &[(&str, &str)]| {
        let tasks = told(&place, set).tasks;
        [tasks[0].share, tasks[1].share].map(|share| (share * 1e6).round() / 1e6)
    };
    assert_eq!(shares(&[("sampler", "proportional")]), [0.75, 0.25]);
    assert_eq!(shares(&[("sampler", "sequential")]), [0.75, 0.25]);
    assert_eq!(shares(&[("sampler", "uniform")]), [0.5, 0.5]);
    assert_eq!(shares(&[("sampler", "temperature 2")]), [0.633975, 0.366025]); // of 3^(1/2) and 1
    assert_eq!(shares(&[("sampler", "temperature 2"), ("cap", "40")]), [0.5, 0.5]);

    let uniform = told(&place, &[("sampler", "uniform"), ("batch", "8"), ("steps", "off")]);
    assert_eq!((uniform.epoch, uniform.tasks[0].examples, uniform.tasks[1].examples), (20, 120, 40));
    assert_eq!([uniform.tasks[0].seen, uniform.tasks[1].seen], [80.0 / 120.0, 2.0]);
}

#[test]
fn what_is_scored_is_counted() {
    let place = Place::new();
    let Sampler::MtUncertainty { candidates: 8, rescore: 1 } = PLAN.training.sampler else { panic!() };
    let each = told(&place, &[]);
    // warmth borrows the scores of weather
    assert_eq!((each.scored, each.passes, each.epoch), (8.0, 1.0, 10));
    assert_eq!([each.tasks[0].share, each.tasks[1].share], [0.5, 0.5]);
    let fifth = told(&place, &[("candidates", "20"), ("rescore", "5")]);
    assert_eq!((fifth.scored, fifth.passes), (4.0, 0.2));
    // a task of 40 examples has no more candidates
    assert_eq!(told(&place, &[("candidates", "99")]).scored, 40.0);
}

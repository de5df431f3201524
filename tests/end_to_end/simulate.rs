//! What `camtlc simulate` tells before a training, against figures made by hand.

use serde_json::Value;

use crate::support::Place;

#[test]
fn shares_steps_passes_and_costs_are_those_of_the_data_and_the_model() {
    let place = Place::new();
    let said: Value =
        serde_json::from_str(&place.succeed(&["simulate", "tiny.cam", "--data", "data", "--json"])).unwrap();
    let simulation = &said["simulation"];
    // 3 tasks of 4 openings and 8 words, 8 examples a step, and the model says 12 steps
    assert_eq!((&simulation["epoch"], &simulation["steps"]), (&12.into(), &12.into()), "{said}");
    assert_eq!((&simulation["drawn"], &simulation["examples"]), (&12.into(), &8.0.into()));
    // as many candidates of each task as the batch has examples; `warmth` borrows the scores of `sentiment`
    assert_eq!((&simulation["scored"], &simulation["passes"]), (&16.0.into(), &1.0.into()));
    let tasks = simulation["tasks"].as_array().unwrap();
    assert_eq!(tasks.len(), 3);
    for task in tasks {
        assert_eq!((&task["examples"], &task["truncated"]), (&32.into(), &0.into()), "{task}");
        let (share, seen) = (task["share"].as_f64().unwrap(), task["seen"].as_f64().unwrap());
        // 8 of 24 candidates, 12 x 8 of them over 32 examples
        assert!((share - 1.0 / 3.0).abs() < 1e-9 && (seen - 3.0).abs() < 1e-9, "{task}");
    }
    // [CLS] the film was good [SEP]; the second text of a pair is `this is good`, and a [SEP] after it
    assert_eq!(tasks[0]["tokens"], 32 * 6);
    assert_eq!(tasks[1]["tokens"], 32 * (6 + 4));

    let flops = |name: &str| said["flops"][name].as_u64().unwrap();
    assert!(flops("scoring") > 0 && flops("forward") < flops("step"), "{said}");

    let text = place.succeed(&["simulate", "tiny.cam", "--data", "data"]);
    for part in [
        "tiny: 3 tasks, 96 training examples",
        "an epoch is 12 steps, the training 12",
        "before it 16.0 candidates",
    ] {
        assert!(text.contains(part), "`{part}` is not in {text}");
    }
}

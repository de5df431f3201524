//! The cache of the constant layers: what a run learns with it, and what is on disk.

use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use crate::timeless;
use crate::tiny::{PLAN, Place, build, lines, names};
use camtl::train::{Outcome, train};

/// 16 numbers a token, and about 6 tokens a text.
const ROOM: u64 = 1 << 20;

fn run(place: &Place, name: &str, cache: Option<u64>) -> Outcome {
    let mut options = place.options(name, &[("steps", "40"), ("evaluate_every", "20")]);
    options.training.cache = cache;
    options.cache = Some(place.folder.path().join("cache"));
    train(&PLAN, "model tiny", build(), &options, &AtomicBool::new(false)).unwrap()
}

fn losses(outcome: &Outcome) -> Vec<f64> {
    lines(&outcome.run.events()).iter().map(|event| event["loss"].as_f64().unwrap()).collect()
}

/// Bytes of the files in the only cache there is.
fn size(constant: &Path) -> u64 {
    let [name] = names(constant).try_into().expect("one network, one cache");
    let folder = constant.join(name);
    names(&folder).iter().map(|file| fs::metadata(folder.join(file)).unwrap().len()).sum()
}

#[test]
fn a_run_learns_the_same_with_a_cache_without_one_and_with_a_full_one() {
    let place = Place::new();
    let constant = place.folder.path().join("cache/constant");
    let plain = run(&place, "plain", None);
    assert!(!constant.exists());
    let fresh = run(&place, "fresh", Some(ROOM));
    let filled = size(&constant);
    let warm = run(&place, "warm", Some(ROOM));
    assert_eq!(size(&constant), filled, "nothing was computed anew");
    assert_eq!(timeless(&fresh.run.events()), timeless(&warm.run.events()));
    assert_eq!(lines(&fresh.run.evaluations()), lines(&warm.run.evaluations()));

    let bound = filled / 3;
    let small = run(&place, "small", Some(bound));
    assert!((bound / 2..=bound).contains(&size(&constant)), "{} of {bound} bytes", size(&constant));
    for outcome in [&fresh, &small] {
        for (step, (found, expected)) in losses(outcome).iter().zip(losses(&plain)).enumerate() {
            let apart = (found - expected).abs() / expected;
            assert!(apart < 1e-4, "step {}: {found} is not {expected}", step + 1);
        }
    }
}

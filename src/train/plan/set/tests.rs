//! Every setting by its name, and what is refused.

use super::super::AdamW;
use super::*;

const TRAINING: Training = Training {
    sampler: Sampler::MtUncertainty { candidates: 32, rescore: 1 },
    batch: Batch::Examples(32),
    epochs: 3,
    steps: Some(100),
    optimizer: AdamW { lr: 2e-5, weight_decay: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
    schedule: Schedule::Linear { warmup: Warmup::Fraction(0.1) },
    clip: Some(1.0),
    dropout: 0.1,
    evaluate_every: None,
    seed: 1,
    cache: None,
};

fn set(pairs: &[(&str, &str)]) -> Training {
    let mut training = TRAINING;
    for (key, value) in pairs {
        training.set(key, value).unwrap();
    }
    training
}

fn refused(key: &str, value: &str) -> String {
    let mut training = TRAINING;
    let error = training.set(key, value).unwrap_err();
    assert_eq!(training, TRAINING);
    let help = miette::Diagnostic::help(&error).map(|help| help.to_string()).unwrap_or_default();
    format!("{error} | {help}")
}

#[test]
fn every_key_sets_its_own_field() {
    let changed = set(&[
        ("sampler", "mt_uncertainty"),
        ("candidates", "16"),
        ("rescore", "3"),
        ("batch", "64"),
        ("epochs", "5"),
        ("steps", "700"),
        ("lr", "1e-4"),
        ("weight_decay", "0"),
        ("beta1", "0.8"),
        ("beta2", "0.98"),
        ("epsilon", "1e-6"),
        ("schedule", "constant"),
        ("warmup", "500"),
        ("clip", "0.5"),
        ("dropout", "0"),
        ("evaluate_every", "50"),
        ("seed", "7"),
        ("cache", "2GiB"),
    ]);
    let expected = Training {
        sampler: Sampler::MtUncertainty { candidates: 16, rescore: 3 },
        batch: Batch::Examples(64),
        epochs: 5,
        steps: Some(700),
        optimizer: AdamW { lr: 1e-4, weight_decay: 0.0, beta1: 0.8, beta2: 0.98, epsilon: 1e-6 },
        schedule: Schedule::Constant { warmup: Warmup::Steps(500) },
        clip: Some(0.5),
        dropout: 0.0,
        evaluate_every: Some(50),
        seed: 7,
        cache: Some(2 << 30),
    };
    assert_eq!(changed, expected);
}

#[test]
fn settings_that_follow_others_follow() {
    assert_eq!(set(&[("epochs", "5")]).steps, None);
    let eight = Sampler::MtUncertainty { candidates: 8, rescore: 1 };
    assert_eq!(set(&[("batch", "8")]).sampler, eight);
    let switched = set(&[("sampler", "proportional"), ("batch", "8"), ("sampler", "mt_uncertainty")]);
    assert_eq!(switched.sampler, eight);
    assert_eq!(set(&[("warmup", "6.5%")]).schedule.warmup(), Warmup::Fraction(0.065));
    assert_eq!((set(&[("clip", "off")]).clip, set(&[("steps", "off")]).steps), (None, None));
}

#[test]
fn every_sampler_is_named_as_in_the_language() {
    let sampler = |pairs: &[(&str, &str)]| set(pairs).sampler;
    assert_eq!(sampler(&[("sampler", "uniform")]), Sampler::Uniform);
    assert_eq!(sampler(&[("sampler", "sequential")]), Sampler::Sequential);
    let five = ("sampler", "temperature 5");
    assert_eq!(sampler(&[five]), Sampler::Temperature { temperature: 5.0, cap: None });
    let capped = Sampler::Temperature { temperature: 2.5, cap: Some(65_536) };
    assert_eq!(sampler(&[five, ("cap", "65536"), ("temperature", "2.5")]), capped);
    assert_eq!(sampler(&[five, ("cap", "65536"), ("sampler", "temperature 2.5")]), capped);
    assert_eq!(sampler(&[five, ("cap", "9"), ("cap", "off")]), sampler(&[five]));
    for wrong in ["temperature", "temperature 0.5", "temperature hot", "uniform 2", "temperature 1001"] {
        assert!(refused("sampler", wrong).contains("\"temperature 5\" with a number from 1 to 1000"));
    }
    assert_eq!(
        refused("cap", "5"),
        "`cap` does not apply to the sampler `mt_uncertainty` | set sampler=\"temperature 5\" before it"
    );
}

#[test]
fn sizes_have_units() {
    for tokens in ["4096tokens", "4096 tokens"] {
        let budget = set(&[("candidates", "7"), ("batch", tokens)]);
        assert_eq!(budget.batch, Batch::Tokens(4096));
        assert_eq!(budget.sampler, Sampler::MtUncertainty { candidates: 7, rescore: 1 });
    }
    let back = set(&[("batch", "4096tokens"), ("batch", "8")]);
    assert_eq!(back.sampler, Sampler::MtUncertainty { candidates: 32, rescore: 1 });
    let switched = [("sampler", "proportional"), ("batch", "99tokens"), ("sampler", "mt_uncertainty")];
    assert_eq!(set(&switched).sampler, Sampler::MtUncertainty { candidates: 32, rescore: 1 });
    assert_eq!(set(&[("cache", "1.5 MiB")]).cache, Some(3 << 19));
    assert_eq!(set(&[("cache", "20MB")]).cache, Some(20_000_000));
    assert_eq!(set(&[("cache", "2GiB"), ("cache", "off")]).cache, None);
}

#[test]
fn settings_have_to_fit_together() {
    let refused = |pairs: &[(&str, &str)]| {
        let error = set(pairs).check(128, 2).unwrap_err();
        format!("{error} | {}", miette::Diagnostic::help(&error).unwrap())
    };
    assert_eq!(TRAINING.check(128, 1), Ok(()));
    assert_eq!(
        refused(&[("batch", "127tokens")]),
        "a batch of 127 tokens has no room for an example of 128 | \
         the least is batch=128tokens; batch=127 alone would be examples"
    );
    assert_eq!(set(&[("batch", "128tokens")]).check(128, 1), Ok(()));
    assert_eq!(
        refused(&[("rescore", "3")]),
        "3 steps of 32 examples train on more than the 64 candidates that are drawn | \
         nearest legal: rescore=2, or candidates=48"
    );
    assert_eq!(set(&[("rescore", "2")]).check(128, 2), Ok(()));
    assert_eq!(set(&[("rescore", "9"), ("batch", "200tokens")]).check(128, 2), Ok(()));
}

#[test]
fn what_is_not_legal_is_refused_and_changes_nothing() {
    assert!(refused("Lr", "1").starts_with("there is no setting `Lr` | did you mean `lr`? the settings are"));
    assert!(refused("momentum", "1").starts_with("there is no setting `momentum` | the settings are"));
    assert_eq!(refused("lr", "0"), "`0` is no value of `lr` | lr is a number above 0");
    assert!(
        refused("warmup", "0.1")
            .ends_with("warmup is a part of the steps like 10%, or a whole number of steps")
    );
    for (key, value) in [
        ("lr", "inf"),
        ("lr", "NaN"),
        ("beta1", "1"),
        ("dropout", "-0.1"),
        ("batch", "0"),
        ("batch", "1.5"),
        ("batch", "tokens"),
        ("batch", "0tokens"),
        ("batch", "4096token"),
        ("rescore", "0"),
        ("cache", "2"),
        ("cache", "2gib"),
        ("cache", "0GiB"),
        ("cache", "1e9GiB"),
        ("steps", "99999999999"),
        ("warmup", "101%"),
        ("warmup", "-1"),
        ("clip", "0"),
        ("seed", "-1"),
        ("sampler", "random"),
        ("schedule", "cosine"),
        ("lr", ""),
    ] {
        assert!(refused(key, value).contains(&format!("`{value}` is no value of `{key}`")));
    }
    let mut proportional = set(&[("sampler", "proportional")]);
    for key in ["candidates", "rescore"] {
        let refused = SetError::Sampler { key, sampler: "proportional", of: "mt_uncertainty" };
        assert_eq!(proportional.set(key, "4"), Err(refused));
    }
}

#[test]
fn warmup_is_rounded_and_within_the_training() {
    assert_eq!(Warmup::Fraction(0.1).steps(1234), 123);
    assert_eq!(Warmup::Fraction(1.0).steps(7), 7);
    assert_eq!(Warmup::Steps(500).steps(100), 100);
}

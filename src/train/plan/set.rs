//! `--set lr=1e-4`: one setting of a training, overridden by name under the checks the compiler makes.

use std::str::FromStr;

use super::{Sampler, Schedule, Training, Warmup};

/// The settings, as in a `.cam` file.
const KEYS: [&str; 16] = [
    "sampler",
    "candidates",
    "batch",
    "epochs",
    "steps",
    "lr",
    "weight_decay",
    "beta1",
    "beta2",
    "epsilon",
    "schedule",
    "warmup",
    "clip",
    "dropout",
    "evaluate_every",
    "seed",
];

/// The largest whole number that a setting takes: steps are counted in `f64` without loss.
pub const WHOLE: usize = 1 << 31;

#[derive(Debug, Clone, PartialEq, thiserror::Error, miette::Diagnostic)]
#[non_exhaustive]
pub enum SetError {
    #[error("there is no setting `{key}`")]
    #[diagnostic(
        code(set::key),
        help("{}the settings are {}", nearest.map(|near| format!("did you mean `{near}`? ")).unwrap_or_default(), KEYS.join(", "))
    )]
    Key { key: String, nearest: Option<&'static str> },

    #[error("`{value}` is no value of `{key}`")]
    #[diagnostic(code(set::value), help("{key} is {expected}"))]
    Value { key: &'static str, value: String, expected: &'static str },

    #[error("`candidates` does not apply to the sampler `proportional`")]
    #[diagnostic(code(set::candidates), help("set sampler=mt_uncertainty before it"))]
    Candidates,
}

impl Training {
    /// Sets `key` to `value`, both as written after `--set`.
    ///
    /// Settings that follow others follow here too: `epochs` ends the rule of `steps`, and `candidates` stays equal
    /// to `batch` where it was. Where nothing can be set nothing changes.
    ///
    /// # Errors
    /// [`SetError`], with what a setting may be in the help.
    pub fn set(&mut self, key: &str, value: &str) -> Result<(), SetError> {
        let Some(key) = KEYS.into_iter().find(|known| *known == key) else {
            return Err(SetError::Key { key: key.to_owned(), nearest: nearest(key) });
        };
        let given = Given { key, value };
        match key {
            "sampler" => {
                self.sampler = match (value, self.sampler) {
                    ("mt_uncertainty", Sampler::Proportional) => {
                        Sampler::MtUncertainty { candidates: self.batch }
                    }
                    ("mt_uncertainty", same) => same,
                    ("proportional", _) => Sampler::Proportional,
                    _ => return Err(given.unlike("mt_uncertainty or proportional")),
                }
            }
            "candidates" => match &mut self.sampler {
                Sampler::MtUncertainty { candidates } => *candidates = given.count()?,
                Sampler::Proportional => return Err(SetError::Candidates),
            },
            "batch" => {
                let batch = given.count()?;
                if let Sampler::MtUncertainty { candidates } = &mut self.sampler
                    && *candidates == self.batch
                {
                    *candidates = batch;
                }
                self.batch = batch;
            }
            "epochs" => {
                self.epochs = given.count()?;
                self.steps = None;
            }
            "steps" => self.steps = given.count_or_off()?,
            "lr" => self.optimizer.lr = given.number("a number above 0", |lr| lr > 0.0)?,
            "weight_decay" => {
                self.optimizer.weight_decay = given.number("a number from 0", |decay| decay >= 0.0)?;
            }
            "beta1" => self.optimizer.beta1 = given.probability()?,
            "beta2" => self.optimizer.beta2 = given.probability()?,
            "epsilon" => {
                self.optimizer.epsilon = given.number("a number above 0", |epsilon| epsilon > 0.0)?
            }
            "schedule" => {
                let warmup = self.schedule.warmup();
                self.schedule = match value {
                    "linear" => Schedule::Linear { warmup },
                    "constant" => Schedule::Constant { warmup },
                    _ => return Err(given.unlike("linear or constant")),
                }
            }
            "warmup" => {
                let (Schedule::Linear { warmup } | Schedule::Constant { warmup }) = &mut self.schedule;
                *warmup = given.warmup()?;
            }
            "clip" => {
                self.clip = match value {
                    "off" => None,
                    _ => Some(given.number("a number above 0, or off", |norm| norm > 0.0)?),
                }
            }
            "dropout" => self.dropout = given.probability()?,
            "evaluate_every" => self.evaluate_every = given.count_or_off()?,
            "seed" => self.seed = given.parse("a whole number from 0", |_| true)?,
            _ => return Err(SetError::Key { key: key.to_owned(), nearest: None }),
        }
        Ok(())
    }
}

/// One `key=value`.
#[derive(Clone, Copy)]
struct Given<'a> {
    key: &'static str,
    value: &'a str,
}

impl Given<'_> {
    fn unlike(self, expected: &'static str) -> SetError {
        SetError::Value { key: self.key, value: self.value.to_owned(), expected }
    }

    fn parse<T: FromStr>(self, expected: &'static str, legal: impl Fn(&T) -> bool) -> Result<T, SetError> {
        self.value.parse().ok().filter(legal).ok_or_else(|| self.unlike(expected))
    }

    fn number(self, expected: &'static str, legal: impl Fn(f64) -> bool) -> Result<f64, SetError> {
        self.parse(expected, |number: &f64| number.is_finite() && legal(*number))
    }

    fn probability(self) -> Result<f64, SetError> {
        self.number("a number from 0 to below 1", |number| (0.0..1.0).contains(&number))
    }

    fn count(self) -> Result<usize, SetError> {
        self.parse("a whole number from 1 to 2147483648", |count| (1..=WHOLE).contains(count))
    }

    fn count_or_off(self) -> Result<Option<usize>, SetError> {
        match self.value {
            "off" => Ok(None),
            _ => {
                let expected = "a whole number from 1 to 2147483648, or off";
                self.parse(expected, |count| (1..=WHOLE).contains(count)).map(Some)
            }
        }
    }

    /// `10%` is a part of all steps, `500` is steps; `0.1` could be meant as either and is refused.
    fn warmup(self) -> Result<Warmup, SetError> {
        let expected = "a part of the steps like 10%, or a whole number of steps";
        match self.value.strip_suffix('%') {
            Some(percent) => {
                let percent = Given { value: percent.trim_end(), ..self };
                match percent.number(expected, |percent| (0.0..=100.0).contains(&percent)) {
                    Ok(percent) => Ok(Warmup::Fraction(percent / 100.0)),
                    Err(_) => Err(self.unlike(expected)),
                }
            }
            None => self.parse(expected, |steps| *steps <= WHOLE).map(Warmup::Steps),
        }
    }
}

fn nearest(key: &str) -> Option<&'static str> {
    let distance = |known: &str| strsim::damerau_levenshtein(key, known);
    let near = KEYS.into_iter().min_by_key(|known| distance(known))?;
    (distance(near) <= 1 + near.len() / 4).then_some(near)
}

#[cfg(test)]
mod tests {
    use super::super::AdamW;
    use super::*;

    const TRAINING: Training = Training {
        sampler: Sampler::MtUncertainty { candidates: 32 },
        batch: 32,
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
        ]);
        let expected = Training {
            sampler: Sampler::MtUncertainty { candidates: 16 },
            batch: 64,
            epochs: 5,
            steps: Some(700),
            optimizer: AdamW { lr: 1e-4, weight_decay: 0.0, beta1: 0.8, beta2: 0.98, epsilon: 1e-6 },
            schedule: Schedule::Constant { warmup: Warmup::Steps(500) },
            clip: Some(0.5),
            dropout: 0.0,
            evaluate_every: Some(50),
            seed: 7,
            cache: None,
        };
        assert_eq!(changed, expected);
    }

    #[test]
    fn settings_that_follow_others_follow() {
        assert_eq!(set(&[("epochs", "5")]).steps, None);
        assert_eq!(set(&[("batch", "8")]).sampler, Sampler::MtUncertainty { candidates: 8 });
        let switched = set(&[("sampler", "proportional"), ("batch", "8"), ("sampler", "mt_uncertainty")]);
        assert_eq!(switched.sampler, Sampler::MtUncertainty { candidates: 8 });
        assert_eq!(set(&[("warmup", "6.5%")]).schedule.warmup(), Warmup::Fraction(0.065));
        assert_eq!((set(&[("clip", "off")]).clip, set(&[("steps", "off")]).steps), (None, None));
    }

    #[test]
    fn what_is_not_legal_is_refused_and_changes_nothing() {
        assert!(
            refused("Lr", "1").starts_with("there is no setting `Lr` | did you mean `lr`? the settings are")
        );
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
        assert_eq!(proportional.set("candidates", "4"), Err(SetError::Candidates));
    }

    #[test]
    fn warmup_is_rounded_and_within_the_training() {
        assert_eq!(Warmup::Fraction(0.1).steps(1234), 123);
        assert_eq!(Warmup::Fraction(1.0).steps(7), 7);
        assert_eq!(Warmup::Steps(500).steps(100), 100);
    }
}

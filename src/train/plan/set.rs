//! `--set lr=1e-4`: one setting of a training, overridden by name under the checks the compiler makes.

use std::str::FromStr;

use super::{Batch, Sampler, Schedule, Training, Warmup};

/// The settings, as in a `.cam` file.
const KEYS: [&str; 18] = [
    "sampler",
    "candidates",
    "rescore",
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
    "cache",
];

/// The largest whole number that a setting takes: steps are counted in `f64` without loss.
pub const WHOLE: usize = 1 << 31;

/// Drawn of a task where nothing else is said: the examples of a batch, by default.
const CANDIDATES: usize = 32;

const UNITS: [(&str, f64); 6] = [
    ("MiB", 1_048_576.0),
    ("GiB", 1_073_741_824.0),
    ("TiB", 1_099_511_627_776.0),
    ("MB", 1e6),
    ("GB", 1e9),
    ("TB", 1e12),
];

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

    #[error("`{key}` does not apply to the sampler `proportional`")]
    #[diagnostic(code(set::sampler), help("set sampler=mt_uncertainty before it"))]
    Sampler { key: &'static str },

    #[error("a batch of {budget} tokens has no room for an example of {sequence}")]
    #[diagnostic(
        code(set::budget),
        help("the least is batch={sequence}tokens; batch={budget} alone would be examples")
    )]
    Budget { budget: usize, sequence: usize },

    #[error("{rescore} steps of {batch} examples train on more than the {drawn} candidates that are drawn")]
    #[diagnostic(
        code(set::rescore),
        help("nearest legal: rescore={}, or candidates={enough}", (drawn / batch).max(1))
    )]
    Rescore { rescore: usize, batch: usize, drawn: usize, enough: usize },
}

impl Training {
    /// Sets `key` to `value`, both as written after `--set`.
    ///
    /// Settings that follow others follow here too: `epochs` ends the rule of `steps`, and `candidates` stays equal
    /// to `batch` where it was. A change to `mt_uncertainty` beside a budget of tokens draws 32 candidates, until
    /// `candidates` says otherwise. Where nothing can be set nothing changes.
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
                        let candidates = match self.batch {
                            Batch::Examples(count) => count,
                            Batch::Tokens(_) => CANDIDATES,
                        };
                        Sampler::MtUncertainty { candidates, rescore: 1 }
                    }
                    ("mt_uncertainty", same) => same,
                    ("proportional", _) => Sampler::Proportional,
                    _ => return Err(given.unlike("mt_uncertainty or proportional")),
                }
            }
            "candidates" => match &mut self.sampler {
                Sampler::MtUncertainty { candidates, .. } => *candidates = given.count()?,
                Sampler::Proportional => return Err(SetError::Sampler { key }),
            },
            "rescore" => match &mut self.sampler {
                Sampler::MtUncertainty { rescore, .. } => *rescore = given.count()?,
                Sampler::Proportional => return Err(SetError::Sampler { key }),
            },
            "batch" => {
                let batch = given.batch()?;
                if let Sampler::MtUncertainty { candidates, .. } = &mut self.sampler
                    && let Batch::Examples(count) = batch
                    && self.batch == Batch::Examples(*candidates)
                {
                    *candidates = count;
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
            "cache" => self.cache = given.bytes_or_off()?,
            _ => return Err(SetError::Key { key: key.to_owned(), nearest: None }),
        }
        Ok(())
    }

    /// Whether settings that are each legal fit together, for a model of so many `tasks` whose longest examples have
    /// `sequence` tokens. The compiler has checked those of the model; this is for what was set after.
    ///
    /// # Errors
    /// [`SetError::Budget`] and [`SetError::Rescore`].
    pub fn check(&self, sequence: usize, tasks: usize) -> Result<(), SetError> {
        match (self.batch, self.sampler) {
            (Batch::Tokens(budget), _) if budget < sequence => Err(SetError::Budget { budget, sequence }),
            (Batch::Examples(batch), Sampler::MtUncertainty { candidates, rescore: rescore @ 2.. })
                if rescore.saturating_mul(batch) > candidates * tasks =>
            {
                let enough = rescore.saturating_mul(batch).div_ceil(tasks);
                Err(SetError::Rescore { rescore, batch, drawn: candidates * tasks, enough })
            }
            _ => Ok(()),
        }
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

    /// `32` is examples, `4096tokens` is a budget.
    fn batch(self) -> Result<Batch, SetError> {
        let expected = "a number of examples like 32, or of tokens like 4096tokens";
        let (value, of): (&str, fn(usize) -> Batch) = match self.value.strip_suffix("tokens") {
            Some(budget) => (budget.trim_end(), Batch::Tokens),
            None => (self.value, Batch::Examples),
        };
        let count = Given { value, ..self }.count().map_err(|_| self.unlike(expected))?;
        Ok(of(count))
    }

    /// `2GiB`, in the units of `.cam` files, from a megabyte to a pebibyte.
    fn bytes_or_off(self) -> Result<Option<u64>, SetError> {
        if self.value == "off" {
            return Ok(None);
        }
        let expected = "a size like 2GiB (MiB, GiB, TiB, MB, GB or TB), or off";
        let sized = UNITS.iter().find_map(|(unit, factor)| Some((self.value.strip_suffix(unit)?, factor)));
        let (value, factor) = sized.ok_or_else(|| self.unlike(expected))?;
        let legal = |size: f64| (1e6..=(1_u64 << 50) as f64).contains(&(size * factor));
        let size = Given { value: value.trim_end(), ..self }.number(expected, legal);
        // up to 2^50, so exact but for a part of a byte
        size.map(|size| Some((size * factor) as u64)).map_err(|_| self.unlike(expected))
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
    use super::super::{AdamW, Fidelity};
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
        fidelity: Fidelity::Paper,
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
            fidelity: Fidelity::Paper,
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
            assert_eq!(proportional.set(key, "4"), Err(SetError::Sampler { key }));
        }
    }

    #[test]
    fn warmup_is_rounded_and_within_the_training() {
        assert_eq!(Warmup::Fraction(0.1).steps(1234), 123);
        assert_eq!(Warmup::Fraction(1.0).steps(7), 7);
        assert_eq!(Warmup::Steps(500).steps(100), 100);
    }
}

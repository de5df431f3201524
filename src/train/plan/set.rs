//! `--set lr=1e-4`: one setting of a training, overridden by name under the checks the compiler makes.

use std::str::FromStr;

use super::{Batch, Sampler, Schedule, Training, Warmup};

/// The settings, as in a `.cam` file.
const KEYS: [&str; 20] = [
    "sampler",
    "temperature",
    "cap",
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

const TEMPERATURE: &str = "a number from 1, which is proportional, to 1000";

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

    #[error("`{key}` does not apply to the sampler `{sampler}`")]
    #[diagnostic(code(set::sampler), help("set sampler={of} before it"))]
    Sampler { key: &'static str, sampler: &'static str, of: &'static str },

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
            "sampler" => self.sampler = self.sampler_named(given)?,
            "candidates" | "rescore" => {
                let count = given.count()?;
                match (&mut self.sampler, key) {
                    (Sampler::MtUncertainty { candidates, .. }, "candidates") => *candidates = count,
                    (Sampler::MtUncertainty { rescore, .. }, _) => *rescore = count,
                    (other, _) => {
                        return Err(SetError::Sampler { key, sampler: other.name(), of: "mt_uncertainty" });
                    }
                }
            }
            "temperature" | "cap" => match (&mut self.sampler, key) {
                (Sampler::Temperature { temperature, .. }, "temperature") => {
                    *temperature = given.temperature(TEMPERATURE)?;
                }
                (Sampler::Temperature { cap, .. }, _) => *cap = given.count_or_off()?,
                (other, _) => {
                    let (sampler, of) = (other.name(), "\"temperature 5\"");
                    return Err(SetError::Sampler { key, sampler, of });
                }
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

    /// `uniform`, `temperature 5`; what is the sampler already keeps its own settings.
    fn sampler_named(&self, given: Given<'_>) -> Result<Sampler, SetError> {
        const LEGAL: &str = "mt_uncertainty, proportional, uniform, sequential, or \"temperature 5\" with a number from 1 to 1000";
        let (name, number) = match given.value.split_once(' ') {
            Some((name, number)) => (name, Some(number.trim())),
            None => (given.value, None),
        };
        Ok(match (name, number, self.sampler) {
            ("mt_uncertainty", None, same @ Sampler::MtUncertainty { .. }) => same,
            ("mt_uncertainty", None, _) => {
                let candidates = match self.batch {
                    Batch::Examples(count) => count,
                    Batch::Tokens(_) => CANDIDATES,
                };
                Sampler::MtUncertainty { candidates, rescore: 1 }
            }
            ("proportional", None, _) => Sampler::Proportional,
            ("uniform", None, _) => Sampler::Uniform,
            ("sequential", None, _) => Sampler::Sequential,
            ("temperature", None, same @ Sampler::Temperature { .. }) => same,
            ("temperature", Some(number), before) => {
                let temperature = Given { value: number, ..given }.temperature(LEGAL);
                let temperature = temperature.map_err(|_| given.unlike(LEGAL))?;
                match before {
                    Sampler::Temperature { cap, .. } => Sampler::Temperature { temperature, cap },
                    _ => Sampler::Temperature { temperature, cap: None },
                }
            }
            _ => return Err(given.unlike(LEGAL)),
        })
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

    fn temperature(self, expected: &'static str) -> Result<f64, SetError> {
        self.number(expected, |temperature| (1.0..=1000.0).contains(&temperature))
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
mod tests;

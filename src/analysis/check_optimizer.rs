//! `optimizer adamw { .. }`: each setting in the bounds in which the update is defined.

use std::ops::Bound;

use miette::Diagnostic;
use thiserror::Error;

use super::{settings::Settings, values};
use crate::{
    diagnostics::{Diagnostics, did_you_mean},
    ir::AdamW,
    span::Span,
};

const KEYS: [&str; 5] = ["lr", "weight_decay", "beta1", "beta2", "epsilon"];

pub fn read_optimizer(settings: &Settings, sink: &mut Diagnostics) -> Option<AdamW> {
    let default = AdamW::default();
    let Some(entry) = settings.get("optimizer") else { return Some(default) };
    let word = values::word(entry, sink);
    let options = Settings::of_options("`optimizer`", entry.body.as_ref(), &KEYS, sink);
    let mut read = |key: &'static str, range: Interval, default: f64| match options.get(key) {
        Some(_) => read_setting(&options, key, range, default, sink),
        None => Some(default),
    };
    let lr = read("lr", Interval::POSITIVE, default.lr);
    let weight_decay = read("weight_decay", Interval::NOT_NEGATIVE, default.weight_decay);
    let beta1 = read("beta1", Interval::BELOW_ONE, default.beta1);
    let beta2 = read("beta2", Interval::BELOW_ONE, default.beta2);
    let epsilon = read("epsilon", Interval::POSITIVE, default.epsilon);
    let word = word?;
    if word.text != "adamw" {
        let help = did_you_mean(&word.text, &["adamw"]);
        sink.push(UnknownOptimizer { optimizer: word.text.clone(), help, span: word.span });
        return None;
    }
    Some(AdamW { lr: lr?, weight_decay: weight_decay?, beta1: beta1?, beta2: beta2?, epsilon: epsilon? })
}

/// Where a setting may lie, and how a message says so.
#[derive(Clone, Copy, Debug)]
struct Interval {
    low: Bound<f64>,
    high: Bound<f64>,
    words: &'static str,
}

impl Interval {
    const POSITIVE: Self = Self { low: Bound::Excluded(0.0), high: Bound::Unbounded, words: "above 0" };
    const NOT_NEGATIVE: Self =
        Self { low: Bound::Included(0.0), high: Bound::Unbounded, words: "0 or above" };
    const BELOW_ONE: Self =
        Self { low: Bound::Included(0.0), high: Bound::Excluded(1.0), words: "in [0, 1)" };
}

fn read_setting(
    options: &Settings,
    key: &'static str,
    range: Interval,
    default: f64,
    sink: &mut Diagnostics,
) -> Option<f64> {
    use std::ops::RangeBounds;

    let setting = options.decimal(key, sink)?;
    if (range.low, range.high).contains(&setting.value) {
        return Some(setting.value);
    }
    let default = short(default);
    sink.push(OutOfBounds { key, value: setting.value, bounds: range.words, default, span: setting.span });
    None
}

/// As an author would write it: `2e-5`, not `0.00002`.
fn short(value: f64) -> String {
    if value < 1e-3 { format!("{value:e}") } else { value.to_string() }
}

#[derive(Debug, Error, Diagnostic)]
#[error("no optimizer is called `{optimizer}`")]
#[diagnostic(code(cam::train::unknown_optimizer), help("{help}"))]
struct UnknownOptimizer {
    optimizer: String,
    help: String,
    #[label("unknown optimizer")]
    span: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("`{key} {value}` is not {bounds}")]
#[diagnostic(code(cam::train::optimizer), help("the default is `{key} {default}`"))]
struct OutOfBounds {
    key: &'static str,
    value: f64,
    bounds: &'static str,
    default: String,
    #[label("not {bounds}")]
    span: Span,
}

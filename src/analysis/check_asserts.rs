//! `assert`: a bound on what the form costs, checked when the form is known.
//!
//! Memory is the most that training needs, FLOPs are those of a training step without the sampler's scoring, both
//! over the form's own batch of the longest examples ([`ir::cost`](crate::ir::cost)). A ratio is to the plain
//! backbone, fine-tuned as a whole on the same load.

use std::collections::HashMap;

use miette::Diagnostic;
use thiserror::Error;

use super::{index_items::Items, values};
use crate::{
    diagnostics::{Diagnostics, alternatives, did_you_mean, enumerate},
    ir::{
        Batch, Component, Count, ParameterCount, Program,
        cost::{Cost, Load, fine_tuned},
    },
    span::Span,
    syntax::ast,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Quantity {
    Parameters,
    Trained,
    Memory,
    Flops,
}

const QUANTITIES: [(&str, Quantity); 4] = [
    ("parameters", Quantity::Parameters),
    ("trained", Quantity::Trained),
    ("memory", Quantity::Memory),
    ("flops", Quantity::Flops),
];

const NUMBERS: [(&str, f64); 3] = [("k", 1e3), ("M", 1e6), ("G", 1e9)];
pub const BYTES: [(&str, f64); 6] = [
    ("MiB", 1_048_576.0),
    ("GiB", 1_073_741_824.0),
    ("TiB", 1_099_511_627_776.0),
    ("MB", 1e6),
    ("GB", 1e9),
    ("TB", 1e12),
];
const FLOPS: [(&str, f64); 4] = [("M", 1e6), ("G", 1e9), ("T", 1e12), ("P", 1e15)];

impl Quantity {
    fn units(self) -> &'static [(&'static str, f64)] {
        match self {
            Self::Parameters | Self::Trained => &NUMBERS,
            Self::Memory => &BYTES,
            Self::Flops => &FLOPS,
        }
    }
}

/// An assertion whose words are legal.
#[derive(Debug)]
pub struct Assertion<'a> {
    quantity: Quantity,
    /// In numbers, bytes or FLOPs; or a multiple of the backbone's.
    bound: f64,
    is_ratio: bool,
    /// What its unit stands for.
    factor: f64,
    written: &'a ast::Assert,
}

/// Those without a mistake in their words.
pub fn read_asserts<'a>(items: &Items<'a>, sink: &mut Diagnostics) -> Vec<Assertion<'a>> {
    items.asserts.iter().filter_map(|assert| read_assert(assert, sink)).collect()
}

fn read_assert<'a>(assert: &'a ast::Assert, sink: &mut Diagnostics) -> Option<Assertion<'a>> {
    let word = &assert.quantity;
    let found = QUANTITIES.iter().find(|(name, _)| *name == word.text).map(|(_, quantity)| *quantity);
    if found.is_none() {
        let help = did_you_mean(&word.text, &QUANTITIES.map(|(name, _)| name));
        sink.push(UnknownQuantity { quantity: word.text.clone(), help, span: word.span });
    }
    if let Some(times) = assert.times.as_ref().filter(|times| times.text != "backbone") {
        sink.push(UnknownBase { base: times.text.clone(), right: multiple(assert), span: times.span });
        return None;
    }
    if let Some(times) = assert.times.as_ref().filter(|_| assert.lacks_x) {
        // A number that is none has been told already.
        if assert.bound.amount != ast::Amount::Unclear {
            sink.push(NoTimes { right: multiple(assert), span: assert.bound.span.to(times.span) });
        }
        return None;
    }
    let quantity = found?;
    if let ast::Amount::Percent(percent) = assert.bound.amount {
        let right = format!("{} x backbone", percent / 100.0);
        sink.push(Share { text: assert.bound.text.clone(), right, span: assert.bound.span });
        return None;
    }
    let bound = values::decimal_of(&word.text, &assert.bound, sink)?.value;
    let factor = match &assert.unit {
        None => 1.0,
        Some(unit) => read_unit(quantity, unit, assert, sink)?,
    };
    Some(Assertion {
        quantity,
        bound: bound * factor,
        is_ratio: assert.times.is_some(),
        factor,
        written: assert,
    })
}

fn read_unit(
    quantity: Quantity,
    unit: &ast::Word,
    assert: &ast::Assert,
    sink: &mut Diagnostics,
) -> Option<f64> {
    let legal: &[(&str, f64)] = if assert.times.is_some() { &[] } else { quantity.units() };
    if let Some((_, factor)) = legal.iter().find(|(name, _)| *name == unit.text) {
        return Some(*factor);
    }
    let names: Vec<&str> = legal.iter().map(|(name, _)| *name).collect();
    let help = match names.is_empty() {
        true => "a multiple of the backbone's has no unit: `1.2 x backbone`".to_owned(),
        false => format!(
            "units of `{}`: {}; none for single ones",
            assert.quantity.text,
            alternatives(&names, "or")
        ),
    };
    sink.push(UnknownUnit { unit: unit.text.clone(), help, span: unit.span });
    None
}

/// The assertion with its bound as a multiple of the backbone's.
fn multiple(assert: &ast::Assert) -> String {
    let number = assert.bound.text.trim_end_matches(|c: char| c.is_alphabetic());
    format!("`assert {} {} {number} x backbone`", assert.quantity.text, assert.comparison.sign())
}

/// Reports the assertions that do not hold for the program.
pub fn hold_asserts(assertions: &[Assertion], program: &Program, sink: &mut Diagnostics) {
    // Each is measured once, however many assertions are about it.
    let mut measured: HashMap<(Quantity, bool), f64> = HashMap::new();
    let mut advised = 0;
    for assertion in assertions {
        let quantity = assertion.quantity;
        let value = *measured.entry((quantity, false)).or_insert_with(|| measure(quantity, program));
        let base = match assertion.is_ratio {
            true => *measured.entry((quantity, true)).or_insert_with(|| measure_backbone(quantity, program)),
            false => 1.0,
        };
        if !assertion.written.comparison.holds(value, assertion.bound * base) {
            advised += 1;
            let help = (advised <= ADVISED).then(|| advice(assertion, program));
            sink.push(Fails::new(assertion, program, value, base, help));
        }
    }
}

/// Assertions that are told what would hold, which takes a search.
const ADVISED: usize = 4;

fn measure(quantity: Quantity, program: &Program) -> f64 {
    match quantity {
        Quantity::Parameters => ParameterCount::of(program).sum().total() as f64,
        Quantity::Trained => ParameterCount::of(program).sum().trained() as f64,
        Quantity::Memory => Cost::of(program, Load::of(program)).memory.peak() as f64,
        Quantity::Flops => Cost::of(program, Load::of(program)).flops.step.total() as f64,
    }
}

fn measure_backbone(quantity: Quantity, program: &Program) -> f64 {
    match quantity {
        Quantity::Parameters | Quantity::Trained => ParameterCount::of(program).backbone as f64,
        Quantity::Memory | Quantity::Flops => measure(quantity, &fine_tuned(program)),
    }
}

/// What to do about a bound that is passed: which modules weigh, or which batch would hold.
fn advice(assertion: &Assertion, program: &Program) -> String {
    let is_upper = matches!(assertion.written.comparison, ast::Comparison::AtMost | ast::Comparison::Below);
    match assertion.quantity {
        _ if !is_upper => "a larger network, or a lower bound".to_owned(),
        Quantity::Parameters => heaviest(program, Count::total),
        Quantity::Trained => heaviest(program, Count::trained),
        Quantity::Memory | Quantity::Flops => match fitting_batch(assertion, program) {
            Some(batch) => format!("`batch {batch}` would hold"),
            None => "no batch is small enough: freeze more, or shorten the sequence".to_owned(),
        },
    }
}

fn heaviest(program: &Program, of: impl Fn(Count) -> usize) -> String {
    let count = ParameterCount::of(program);
    let mut parts: Vec<(usize, Component)> =
        Component::ALL.iter().map(|&component| (of(count.component(component)), component)).collect();
    parts.sort_by_key(|(n, _)| std::cmp::Reverse(*n));
    let parts: Vec<String> = parts
        .iter()
        .take(3)
        .filter(|(n, _)| *n > 0)
        .map(|(n, component)| format!("{component} ({})", short(*n as f64, "")))
        .collect();
    format!("the heaviest parts: {}", enumerate(&parts, "and"))
}

/// A smaller batch for which the bound holds, the largest where what is bounded grows with the batch.
fn fitting_batch(assertion: &Assertion, program: &Program) -> Option<Batch> {
    let of: fn(usize) -> Batch = match program.training.batch {
        Batch::Examples(_) => Batch::Examples,
        Batch::Tokens(_) => Batch::Tokens,
    };
    let (least, own) = match program.training.batch {
        Batch::Examples(count) => (1, count),
        Batch::Tokens(count) => (program.sequence, count),
    };
    let holds = |batch: usize| {
        let smaller = program.with_batch(of(batch));
        let base = if assertion.is_ratio { measure_backbone(assertion.quantity, &smaller) } else { 1.0 };
        assertion.written.comparison.holds(measure(assertion.quantity, &smaller), assertion.bound * base)
    };
    let (mut good, mut bad) = (least - 1, own);
    while bad - good > 1 {
        let middle = good + (bad - good) / 2;
        if holds(middle) { good = middle } else { bad = middle }
    }
    (good >= least).then_some(of(good))
}

/// With as many digits as tell it from the bound.
fn apart(value: f64, bound: f64) -> String {
    let digits = (2..9).find(|&digits| format!("{value:.digits$}") != format!("{bound:.digits$}"));
    let digits = digits.unwrap_or(9);
    format!("{value:.digits$}")
}

/// "129.7 M", "1.20 G".
fn short(value: f64, unit: &str) -> String {
    let (scaled, prefix) = match value.abs() {
        1e12.. => (value / 1e12, " T"),
        1e9.. => (value / 1e9, " G"),
        1e6.. => (value / 1e6, " M"),
        1e3.. => (value / 1e3, " k"),
        _ => return format!("{value}{}{unit}", if unit.is_empty() { "" } else { " " }),
    };
    format!("{scaled:.1}{prefix}{unit}")
}

#[derive(Debug, Error, Diagnostic)]
#[error("{text} does not hold: {found}")]
#[diagnostic(code(cam::assert::fails))]
struct Fails {
    text: String,
    found: String,
    #[help]
    help: Option<String>,
    #[label("does not hold")]
    span: Span,
}

impl Fails {
    fn new(assertion: &Assertion, program: &Program, value: f64, base: f64, help: Option<String>) -> Self {
        let Assertion { quantity, bound, is_ratio, factor, written } = assertion;
        let unit = match quantity {
            Quantity::Parameters | Quantity::Trained => "",
            Quantity::Memory => "B",
            Quantity::Flops => "FLOP",
        };
        let name = program.full_name();
        let found = match is_ratio {
            true => format!(
                "`{name}` has {}, {} x the backbone's {}",
                short(value, unit),
                apart(value / base, *bound),
                short(base, unit)
            ),
            false => match &written.unit {
                Some(unit) if value >= *factor => {
                    format!("`{name}` has {} {}", apart(value / factor, bound / factor), unit.text)
                }
                _ => format!("`{name}` has {}", short(value, unit)),
            },
        };
        let words = match is_ratio {
            true => format!("{} x backbone", written.bound.text),
            false => match &written.unit {
                Some(unit) => format!("{} {}", written.bound.text, unit.text),
                None => written.bound.text.clone(),
            },
        };
        Self {
            text: format!("`{} {} {words}`", written.quantity.text, written.comparison.sign()),
            found,
            help,
            span: written.span,
        }
    }
}

#[derive(Debug, Error, Diagnostic)]
#[error("nothing of a model is called `{quantity}` that could be asserted")]
#[diagnostic(code(cam::assert::quantity), help("{help}"))]
struct UnknownQuantity {
    quantity: String,
    help: String,
    #[label("unknown quantity")]
    span: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("`{unit}` is no unit here")]
#[diagnostic(code(cam::assert::unit), help("{help}"))]
struct UnknownUnit {
    unit: String,
    help: String,
    #[label("unknown unit")]
    span: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("a bound is a multiple of the backbone's cost, not of `{base}`")]
#[diagnostic(code(cam::assert::base), help("{right}"))]
struct UnknownBase {
    base: String,
    right: String,
    #[label("expected `backbone`")]
    span: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("a multiple of the backbone's cost is written with an `x`")]
#[diagnostic(code(cam::assert::times), help("{right}"))]
struct NoTimes {
    right: String,
    #[label("no `x` between them")]
    span: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("`{text}` is a share, and of what is not said")]
#[diagnostic(code(cam::assert::share), help("a share of the backbone's is `{right}`"))]
struct Share {
    text: String,
    right: String,
    #[label("of what?")]
    span: Span,
}

//! The largest difference of every tensor, and whether it is within a tolerance.

use serde_json::{Value, json};

use super::golden::{Golden, Inputs};
use super::results::{Layout, Results};
use crate::authors::Tensor;

/// What sort of number a tensor holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    Activation,
    Logits,
    Entropy,
    Loss,
    Gradient,
}

impl Sort {
    fn of(name: &str) -> Self {
        match name.split(['.', '_']).next() {
            Some("logits") => Self::Logits,
            Some("entropy") => Self::Entropy,
            Some("loss") => Self::Loss,
            _ => Self::Activation,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Activation => "activation",
            Self::Logits => "logits",
            Self::Entropy => "entropy",
            Self::Loss => "loss",
            Self::Gradient => "gradient",
        }
    }
}

/// What was found about a tensor.
#[derive(Clone, Debug, PartialEq)]
pub enum Finding {
    /// The largest difference over the golden's largest value; NaN where the one is a number and the other is not.
    Relative(f64),
    /// The largest difference, where the golden's values are zero but for rounding.
    Absolute(f64),
    /// Nothing was compared, and that is no fault: why.
    Skipped(&'static str),
    /// Nothing could be compared, and that is one.
    Failed(String),
}

impl Finding {
    pub fn passes(&self, tolerance: f64) -> bool {
        match self {
            Self::Relative(difference) | Self::Absolute(difference) => *difference <= tolerance,
            Self::Skipped(_) => true,
            Self::Failed(_) => false,
        }
    }
}

/// One tensor of the golden, or one that it lacks.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub sort: Sort,
    pub name: String,
    pub finding: Finding,
}

/// Every tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    pub rows: Vec<Row>,
}

impl Comparison {
    /// How many rows are not within the tolerance.
    pub fn failures(&self, tolerance: f64) -> usize {
        self.rows.iter().filter(|row| !row.finding.passes(tolerance)).count()
    }

    /// A line a tensor, and one about all.
    pub fn table(&self, tolerance: f64) -> String {
        let width = self.rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
        let mut text = format!("{:10}  {:width$}  largest difference\n", "", "tensor");
        for Row { sort, name, finding } in &self.rows {
            let found = match finding {
                Finding::Relative(difference) => format!("{difference:.1e}"),
                Finding::Absolute(difference) => format!("{difference:.1e} absolute"),
                Finding::Skipped(why) => (*why).to_owned(),
                Finding::Failed(why) => why.clone(),
            };
            let mark = if finding.passes(tolerance) { "" } else { "  <-- exceeds the tolerance" };
            text.push_str(&format!("{:10}  {name:width$}  {found}{mark}\n", sort.name()));
        }
        let (all, failures) = (self.rows.len(), self.failures(tolerance));
        text.push_str(&format!("\n{} of {all} within {tolerance:e}\n", all - failures));
        text
    }

    pub fn to_json(&self, tolerance: f64) -> Value {
        let row = |Row { sort, name, finding }: &Row| {
            let passed = finding.passes(tolerance);
            let mut row = json!({ "sort": sort.name(), "name": name, "passed": passed });
            let (key, value) = match finding {
                Finding::Relative(difference) => ("relative", json!(difference)),
                Finding::Absolute(difference) => ("absolute", json!(difference)),
                Finding::Skipped(why) => ("skipped", json!(why)),
                Finding::Failed(why) => ("failed", json!(why)),
            };
            row[key] = value;
            row
        };
        let rows: Vec<Value> = self.rows.iter().map(row).collect();
        json!({ "tolerance": tolerance, "passed": self.failures(tolerance) == 0, "tensors": rows })
    }
}

/// Holds every tensor of the golden against the results.
pub fn hold(results: &Results, golden: &Golden, inputs: &Inputs) -> Comparison {
    let mut rows = Vec::new();
    for (name, tensor) in golden.activations.iter() {
        let finding = match results.found.get(name) {
            None => Finding::Failed("the model has no such result".to_owned()),
            Some((Layout::Same, found)) => relative(found, &tensor.values),
            Some((Layout::Tokens, found)) => relative(found, &without_padding(tensor, inputs)),
        };
        rows.push(Row { sort: Sort::of(name), name: name.to_owned(), finding });
    }
    for (name, found) in &results.gradients {
        let finding = match (found, golden.gradients.get(name)) {
            (None, _) => Finding::Skipped("frozen in the model"),
            // analytically zero: softmax does not see what is added to all its arguments
            (Some(found), Some(tensor)) if name.ends_with(".key.bias") => absolute(found, &tensor.values),
            (Some(found), Some(tensor)) => relative(found, &tensor.values),
            // a head without an example
            (Some(found), None) => absolute(found, &vec![0.0; found.len()]),
        };
        rows.push(Row { sort: Sort::Gradient, name: name.clone(), finding });
    }
    for name in golden.gradients.names().filter(|name| !results.gradients.contains_key(*name)) {
        let finding = Finding::Failed("the model has no such parameter".to_owned());
        rows.push(Row { sort: Sort::Gradient, name: name.to_owned(), finding });
    }
    Comparison { rows }
}

/// The rows of `[examples, length, width]` that are no padding.
fn without_padding(tensor: &Tensor, inputs: &Inputs) -> Vec<f32> {
    let Some(width) = tensor.dims.last() else { return Vec::new() };
    let example = tensor.values.chunks(inputs.length * width);
    example
        .zip(inputs.lengths())
        .flat_map(|(rows, length)| rows.iter().take(length * width))
        .copied()
        .collect()
}

fn relative(found: &[f64], golden: &[f32]) -> Finding {
    let largest = golden.iter().fold(0.0f64, |largest, value| largest.max(f64::from(value.abs())));
    match absolute(found, golden) {
        Finding::Absolute(difference) if largest > 0.0 => Finding::Relative(difference / largest),
        other => other,
    }
}

fn absolute(found: &[f64], golden: &[f32]) -> Finding {
    if found.len() != golden.len() {
        return Finding::Failed(format!("{} numbers in the golden, {} here", golden.len(), found.len()));
    }
    let differences = found.iter().zip(golden).map(|(found, golden)| (found - f64::from(*golden)).abs());
    // `max` would hide a NaN
    let largest = differences.fold(0.0f64, |largest, difference| {
        if difference.is_nan() || largest.is_nan() { f64::NAN } else { largest.max(difference) }
    });
    Finding::Absolute(largest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_over_the_largest_value() {
        assert_eq!(relative(&[1.0, 2.5], &[1.0, 2.0]), Finding::Relative(0.25));
        assert_eq!(relative(&[0.5], &[0.0]), Finding::Absolute(0.5));
        assert!(matches!(relative(&[1.0], &[1.0, 2.0]), Finding::Failed(_)));
    }

    #[test]
    fn what_is_no_number_never_passes() {
        let Finding::Relative(difference) = relative(&[f64::NAN, 1.0], &[1.0, 1.0]) else { panic!() };
        assert!(difference.is_nan());
        assert!(!Finding::Relative(difference).passes(1.0));
    }

    #[test]
    fn a_failure_is_counted_and_marked() {
        let row = |finding| Row { sort: Sort::Gradient, name: "w".to_owned(), finding };
        let rows =
            vec![row(Finding::Relative(1e-6)), row(Finding::Relative(1e-4)), row(Finding::Skipped("so"))];
        let comparison = Comparison { rows };
        assert_eq!(comparison.failures(1e-5), 1);
        assert_eq!(comparison.table(1e-5).matches("<--").count(), 1);
        assert_eq!(comparison.to_json(1e-5)["passed"], false);
    }
}

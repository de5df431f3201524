//! `batch`: so many examples a step, or as many as have so many tokens together.

use miette::Diagnostic;
use thiserror::Error;

use super::{settings::Settings, values};
use crate::{
    diagnostics::Diagnostics,
    ir::Batch,
    span::{Span, Spanned},
    syntax::ast::Value,
};

const EXAMPLES: usize = 1_000_000;
const TOKENS: usize = 100_000_000;
const DEFAULT: Batch = Batch::Examples(32);

/// The batch in effect.
#[derive(Clone, Copy, Debug)]
pub struct Chosen {
    pub batch: Batch,
    /// Where it is written; `None` by default.
    pub span: Option<Span>,
}

/// `batch 32` or `batch 4096 tokens`.
pub fn read_batch(
    settings: &Settings,
    sequence: Option<Spanned<usize>>,
    sink: &mut Diagnostics,
) -> Option<Chosen> {
    let Some(entry) = settings.plain("batch", sink) else {
        return settings.lacks("batch").then_some(Chosen { batch: DEFAULT, span: None });
    };
    let batch = match entry.values.as_slice() {
        [Value::Number(count)] => Batch::Examples(values::size_of("batch", count, EXAMPLES, sink)?.value),
        [Value::Number(count), Value::Word(unit)] if unit.text == "tokens" => {
            let budget = values::size_of("batch", count, TOKENS, sink)?;
            check_budget(budget.value, entry.span, sequence?, sink)?;
            Batch::Tokens(budget.value)
        }
        _ => {
            let takes = "a number of examples or of tokens";
            return values::report(entry, takes, "`batch 32` or `batch 4096 tokens`", sink);
        }
    };
    Some(Chosen { batch, span: Some(entry.span) })
}

/// Every example has to fit.
fn check_budget(budget: usize, span: Span, sequence: Spanned<usize>, sink: &mut Diagnostics) -> Option<()> {
    if budget >= sequence.value {
        return Some(());
    }
    sink.push(SmallBudget { budget, length: sequence.value, batch: span, sequence: sequence.span });
    None
}

#[derive(Debug, Error, Diagnostic)]
#[error("a batch of {budget} tokens has no room for an example of {length}")]
#[diagnostic(
    code(cam::train::budget),
    help("nearest legal: `batch {length} tokens`; `batch {budget}` alone would be examples")
)]
struct SmallBudget {
    budget: usize,
    length: usize,
    #[label(primary, "too few")]
    batch: Span,
    #[label("the longest examples")]
    sequence: Span,
}

//! The objective: the sum over the tasks of their losses.
//!
//! A task's loss is a sum over its examples in the batch, of which each counts as [`objective`] says. Of an example:
//!
//! | kind | loss |
//! |---|---|
//! | classify | cross-entropy of the label |
//! | regress | squared error, on targets scaled to 0 .. 1, or not (`Kind::to_unit`) |
//! | tag | mean over the words of the cross-entropy of their tags |
//! | span | mean of the cross-entropies of start and end, over `[CLS]` and the context's tokens |
//! | choose | cross-entropy of the right choice, over the choices |

use dfdx::prelude::{Const, HasShape, Rank0, ReshapeTo, SumTo, Tensor};

use super::network::HeadLogits;
use super::plan::Fidelity;
use crate::data::Goal;
use crate::kernels::{Kernels, Later, Tokens, Training};
use crate::nn::Logits;

/// A loss on the tape.
pub type Loss<D> = Tensor<Rank0, f32, D>;

/// The objective over a batch, and the mean loss of each task that is in it, without its weight.
///
/// In the paper an example counts as much as any other, which makes it the mean over the batch; in the authors' code
/// a task does: the mean over the tasks in the batch of their examples' mean.
///
/// # Panics
/// On an empty batch, and as [`loss`].
pub fn objective<D: Kernels>(
    heads: Vec<HeadLogits<D>>,
    weights: &[f64], // of the tasks
    goals: &[Goal<'_>],
    fidelity: Fidelity,
    pass: &mut Training<D>,
) -> (Loss<D>, Vec<Option<f64>>) {
    let present = heads.len();
    let (mut divisors, mut values) = (Vec::new(), Vec::new());
    let mut total: Option<Loss<D>> = None;
    for HeadLogits { head, examples, rows, logits } in heads {
        let own: Vec<Goal<'_>> = examples.iter().map(|&example| goals[example]).collect();
        let scale = match fidelity {
            Fidelity::Paper => 1.0 / goals.len() as f32,
            Fidelity::Reference => 1.0 / (present * own.len()) as f32,
        };
        let loss = loss(&logits, &rows, &own, scale, pass);
        divisors.push((head, f64::from(scale) * own.len() as f64));
        values.push(Later::OnDevice(loss.clone()));
        let weight = weights[head] as f32;
        let loss = if weight == 1.0 { loss } else { pass.record(&loss, |loss| loss * weight) };
        total = Some(match total {
            None => loss,
            Some(total) => pass.record(&total, |total| total + loss),
        });
    }
    let mut task_losses = vec![None; weights.len()];
    for ((head, divisor), value) in divisors.into_iter().zip(Later::all(values)) {
        task_losses[head] = Some(value / divisor);
    }
    (total.expect("a batch is not empty"), task_losses)
}

/// `scale` times the sum of the losses of one head's examples. Example `i` has `rows[i]` rows of logits, in order.
///
/// # Panics
/// On goals that are missing or of two kinds: training data is read with its labels, under the task's kind.
pub fn loss<D: Kernels>(
    logits: &Logits<D>, // [rows, outputs]
    rows: &[usize],
    goals: &[Goal<'_>],
    scale: f32,
    pass: &mut Training<D>,
) -> Loss<D> {
    assert_eq!(rows.len(), goals.len(), "a goal an example");
    let (_, outputs) = *logits.shape();
    match goals.first() {
        Some(Goal::Value(_)) => squared_error(logits, goals, scale, pass),
        // a label is one of two at least, a choice has one score
        Some(Goal::Class(_)) if outputs == 1 => over_rows(logits, &choices(rows, goals, scale), pass),
        Some(Goal::Span { .. }) => over_rows(logits, &ends(rows, goals, scale), pass),
        _ => over_outputs(logits, &labels(rows, goals, scale), pass),
    }
}

fn squared_error<D: Kernels>(
    logits: &Logits<D>, // [examples, 1]
    goals: &[Goal<'_>],
    scale: f32,
    pass: &mut Training<D>,
) -> Loss<D> {
    let values = goals.iter().map(|goal| match goal {
        Goal::Value(value) => *value,
        other => unreachable!("{other:?} among values"),
    });
    let values = pass.device.tensor_from_vec(values.collect(), *logits.shape());
    pass.record(logits, |y| (y - values).square().sum::<Rank0, _>() * scale)
}

/// The label of a row, and how much its cross-entropy counts.
struct Label {
    row: usize,
    label: u32,
    weight: f32,
}

/// Labels of examples, or of the words of examples.
fn labels(rows: &[usize], goals: &[Goal<'_>], scale: f32) -> Vec<Label> {
    let mut labels = Vec::new();
    let mut first = 0;
    for (&rows, goal) in rows.iter().zip(goals) {
        match goal {
            Goal::Class(label) => labels.push(Label { row: first, label: *label, weight: scale }),
            // words that were cut have no row
            Goal::Tags(tags) => labels.extend(tags[..rows].iter().enumerate().map(|(word, tag)| Label {
                row: first + word,
                label: *tag,
                weight: scale / rows as f32,
            })),
            other => unreachable!("{other:?} among labels"),
        }
        first += rows;
    }
    labels
}

/// The sum of weighted cross-entropies, each over the outputs of a row.
fn over_outputs<D: Kernels>(logits: &Logits<D>, labels: &[Label], pass: &mut Training<D>) -> Loss<D> {
    let shape = *logits.shape();
    // - weight in the column of the label, 0 elsewhere
    let mut weights = vec![0.0; shape.0 * shape.1];
    for Label { row, label, weight } in labels {
        weights[row * shape.1 + *label as usize] = -weight;
    }
    D::log_likelihood(pass, logits, weights)
}

/// Numbers among the logits that one softmax goes over, and the right one.
struct Contest {
    /// Indices into the logits, row by row.
    members: Vec<usize>,
    right: usize,
    weight: f32,
}

/// The scores of the choices of each example.
fn choices(rows: &[usize], goals: &[Goal<'_>], scale: f32) -> Vec<Contest> {
    let mut first = 0;
    let contest = |(&rows, goal): (&usize, &Goal<'_>)| match goal {
        Goal::Class(right) => {
            let members = (first..first + rows).collect();
            first += rows;
            Contest { members, right: *right as usize, weight: scale }
        }
        other => unreachable!("{other:?} among choices"),
    };
    rows.iter().zip(goals).map(contest).collect()
}

/// The scores of start and end over the marks of each window.
fn ends(rows: &[usize], goals: &[Goal<'_>], scale: f32) -> Vec<Contest> {
    let mut contests = Vec::with_capacity(2 * goals.len());
    let mut first = 0;
    for (&rows, goal) in rows.iter().zip(goals) {
        let Goal::Span { start, end } = goal else { unreachable!("{goal:?} among spans") };
        for (column, right) in [start, end].into_iter().enumerate() {
            let members = (first..first + rows).map(|row| 2 * row + column).collect();
            contests.push(Contest { members, right: *right as usize, weight: scale / 2.0 });
        }
        first += rows;
    }
    contests
}

/// Far below every logit, and finite: softmax makes it 0, and 0 times its logarithm is 0.
const ABSENT: f32 = -1e30;

/// The sum of weighted cross-entropies, each over members of several rows.
fn over_rows<D: Kernels>(logits: &Logits<D>, contests: &[Contest], pass: &mut Training<D>) -> Loss<D> {
    let count = logits.shape().0 * logits.shape().1;
    let longest = contests.iter().map(|contest| contest.members.len()).max().unwrap_or(0);
    let shape = (contests.len(), longest);
    let (mut members, mut mask, mut weights) = (Vec::new(), Vec::new(), vec![0.0; shape.0 * shape.1]);
    for (at, contest) in contests.iter().enumerate() {
        let absent = longest - contest.members.len();
        members.extend(contest.members.iter().copied().chain(std::iter::repeat_n(0, absent)));
        mask.extend(std::iter::repeat_n(0.0, longest - absent));
        mask.extend(std::iter::repeat_n(ABSENT, absent));
        weights[at * longest + contest.right] = -contest.weight;
    }
    let mask = pass.device.tensor_from_vec(mask, shape);
    let flat: Tokens<1, D> = pass.record(logits, |x| x.reshape_like(&(count, Const::<1>)));
    let chosen = D::select(pass, &flat, &members); // [contests * longest, 1]
    let scores = pass.record(&chosen, |x| x.reshape_like(&shape) + mask); // [contests, longest]
    D::log_likelihood(pass, &scores, weights)
}

#[cfg(test)]
mod tests;

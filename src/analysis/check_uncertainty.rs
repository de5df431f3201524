//! `uncertainty`: what MT-Uncertainty takes for H of each task. Needs all tasks and the sampler, so it runs
//! after both.

use miette::Diagnostic;
use thiserror::Error;

use super::{check_tasks, check_training, values};
use crate::{
    diagnostics::{Diagnostics, alternatives, did_you_mean},
    ir::{Sampler, Uncertainty},
    span::Span,
    syntax::ast::{Entry, Value, Word},
};

/// One a task, in their order; `None` where a mistake was reported. `block`: where tasks are listed first;
/// `may_be_unused`: no other form of the model asks for what this one does not.
pub fn check_uncertainty(
    tasks: &[check_tasks::Checked],
    block: Option<Span>,
    training: &check_training::Checked,
    may_be_unused: bool,
    sink: &mut Diagnostics,
) -> Vec<Option<Uncertainty>> {
    let scores = matches!(training.sampler, Some(Sampler::MtUncertainty { .. }));
    let nothing_to_score = scores && !tasks.is_empty() && tasks.iter().all(|task| !task.has_distribution);
    if nothing_to_score {
        sink.push(NoDistribution { sampler: training.sampler_span, tasks: block });
    }
    if let (Some(_), Some(sampler)) = (training.sampler, training.sampler_span)
        && !scores
        && may_be_unused
    {
        for entry in tasks.iter().filter_map(|task| task.uncertainty) {
            sink.push(Unused { span: entry.span, sampler });
        }
    }
    tasks
        .iter()
        .enumerate()
        .map(|(index, task)| match task.uncertainty {
            Some(entry) => read_uncertainty(entry, index, tasks, sink),
            None if task.has_distribution => Some(Uncertainty::Entropy),
            // Without MT-Uncertainty nobody asks, and one mistake of the whole file stands for all its tasks.
            None if !scores || nothing_to_score => Some(Uncertainty::Entropy),
            None => {
                sink.push(Missing {
                    task: task.name.text.clone(),
                    donors: donors(tasks),
                    name: task.name.span,
                    sampler: training.sampler_span,
                });
                None
            }
        })
        .collect()
}

/// `entropy`, or `as mrpc`.
fn read_uncertainty(
    entry: &Entry,
    index: usize,
    tasks: &[check_tasks::Checked],
    sink: &mut Diagnostics,
) -> Option<Uncertainty> {
    match entry.values.as_slice() {
        [Value::Word(word)] if word.text == "entropy" => {
            if tasks[index].has_distribution {
                return Some(Uncertainty::Entropy);
            }
            let task = tasks[index].name.text.clone();
            sink.push(OwnEntropy { task, donors: donors(tasks), span: entry.span });
            None
        }
        [Value::Word(marker), Value::Word(donor)] if marker.text == "as" => {
            read_donor(donor, index, tasks, sink).map(Uncertainty::As)
        }
        [Value::Word(word)] => {
            let uncertainty = word.text.clone();
            sink.push(Unknown { uncertainty, span: word.span });
            None
        }
        _ => values::report(entry, "a word", "`uncertainty entropy` or `uncertainty as TASK`", sink),
    }
}

fn read_donor(
    donor: &Word,
    index: usize,
    tasks: &[check_tasks::Checked],
    sink: &mut Diagnostics,
) -> Option<usize> {
    let Some(found) = tasks.iter().position(|task| task.name.text == donor.text) else {
        let can_lend = |(at, task): &(usize, &check_tasks::Checked)| *at != index && task.has_distribution;
        let donors = tasks.iter().enumerate().filter(can_lend);
        let names: Vec<&str> = donors.map(|(_, task)| task.name.text.as_str()).collect();
        let help = did_you_mean(&donor.text, &names);
        sink.push(UnknownTask { task: donor.text.clone(), help, span: donor.span });
        return None;
    };
    if found == index {
        sink.push(Itself { task: donor.text.clone(), donors: donors(tasks), span: donor.span });
        return None;
    }
    if !tasks[found].has_distribution {
        sink.push(Donor {
            donor: donor.text.clone(),
            donors: donors(tasks),
            span: donor.span,
            name: tasks[found].name.span,
        });
        return None;
    }
    Some(found)
}

/// The tasks that can lend their entropy, as a help shows them.
fn donors(tasks: &[check_tasks::Checked]) -> String {
    let names: Vec<&str> =
        tasks.iter().filter(|task| task.has_distribution).map(|task| task.name.text.as_str()).collect();
    if names.is_empty() { "none of this file".to_owned() } else { alternatives(&names, "or") }
}

#[derive(Debug, Error, Diagnostic)]
#[error("`mt_uncertainty` scores examples by entropy, and no task predicts a distribution")]
#[diagnostic(
    code(cam::sampler::no_distribution),
    help(
        "`sampler proportional` needs none; `mt_uncertainty` needs a task that predicts labels, words, answers or choices"
    )
)]
struct NoDistribution {
    #[label("this sampler")]
    sampler: Option<Span>,
    #[label("all tasks regress")]
    tasks: Option<Span>,
}

#[derive(Debug, Error, Diagnostic)]
#[error("task `{task}` predicts no distribution and does not say what its uncertainty is")]
#[diagnostic(
    code(cam::uncertainty::missing),
    help(
        "`uncertainty as TASK` takes over the scores of another: {donors}; `sampler proportional` needs none"
    )
)]
struct Missing {
    task: String,
    donors: String,
    #[label(primary, "has no entropy")]
    name: Span,
    #[label("scores by entropy")]
    sampler: Option<Span>,
}

#[derive(Debug, Error, Diagnostic)]
#[error("`uncertainty` has no effect: the sampler scores no examples")]
#[diagnostic(
    code(cam::uncertainty::unused),
    severity(Warning),
    help("`sampler mt_uncertainty` scores them; without it the entry can go")
)]
struct Unused {
    #[label(primary, "no effect")]
    span: Span,
    #[label("scores nothing")]
    sampler: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("no uncertainty is called `{uncertainty}`")]
#[diagnostic(code(cam::uncertainty::unknown), help("legal here: `entropy`, or `as TASK`"))]
struct Unknown {
    uncertainty: String,
    #[label("unknown uncertainty")]
    span: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("task `{task}` predicts no distribution, so it has no entropy")]
#[diagnostic(
    code(cam::uncertainty::no_entropy),
    help("`uncertainty as TASK` takes another task's: {donors}")
)]
struct OwnEntropy {
    task: String,
    donors: String,
    #[label("of which distribution?")]
    span: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("no task is named `{task}`")]
#[diagnostic(code(cam::uncertainty::unknown_task), help("{help}"))]
struct UnknownTask {
    task: String,
    help: String,
    #[label("unknown task")]
    span: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("task `{task}` takes its uncertainty from itself")]
#[diagnostic(code(cam::uncertainty::itself), help("tasks that can lend theirs: {donors}"))]
struct Itself {
    task: String,
    donors: String,
    #[label("the same task")]
    span: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("task `{donor}` predicts no distribution, so it has no uncertainty to lend")]
#[diagnostic(code(cam::uncertainty::donor), help("tasks that can lend theirs: {donors}"))]
struct Donor {
    donor: String,
    donors: String,
    #[label(primary, "has no entropy")]
    span: Span,
    #[label("this task regresses")]
    name: Span,
}

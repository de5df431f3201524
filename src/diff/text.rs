//! The report for a terminal: what the models say, what they cost, and what a checkpoint is worth.

use super::{Change, Diff, Figure, FitGroup, Section, Status, Unit};
use crate::figures::{giga, mebi, thousands};

pub fn render(diff: &Diff) -> String {
    if diff.is_empty() {
        return "no difference\n".to_owned();
    }
    let mut blocks = vec![format!("{} -> {}", diff.from, diff.to)];
    blocks.extend(Section::ALL.into_iter().filter_map(|section| changes(diff, section)));
    blocks.push(figures(diff));
    blocks.push(checkpoint(diff));
    format!("{}\n", blocks.join("\n\n"))
}

/// "  hidden        768 -> 384"; "+ wnut  .." and "- cola  .." for what only one of them has.
fn changes(diff: &Diff, section: Section) -> Option<String> {
    let changes: Vec<&Change> = diff.changes.iter().filter(|change| change.section == section).collect();
    let name = |change: &Change| match change.fact {
        Some(fact) => format!("{} {fact}", change.what),
        None => change.what.clone(),
    };
    let width = changes.iter().map(|change| name(change).chars().count()).max()?;
    let line = |change: &&Change| {
        let (mark, value) = match (&change.from, &change.to) {
            (Some(from), Some(to)) => (' ', format!("{from} -> {to}")),
            (Some(from), None) => ('-', from.clone()),
            (None, to) => ('+', to.clone().unwrap_or_default()),
        };
        format!("{mark} {:<width$}  {value}", name(change))
    };
    let lines: Vec<String> = changes.iter().map(line).collect();
    Some(format!("{}\n{}", section.label(), lines.join("\n")))
}

fn figures(diff: &Diff) -> String {
    let [from, to] = diff.loads;
    let steps = match from == to {
        true => format!("in a step of {from}"),
        false => format!("in a step of {from} -> {to}"),
    };
    let differing: Vec<&Figure> = diff.figures.iter().filter(|figure| figure.from != figure.to).collect();
    if differing.is_empty() {
        return "parameters, operations and memory are the same".to_owned();
    }
    let lines: Vec<String> = differing.into_iter().map(figure).collect();
    format!("cost, {steps}\n{}", lines.join("\n"))
}

fn figure(figure: &Figure) -> String {
    let Figure { what, unit, from, to } = *figure;
    let (unit, show): (_, fn(u64) -> String) = match unit {
        Unit::Parameters => ("", thousands),
        Unit::Flop => (" GFLOP", giga),
        Unit::Bytes => (" MiB", mebi),
    };
    let sign = if to > from { '+' } else { '-' };
    let difference = to.abs_diff(from);
    let share = match from {
        0 => String::new(),
        from => format!(" ({:.2} x)", to as f64 / from as f64),
    };
    let name = format!("{what}{unit}");
    format!("  {name:<16}{:>14} -> {:>14}  {sign}{}{share}", show(from), show(to), show(difference))
}

fn checkpoint(diff: &Diff) -> String {
    let fit = &diff.checkpoint;
    let mut lines = if fit.is_whole() {
        let (tensors, parameters) = fit.sum(Status::Fits);
        vec![format!(
            "the tensors of a checkpoint of {} fit {} by name and shape: all {tensors} tensors, {} parameters",
            diff.from,
            diff.to,
            thousands(parameters as u64)
        )]
    } else {
        let heading = format!("a checkpoint of {} in {}", diff.from, diff.to);
        let statuses = Status::ALL.into_iter().flat_map(|status| of_status(diff, status));
        [heading].into_iter().chain(statuses).collect()
    };
    lines.extend(fit.notes.iter().map(|note| format!("note: {note}")));
    lines.join("\n")
}

/// A line for all of them, and one for each component.
fn of_status(diff: &Diff, status: Status) -> Vec<String> {
    let (tensors, parameters) = diff.checkpoint.sum(status);
    if tensors == 0 {
        return Vec::new();
    }
    let name = match status {
        Status::Fits => "fit".to_owned(),
        Status::OtherShape => "have another shape".to_owned(),
        Status::OnlyFrom => format!("only in {}", diff.from),
        Status::OnlyTo => format!("only in {}", diff.to),
    };
    let groups = diff.checkpoint.groups.iter().filter(|group| group.status == status);
    [row(&format!("  {name}"), tensors, parameters, "")]
        .into_iter()
        .chain(groups.map(|group| {
            let about = [place(group), example(group)].join("");
            row(&format!("    {}", group.component), group.tensors, group.parameters, &about)
        }))
        .collect()
}

fn row(name: &str, tensors: usize, parameters: usize, about: &str) -> String {
    let tensors = format!("{tensors} tensor{}", if tensors == 1 { "" } else { "s" });
    let line = format!("{name:<32}{tensors:>12}{:>16}  {about}", thousands(parameters as u64));
    line.trim_end().to_owned()
}

fn place(group: &FitGroup) -> String {
    group.place.clone().unwrap_or_default()
}

/// The shapes of the first tensor, where they are what differs.
fn example(group: &FitGroup) -> String {
    match (group.status, &group.example.from, &group.example.to) {
        (Status::OtherShape, Some(from), Some(to)) => {
            let space = if group.place.is_some() { "  " } else { "" };
            format!("{space}such as {} {from:?} -> {to:?}", group.example.name)
        }
        _ => String::new(),
    }
}

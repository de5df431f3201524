//! Tables for a terminal: parameters, the cost of a step, and what sharing saves.

use super::Stats;
use crate::figures::{giga, mebi, thousands};
use crate::ir::Count;
use crate::ir::cost::ByComponent;

pub fn render(stats: &Stats) -> String {
    let [head, parameters, cost, sharing] =
        [heading(stats), parameters(stats), cost(stats), sharing(stats)].map(|lines| lines.join("\n"));
    format!("{head}\n\n{parameters}\n\n{cost}\n\n{sharing}\n")
}

fn heading(stats: &Stats) -> Vec<String> {
    let (total, trained) = (stats.parameters.total(), stats.parameters.trained());
    let share = 100.0 * trained as f64 / total as f64;
    vec![format!(
        "{}: {} parameters, {:.2} x the backbone's {}; {} are trained ({share:.1}%)",
        stats.name,
        thousands(total as u64),
        stats.cost.parameters.ratio(),
        thousands(stats.cost.parameters.backbone as u64),
        thousands(trained as u64),
    )]
}

fn parameters(stats: &Stats) -> Vec<String> {
    let line = |name: &str, cells: [String; 4]| {
        let cells: String = cells.iter().map(|cell| format!("{cell:>14}")).collect();
        format!("{name:<24}{cells}")
    };
    let of = |name: &str, Count { frozen, loaded, new }: Count| {
        line(name, [frozen, loaded, new, frozen + loaded + new].map(|n| thousands(n as u64)))
    };
    let mut lines = vec![line("component", ["frozen", "loaded", "new", "total"].map(str::to_owned))];
    lines.extend(stats.components.iter().map(|(component, count)| of(&component.to_string(), *count)));
    lines.push(of("total", stats.parameters));
    lines.extend([
        String::new(),
        "frozen: from the checkpoint; loaded: from the checkpoint and trained; new: trained from their start"
            .to_owned(),
    ]);
    lines
}

/// Operations in 10^9 and bytes in 2^20.
fn cost(stats: &Stats) -> Vec<String> {
    let (load, flops, memory) = (stats.cost.load, &stats.cost.flops, &stats.cost.memory);
    let line = |name: &str, [step, scoring, weights, gradients, optimizer, activations]: [&str; 6]| {
        let operations = format!("{step:>10}{scoring:>10}");
        format!("{name:<24}{operations}{weights:>12}{gradients:>11}{optimizer:>11}{activations:>13}")
    };
    let of = |name: &str, pick: &dyn Fn(&ByComponent) -> u64| {
        let [step, scoring] = [&flops.step, &flops.scoring].map(|figures| giga(pick(figures)));
        let held = [&memory.weights, &memory.gradients, &memory.optimizer, &memory.activations];
        let [weights, gradients, optimizer, activations] = held.map(|figures| mebi(pick(figures)));
        line(name, [&step, &scoring, &weights, &gradients, &optimizer, &activations])
    };
    let mut lines = vec![
        format!("a step of {load}:"),
        String::new(),
        format!("{:<24}{:>20}{:>47}", "", "GFLOP", "MiB"),
        line("component", ["step", "scoring", "weights", "gradients", "optimizer", "activations"]),
    ];
    let components = stats.components.iter();
    lines.extend(components.map(|(part, _)| of(&part.to_string(), &|figures| figures.of(*part))));
    lines.push(of("total", &ByComponent::total));
    let (step, scoring, peak) = (mebi(memory.step), mebi(memory.scoring), mebi(memory.peak()));
    let most = match memory.scoring {
        0 => format!("{step} MiB of a step"),
        more if more > memory.step => format!("{scoring} MiB of scoring (a step: {step} MiB)"),
        _ => format!("{step} MiB of a step (scoring: {scoring} MiB)"),
    };
    let most = format!("at most {peak} MiB: weights and optimizer, and {most}");
    let legend = "GFLOP: of matrix products, a multiply-add is 2; activations and what is needed at most are estimates";
    lines.extend([String::new(), most, legend.to_owned()]);
    lines
}

fn sharing(stats: &Stats) -> Vec<String> {
    let line = |name: &str, cells: Vec<String>| {
        let cells: String = cells.iter().map(|cell| format!("{cell:>8}")).collect();
        format!("{name:<42}{cells}")
    };
    let of = |ratio: &dyn Fn(usize) -> String| (0..stats.sharing.len()).map(ratio).collect();
    vec![
        line("parameters over the backbone's, for tasks:", of(&|i| stats.sharing[i].tasks.to_string())),
        line("this model", of(&|i| format!("{:.2}", stats.sharing[i].together))),
        line("a fine-tuned backbone a task", of(&|i| format!("{:.2}", stats.sharing[i].apart))),
    ]
}

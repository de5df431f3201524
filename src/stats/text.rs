//! Tables for a terminal: parameters, the cost of a step, and what sharing saves.

use super::Stats;
use crate::figures::{giga, mebi, thousands};
use crate::ir::{Component, Count};

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
    let line = |name: &str, numbers: [String; 4]| row::<14, 4>(name, &numbers);
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
    let line = |name: &str, cells: [String; 6]| row::<13, 6>(name, &cells);
    let of = |component: Component| {
        let operations = [&flops.step, &flops.scoring].map(|figures| giga(figures.of(component)));
        let [step, scoring] = operations;
        let bytes = [&memory.weights, &memory.gradients, &memory.optimizer, &memory.activations];
        let [weights, gradients, optimizer, activations] = bytes.map(|figures| mebi(figures.of(component)));
        line(&component.to_string(), [step, scoring, weights, gradients, optimizer, activations])
    };
    let heads = ["step GFLOP", "scoring GFLOP", "weights MiB", "gradients", "optimizer", "activations"];
    let mut lines = vec![
        format!("a step of {} examples of {} word pieces:", load.batch, load.length),
        String::new(),
        line("component", heads.map(str::to_owned)),
    ];
    lines.extend(stats.components.iter().map(|(component, _)| of(*component)));
    let [step, scoring] = [&flops.step, &flops.scoring].map(|figures| giga(figures.total()));
    let [weights, gradients, optimizer, activations] =
        [&memory.weights, &memory.gradients, &memory.optimizer, &memory.activations]
            .map(|figures| mebi(figures.total()));
    lines.push(line("total", [step, scoring, weights, gradients, optimizer, activations]));
    lines.extend([
        String::new(),
        format!(
            "at most {} MiB: weights, optimizer, and {}",
            mebi(memory.peak()),
            match memory.scoring {
                0 => format!("gradients, activations and {} MiB beside them", mebi(memory.working)),
                scoring => format!(
                    "the larger of scoring ({} MiB) and gradients, activations and {} MiB beside them",
                    mebi(scoring),
                    mebi(memory.working)
                ),
            }
        ),
        "GFLOP: of matrix products, a multiply-add is 2; activations, and what is beside them, are estimates"
            .to_owned(),
    ]);
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

/// A name and right-aligned cells of a width.
fn row<const WIDTH: usize, const N: usize>(name: &str, cells: &[String; N]) -> String {
    let cells: String = cells.iter().map(|cell| format!("{cell:>WIDTH$}")).collect();
    format!("{name:<24}{cells}")
}

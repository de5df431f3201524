//! `camtlc simulate`: what a training would draw from its data, and what that costs, before anything is trained.
//!
//! The model's program counts, with the readers and the tokenizer that train it; the costs are the compiler's.

use std::process::{Command, ExitCode, Stdio};

use miette::Diagnostic;
use serde::{Deserialize, Serialize};
use serde_json::json;
use thiserror::Error;

use super::args::Simulate;
use super::device::Device;
use super::failure::refused;
use super::train::data_of;
use super::{Failure, Outcome, backbone, driver, load, output};
use crate::figures::{giga, thousands};
use crate::ir::cost::{Flops, Load};
use crate::ir::{Program, Sampler};

/// What the program prints: `train::simulate::Simulation` of the runtime.
#[derive(Debug, Deserialize, Serialize)]
struct Simulation {
    epoch: u64,
    steps: u64,
    drawn: u64,
    length: f64,
    examples: f64,
    scored: f64,
    passes: f64,
    tasks: Vec<Task>,
}

#[derive(Debug, Deserialize, Serialize)]
struct Task {
    name: String,
    examples: u64,
    tokens: u64,
    truncated: u64,
    unreadable: u64,
    share: f64,
    seen: f64,
}

pub fn run(args: &Simulate) -> Outcome<ExitCode> {
    let model = load::load(&args.model)?;
    let backbone = backbone::folder(&model.program, args.backbone.as_deref())?;
    let mut command = Command::new(driver::binary(&model, Device::Cpu)?);
    command.arg("simulate").arg("--data").arg(args.data.clone().unwrap_or_else(|| data_of(&args.model.path)));
    if let Some(folder) = &backbone {
        command.arg("--backbone").arg(folder);
    }
    if args.skip_unreadable {
        command.arg("--skip-unreadable");
    }
    let program = command.get_program().to_owned();
    // what it has to say of mistakes goes where this program's goes
    let out = command.stderr(Stdio::inherit()).output().map_err(refused("run", program))?;
    if !out.status.success() {
        return Err(Failure::Shown);
    }
    let simulation: Simulation =
        serde_json::from_slice(&out.stdout).map_err(|cause| NotUnderstood { cause: cause.to_string() })?;
    let flops = flops(&model.program, &simulation);
    output::print(&match args.json {
        true => json(&model.program, &simulation, &flops),
        false => text(&model.program, &simulation, &flops),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Of a step with examples of the mean length.
fn flops(program: &Program, simulation: &Simulation) -> Flops {
    // a mean of lengths of at most the sequence, but for an example of several sequences
    let length = (simulation.length.round() as usize).clamp(1, program.sequence);
    Flops::of(program, Load { batch: program.training.batch, length })
}

fn json(program: &Program, simulation: &Simulation, flops: &Flops) -> String {
    let [forward, step, scoring] = [&flops.forward, &flops.step, &flops.scoring].map(|part| part.total());
    let value = json!({
        "model": program.full_name(),
        "sampler": program.training.sampler,
        "batch": program.training.batch,
        "simulation": simulation,
        "flops": { "forward": forward, "step": step, "scoring": scoring },
    });
    format!("{value:#}\n")
}

fn text(program: &Program, simulation: &Simulation, flops: &Flops) -> String {
    let Simulation { epoch, steps, drawn, length, examples, scored, passes, tasks } = simulation;
    let all: u64 = tasks.iter().map(|task| task.examples).sum();
    let uncertain = matches!(program.training.sampler, Sampler::MtUncertainty { .. });
    let mut lines = vec![
        format!("{}: {} tasks, {} training examples", program.full_name(), tasks.len(), thousands(all)),
        String::new(),
    ];
    let width = tasks.iter().map(|task| task.name.len()).max().unwrap_or(0).max(5);
    let row = |cells: [&str; 7]| {
        let [name, examples, length, cut, of_all, share, seen] = cells;
        format!("{name:<width$}{examples:>12}{length:>13}{cut:>9}{of_all:>10}{share:>12}{seen:>12}")
    };
    let shares = if uncertain { "candidates" } else { "drawn" };
    lines.push(row(["task", "examples", "mean length", "cut", "of all", shares, "an epoch"]));
    for task in tasks {
        let count = task.examples.max(1) as f64;
        lines.push(row([
            &task.name,
            &thousands(task.examples),
            &format!("{:.1}", task.tokens as f64 / count),
            &thousands(task.truncated),
            &percent(count / all.max(1) as f64),
            &percent(task.share),
            &format!("{:.2} x", task.seen),
        ]));
    }
    let [step, scoring] = [flops.step.total(), flops.scoring.total()];
    lines.extend([
        String::new(),
        format!("an epoch is {} steps, the training {}", thousands(*epoch), thousands(*steps)),
        format!(
            "a step trains on {examples:.1} examples, {length:.1} word pieces each, for {} GFLOP",
            giga(step)
        ),
    ]);
    if uncertain {
        let share = scoring as f64 / (step + scoring).max(1) as f64;
        lines.push(format!(
            "before it {scored:.1} candidates are scored in {passes:.2} forward passes, for {} GFLOP: {} of both",
            giga(scoring),
            percent(share),
        ));
    }
    let total = steps.saturating_mul(step.saturating_add(scoring));
    lines.push(format!("in all {} GFLOP; means are of {} drawn steps", giga(total), thousands(*drawn)));
    if uncertain {
        lines.push(
            "what of the candidates is trained on, the network decides: as much of each task while it is as unsure of all"
                .to_owned(),
        );
    }
    lines.push(String::new());
    lines.join("\n")
}

fn percent(share: f64) -> String {
    format!("{:.1}%", 100.0 * share)
}

#[derive(Debug, Error, Diagnostic)]
#[error("the model's program gave no figures: {cause}")]
#[diagnostic(
    code(camtlc::simulate),
    help("it may be of another version of camtl: `camtlc build` makes it anew")
)]
struct NotUnderstood {
    cause: String,
}

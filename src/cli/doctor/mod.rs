//! `camtlc doctor`: what this machine has to build and to run models, and what to install for what it has not.
//!
//! `probe` finds the [`facts`] out, `verdict` judges them; `camtlc build --device cuda` asks the same before it starts.

pub mod facts;
mod probe;
mod verdict;

use std::process::ExitCode;

use miette::Diagnostic;
use serde_json::json;
use thiserror::Error;

use self::facts::Facts;
use self::verdict::{Finding, Purpose};
use super::args::Doctor;
use super::device::Device;
use super::{Outcome, output};

pub fn run(args: &Doctor) -> Outcome<ExitCode> {
    let facts = probe::probe();
    let findings = verdict::judge(&facts);
    output::print(&if args.json { json(&facts, &findings) } else { text(&findings) })?;
    let needed = match args.device {
        Device::Cpu => verdict::is_ready(&findings, Purpose::Cpu),
        Device::Cuda(_) => [Purpose::BuildCuda, Purpose::RunCuda]
            .into_iter()
            .all(|purpose| verdict::is_ready(&findings, purpose)),
    };
    Ok(if needed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What a build for CUDA depends on besides the crate; asked before cargo is.
///
/// # Errors
/// What is missing, all of it at once.
pub fn check_cuda() -> Result<Facts, NoCuda> {
    let facts = probe::probe();
    let findings = verdict::judge(&facts);
    let missing = verdict::missing_to_build(&findings);
    match missing.as_slice() {
        [] => Ok(facts),
        missing => Err(NoCuda::of(missing)),
    }
}

fn text(findings: &[Finding]) -> String {
    let width = findings.iter().map(|finding| finding.name.len()).max().unwrap_or(0);
    let mut lines = Vec::new();
    for finding in findings {
        let mark = if finding.good { "  " } else { "x " };
        lines.push(format!("{mark}{:<width$}  {}", finding.name, finding.found));
        if let Some(advice) = &finding.advice {
            lines.push(format!("  {:<width$}  -> {advice}", ""));
        }
    }
    lines.push(String::new());
    for purpose in [Purpose::Cpu, Purpose::BuildCuda, Purpose::RunCuda] {
        let missing: Vec<&str> = findings
            .iter()
            .filter(|finding| finding.purpose == purpose && !finding.good)
            .map(|finding| finding.name)
            .collect();
        lines.push(match missing.as_slice() {
            [] => format!("{}: all is there", purpose.text()),
            missing => format!("{}: not all is there ({})", purpose.text(), missing.join(", ")),
        });
    }
    lines.push(String::new());
    lines.join("\n")
}

fn json(facts: &Facts, findings: &[Finding]) -> String {
    let ready = |purpose| verdict::is_ready(findings, purpose);
    let value = json!({
        "ready": {
            "cpu": ready(Purpose::Cpu),
            "build_cuda": ready(Purpose::BuildCuda),
            "run_cuda": ready(Purpose::RunCuda),
        },
        "findings": findings,
        "facts": facts,
    });
    format!("{value:#}\n")
}

#[derive(Debug, Error, Diagnostic)]
#[error("a program for CUDA cannot be built here: {what}")]
#[diagnostic(code(camtlc::cuda))]
pub struct NoCuda {
    what: String,
    #[help]
    help: String,
}

impl NoCuda {
    fn of(missing: &[&Finding]) -> Self {
        let what: Vec<String> =
            missing.iter().map(|finding| format!("{} ({})", finding.name, finding.found)).collect();
        // several things come with one installation
        let mut advice: Vec<&str> = missing.iter().filter_map(|finding| finding.advice.as_deref()).collect();
        advice.sort_by_key(|text| text.len());
        let mut kept: Vec<&str> = Vec::new();
        for text in advice.into_iter().rev() {
            if !kept.iter().any(|other| other.starts_with(text.split(';').next().unwrap_or(text))) {
                kept.push(text);
            }
        }
        kept.push(
            "`camtlc doctor --device cuda` shows what there is; without `--device` it is built for the CPU",
        );
        Self { what: what.join(", "), help: kept.join("\n") }
    }
}

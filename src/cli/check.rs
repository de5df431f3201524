//! `camtlc check`: all mistakes of all files, and a line for each file without any; or all of it as JSON.

use std::path::Path;

use serde::Serialize;

use super::args::Check;
use super::failure::Failure;
use super::load::{self, show};
use super::{Outcome, output};
use crate::analysis::{self, Compiled};
use crate::diagnostics::{Diagnostics, Entry};
use crate::disk::Folder;
use crate::span::Sources;

pub fn run(args: &Check) -> Outcome {
    let mut reports = Vec::new();
    let mut is_good = true;
    for path in &args.files {
        match check(path, args) {
            Ok(checked) => {
                is_good &= checked.is_good;
                reports.push(checked.report);
            }
            Err(failure) => {
                is_good = false;
                match (args.json, failure.entry()) {
                    (true, Some(entry)) => reports.push(Report::unread(path, entry)),
                    _ => failure.show(),
                }
            }
        }
    }
    if args.json {
        output::print(&format!("{:#}\n", serde_json::json!({ "files": reports })))?;
    }
    if is_good { Ok(()) } else { Err(Failure::Shown) }
}

struct Checked {
    is_good: bool,
    report: Report,
}

/// What is said of one file.
#[derive(Serialize)]
struct Report {
    file: String,
    /// `None` where the file has mistakes.
    model: Option<String>,
    variants: Vec<String>,
    errors: usize,
    warnings: usize,
    /// Found, and beyond what is listed.
    dropped: usize,
    diagnostics: Vec<Entry>,
}

impl Report {
    fn new(sources: &Sources, diagnostics: &Diagnostics) -> Self {
        Self {
            file: sources.main().name.clone(),
            model: None,
            variants: Vec::new(),
            errors: diagnostics.errors().count(),
            warnings: diagnostics.warnings().count(),
            dropped: diagnostics.dropped(),
            diagnostics: diagnostics.entries(sources),
        }
    }

    fn unread(path: &Path, entry: Entry) -> Self {
        Self {
            file: path.display().to_string(),
            model: None,
            variants: Vec::new(),
            errors: 1,
            warnings: 0,
            dropped: 0,
            diagnostics: vec![entry],
        }
    }
}

fn check(path: &Path, args: &Check) -> Outcome<Checked> {
    let source = load::read(path)?;
    match analysis::compile_model(&source, &Folder::of(path)) {
        Ok(mut compiled) if !compiled.failures.is_empty() => {
            let mut found = std::mem::take(&mut compiled.warnings);
            found.append(compiled.failures);
            found.sort();
            if !args.json {
                show(&compiled.sources, &found);
                hint(&found);
            }
            Ok(Checked { is_good: false, report: Report::new(&compiled.sources, &found) })
        }
        Ok(compiled) => {
            let mut report = Report::new(&compiled.sources, &compiled.warnings);
            report.model = Some(compiled.program.name.clone());
            report.variants =
                compiled.variants.iter().filter_map(|program| program.variant.clone()).collect();
            let is_good = !args.deny_warnings || compiled.warnings.is_empty();
            let verdict = verdict(&source.name, args.variant.as_deref(), &compiled)?;
            if !args.json {
                show(&compiled.sources, &compiled.warnings);
                if is_good {
                    output::print(&verdict)?;
                } else {
                    eprintln!("{}: warnings count as mistakes here", source.name);
                }
            }
            Ok(Checked { is_good, report })
        }
        Err(rejected) => {
            if !args.json {
                show(&rejected.sources, &rejected.diagnostics);
                hint(&rejected.diagnostics);
            }
            let report = Report::new(&rejected.sources, &rejected.diagnostics);
            Ok(Checked { is_good: false, report })
        }
    }
}

/// "models/camtl_base.cam: `camtl_base` is fine, with 8 tasks and 2 variants"
fn verdict(file: &str, variant: Option<&str>, compiled: &Compiled) -> Outcome<String> {
    let count = |n: usize, what: &str| if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") };
    let program = compiled.form(variant)?;
    let variants = match compiled.variants.len() {
        1.. if variant.is_none() => format!(" and {}", count(compiled.variants.len(), "variant")),
        _ => String::new(),
    };
    let tasks = count(program.tasks.len(), "task");
    Ok(format!("{file}: `{}` is fine, with {tasks}{variants}\n", program.full_name()))
}

/// Where to read more about the first mistake.
fn hint(diagnostics: &Diagnostics) {
    let count = diagnostics.errors().count();
    let mistakes = match (count, diagnostics.dropped()) {
        (1, 0) => "1 mistake".to_owned(),
        (_, 0) => format!("{count} mistakes"),
        (_, _) => format!("more than {count} mistakes"),
    };
    if let Some(code) = diagnostics.errors().find_map(|error| error.code()) {
        eprintln!("\n{mistakes}; `camtlc explain {code}` says more about the first");
    }
}

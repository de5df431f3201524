//! `camtlc diff`: what one model has that another has not.

use std::path::Path;

use super::args::{Diff, Workload};
use super::workload::workload;
use super::{Outcome, load, output};
use crate::diff::Side;
use crate::ir::Program;

pub fn run(args: &Diff) -> Outcome {
    let [from, to] = [load::load(&args.from)?.program, load::load(&args.to)?.program];
    // Two files with models of one name are told apart by their paths.
    let name = |program: &Program, path: &Path| match from.name == to.name {
        true => path.display().to_string(),
        false => program.name.clone(),
    };
    let names = [name(&from, &args.from), name(&to, &args.to)];
    let text = report([&names[0], &names[1]], [&from, &to], &args.load, args.json)?;
    output::print(&text)
}

/// Of any two programs, by the names that tell them apart.
fn report(names: [&str; 2], programs: [&Program; 2], load: &Workload, json: bool) -> Outcome<String> {
    let side = |at: usize| -> Outcome<Side> {
        Ok(Side { name: names[at], program: programs[at], load: workload(load, programs[at])? })
    };
    let diff = crate::diff::Diff::of(side(0)?, side(1)?);
    Ok(if json { diff.json() } else { diff.text() })
}

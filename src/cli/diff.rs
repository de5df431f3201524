//! `camtlc diff`: what one model has that another has not.

use std::path::Path;

use miette::Diagnostic;
use thiserror::Error;

use super::args::{Diff, ModelFile, Workload};
use super::workload::{with_load, workload};
use super::{Outcome, load, output};
use crate::diff::Side;
use crate::ir::Program;

pub fn run(args: &Diff) -> Outcome {
    let [from, to] = sides(args)?;
    let [one, other] = load::load_two(&from, &to)?;
    // Two files with models of one name are told apart by their paths.
    let name = |program: &Program, file: &ModelFile| match one.full_name() == other.full_name() {
        true => file.path.display().to_string(),
        false => program.full_name(),
    };
    let names = [name(&one, &from), name(&other, &to)];
    let [one, other] = [with_load(&one, &args.load), with_load(&other, &args.load)];
    let text = report([&names[0], &names[1]], [&one, &other], &args.load, args.json)?;
    output::print(&text)
}

/// What is compared with what.
fn sides(args: &Diff) -> Outcome<[ModelFile; 2]> {
    let side = |path: &Path, variant: Option<&String>| ModelFile {
        path: path.to_owned(),
        variant: variant.cloned(),
    };
    let (from, variants) = (args.from.as_path(), args.variant.as_slice());
    Ok(match (&args.to, variants) {
        (None, [variant]) => [side(from, None), side(from, Some(variant))],
        (None, [one, other]) => [side(from, Some(one)), side(from, Some(other))],
        (Some(to), []) => [side(from, None), side(to, None)],
        (Some(to), [both]) => [side(from, Some(both)), side(to, Some(both))],
        (Some(to), [one, other]) => [side(from, Some(one)), side(to, Some(other))],
        (None, []) | (_, [_, _, _, ..]) => return Err(TooMany { count: variants.len() }.into()),
    })
}

/// Of any two programs, by the names that tell them apart.
fn report(names: [&str; 2], programs: [&Program; 2], load: &Workload, json: bool) -> Outcome<String> {
    let side = |at: usize| -> Outcome<Side> {
        Ok(Side { name: names[at], program: programs[at], load: workload(load, programs[at])? })
    };
    let diff = crate::diff::Diff::of(side(0)?, side(1)?);
    Ok(if json { diff.json() } else { diff.text() })
}

#[derive(Debug, Error, Diagnostic)]
#[error("{count} variants cannot be told apart in one comparison")]
#[diagnostic(code(camtlc::diff), help("at most two sides are compared: `--variant A --variant B`"))]
struct TooMany {
    count: usize,
}

//! `camtlc fmt`: the one standard layout, in place, on stdin, or only as a check.

use std::path::Path;

use super::args::Fmt;
use super::failure::Failure;
use super::{Outcome, files, load, output};
use crate::span::Sources;

pub fn run(args: &Fmt) -> Outcome {
    let mut is_good = true;
    for path in &args.files {
        match format_file(path, args.check) {
            Ok(is_laid_out) => is_good &= is_laid_out,
            Err(failure) => {
                is_good = false;
                failure.show();
            }
        }
    }
    if is_good { Ok(()) } else { Err(Failure::Shown) }
}

/// Gives whether all is well: the file is in the standard layout, or has been brought into it.
fn format_file(path: &Path, check: bool) -> Outcome<bool> {
    let is_stdin = path == Path::new("-");
    let source = load::read(path)?;
    let text = match crate::fmt::format(&source) {
        Ok(text) => text,
        Err(mistakes) => {
            load::show(&Sources::of(source), &mistakes);
            return Err(Failure::Shown);
        }
    };
    let is_laid_out = text == source.text;
    match (check, is_stdin) {
        (true, _) if !is_laid_out => eprintln!("{} is not in the standard layout", source.name),
        (true, _) => {}
        (false, true) => output::print(&text)?,
        (false, false) if !is_laid_out => files::replace(path, &text)?,
        (false, false) => {}
    }
    Ok(is_laid_out || !check)
}

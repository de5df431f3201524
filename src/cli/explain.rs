//! `camtlc explain`: the page of a code, all codes with their meanings, or what a topic is about.

use miette::Diagnostic;
use thiserror::Error;

use super::args::Explain;
use super::{Outcome, output};
use crate::diagnostics::codes::{CODES, Code, find};
use crate::diagnostics::nearest;
use crate::explain;

pub fn run(args: &Explain) -> Outcome {
    let Some(name) = &args.code else {
        return output::print(&format!(
            "{}\n`camtlc explain CODE` shows the page of one.\n",
            explain::list(CODES)
        ));
    };
    if let Some(code) = find(name) {
        return output::print(&explain::page(&code, output::stdout_style()));
    }
    let of_area: Vec<&Code> =
        CODES.iter().filter(|code| code.area() == name.trim_start_matches("cam::")).collect();
    if of_area.is_empty() {
        return Err(UnknownCode { name: name.clone(), help: help(name) }.into());
    }
    let list = explain::list(of_area);
    match explain::topic(name, output::stdout_style()) {
        Some(page) => output::print(&format!("{page}\nIts codes\n\n{list}")),
        None => output::print(&list),
    }
}

fn help(name: &str) -> String {
    let codes: Vec<&str> = CODES.iter().map(Code::short).collect();
    match nearest(name.strip_prefix("cam::").unwrap_or(name), &codes) {
        Some(near) => format!("did you mean `cam::{near}`?"),
        None => "`camtlc explain` lists all codes".to_owned(),
    }
}

#[derive(Debug, Error, Diagnostic)]
#[error("no code is called `{name}`")]
#[diagnostic(code(camtlc::explain))]
struct UnknownCode {
    name: String,
    #[help]
    help: String,
}

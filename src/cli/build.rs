//! `camtlc build`: the model's program, and on request the source of it.

use super::args::Build;
use super::{Outcome, crate_files, driver, load, output};

pub fn run(args: &Build) -> Outcome {
    let model = load::load(&args.model)?;
    let (generated, options) = driver::lower(&model, !args.native, args.device)?;
    if let Some(folder) = &args.emit {
        crate_files::emit(&generated, folder)?;
        eprintln!("crate written to {}", folder.display());
    }
    let built = driver::make(&model, &generated, &options)?;
    output::print(&format!("{}\n", driver::describe(&built.binary, built.took)))
}

//! `camtlc check`: all mistakes of all files, and a line for each file without any.

use super::args::Check;
use super::failure::Failure;
use super::{Outcome, load, output};

pub fn run(args: &Check) -> Outcome {
    let mut is_good = true;
    for path in &args.files {
        match load::load(path) {
            Ok(model) => {
                let (name, tasks) = (&model.program.name, model.program.tasks.len());
                let tasks = if tasks == 1 { "1 task".to_owned() } else { format!("{tasks} tasks") };
                output::print(&format!("{}: `{name}` is fine, with {tasks}\n", path.display()))?;
            }
            Err(failure) => {
                is_good = false;
                failure.show();
            }
        }
    }
    if is_good { Ok(()) } else { Err(Failure::Shown) }
}

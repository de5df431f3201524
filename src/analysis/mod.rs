//! From what was written to what was meant: [`ir::Program`], or every mistake at once.
//!
//! Passes, in order. Each takes what the earlier ones made, gives what it made, and reports its mistakes to a
//! sink; a part with a mistake is `None` for the later ones, which then keep silent about it.
//!
//! | pass | gives | needs |
//! |---|---|---|
//! | `index_items` | the items by kind | the tree |
//! | `check_names` | nothing: identifiers are safe and unique | items |
//! | `check_shapes` | the backbone's sizes, the sequence | items |
//! | `check_modules` | modules and their layers, with `check_layers` and `check_blocks` | shapes, for ranges and blocks |
//! | `check_tasks` | kinds, metrics, data, with `check_kinds`, `check_data`, `datasets` | items |
//! | `check_training` | every setting, with `check_optimizer` and `check_sampler` | the number of tasks, for the sampler |
//! | `check_uncertainty` | what is H for each task | tasks and sampler |
//! | `flow_freezing` | weights and gradient flow of each part | shapes and modules |
//! | `lower_program` | the program | no error so far |
//!
//! `settings` and `values` read the entries of a block for all of them.

mod check_blocks;
mod check_data;
mod check_kinds;
mod check_layers;
mod check_modules;
mod check_names;
mod check_optimizer;
mod check_sampler;
mod check_shapes;
mod check_tasks;
mod check_training;
mod check_uncertainty;
mod datasets;
mod flow_freezing;
mod index_items;
mod lower_program;
mod settings;
mod summary;
mod values;

use crate::{
    diagnostics::Diagnostics,
    ir,
    span::Source,
    syntax::{self, ast},
};

/// Text to program: the whole front of the compiler. The program comes with its warnings, sorted by place;
/// without a program there is at least one error.
pub fn compile(source: &Source) -> Result<(ir::Program, Diagnostics), Diagnostics> {
    let file = syntax::parse(source)?;
    match analyse(&file, source) {
        (Some(program), warnings) => Ok((program, warnings)),
        (None, diagnostics) => Err(diagnostics),
    }
}

/// A program exactly if there is no error. `source` is what `file` was parsed from.
pub fn analyse(file: &ast::File, source: &Source) -> (Option<ir::Program>, Diagnostics) {
    let mut sink = Diagnostics::new();
    let items = index_items::index_items(file, &mut sink);
    check_names::check_names(&items, &mut sink);
    let shape = check_shapes::check_shapes(&items, &mut sink);
    let modules = check_modules::check_modules(&items, &shape, &mut sink);
    let tasks = check_tasks::check_tasks(&items, &mut sink);
    let training = check_training::check_training(&items, tasks.len(), &mut sink);
    let uncertainty = check_uncertainty::check_uncertainty(&items, &tasks, &training, &mut sink);
    let freezing = flow_freezing::flow_freezing(&items, &shape, &modules, &mut sink);
    sink.sort();
    if sink.has_errors() {
        return (None, sink);
    }
    let findings = lower_program::Findings { items, shape, modules, tasks, training, uncertainty, freezing };
    let program = lower_program::lower_program(file, &source.text, findings);
    debug_assert!(program.is_some(), "a part is unknown and nobody said why");
    (program, sink)
}

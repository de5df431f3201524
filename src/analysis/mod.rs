//! From what was written to what was meant: [`ir::Program`], or every mistake at once.
//!
//! Passes, in order. Each takes what the earlier ones made, gives what it made, and reports its mistakes to a
//! sink; a part with a mistake is `None` for the later ones, which then keep silent about it.
//!
//! Once a file:
//!
//! | pass | gives | needs |
//! |---|---|---|
//! | `include_files` | one tree, all texts | the file, and those around it |
//! | `list_forms` | the model and its variants, each a chain of item lists | the tree |
//!
//! Once a form, which is the model itself or one of its variants:
//!
//! | pass | gives | needs |
//! |---|---|---|
//! | `index_items` | the items by kind | the form |
//! | `select_tasks`, `merge_training` | the tasks, the settings in effect | items |
//! | `check_names` | nothing: identifiers are safe | items, tasks |
//! | `check_shapes`, `check_checkpoint` | the backbone's sizes, the sequence | items |
//! | `check_fidelity` | whose formulas | items |
//! | `check_modules` | modules and their layers, with `check_layers`, `check_blocks` and `detach_modules` | shapes, for ranges and blocks; whose formulas, for widths |
//! | `check_reference` | nothing: modules lie where the authors' code has them | modules |
//! | `check_tasks` | kinds, metrics, data, with `check_kinds`, `check_labels`, `read_sources`, `check_data`, `datasets` | tasks |
//! | `check_training` | every setting, with `check_batch`, `check_sampler`, `check_optimizer`, `check_cache` | settings, the sequence, the number of tasks |
//! | `check_uncertainty` | what is H for each task | tasks and sampler |
//! | `flow_freezing` | weights and gradient flow of each part | shapes and modules |
//! | `read_asserts` | bounds on what the program costs | items |
//! | `lower_program` | the program | no error so far |
//! | `hold_asserts`, `lint_program` | nothing: bounds hold, oddities are named | the program |
//!
//! `settings` and `values` read the entries of a block for all of them.

mod check_asserts;
mod check_batch;
mod check_blocks;
mod check_cache;
mod check_checkpoint;
mod check_data;
mod check_fidelity;
mod check_kinds;
mod check_labels;
mod check_layers;
mod check_modules;
mod check_names;
mod check_optimizer;
mod check_sampler;
mod check_shapes;
mod check_tasks;
mod check_training;
mod check_uncertainty;
mod checkpoints;
mod compiled;
mod datasets;
mod detach_modules;
mod files;
mod flow_freezing;
mod include_files;
mod index_items;
mod lint_program;
mod list_forms;
mod lower_program;
mod merge_training;
mod read_sources;
mod select_tasks;
mod settings;
mod summary;
mod values;

use crate::{
    diagnostics::Diagnostics,
    ir,
    span::{Source, Sources},
    syntax::ast,
};

pub use compiled::{Compiled, NoVariant};
pub use files::{Files, NoFiles};

/// A model with mistakes.
#[derive(Debug)]
pub struct Rejected {
    /// All texts that were read.
    pub sources: Sources,
    /// At least one error; sorted by place.
    pub diagnostics: Diagnostics,
}

/// Text to programs: the whole front of the compiler. All variants are checked, and all mistakes come at once, but
/// for assertions that do not hold, which are told apart.
pub fn compile_model(source: &Source, files: &dyn Files) -> Result<Compiled, Box<Rejected>> {
    let mut sink = Diagnostics::new();
    let include_files::Whole { sources, text, file } = include_files::include_files(source, files, &mut sink);
    let forms = list_forms::list_forms(&file, &mut sink);
    let is_readable = !sink.has_errors();
    let mut programs: Vec<ir::Program> = Vec::with_capacity(forms.len());
    let mut failures = Diagnostics::new();
    for form in &forms {
        let Analysed { program, found, failed } =
            analyse(form, &file, &source.text, files, is_readable, forms.len() == 1);
        match form.variant {
            None => {
                sink.append(found);
                failures.append(failed);
            }
            Some(variant) => {
                failures.append(failed);
                sink.append_variant(
                    &variant.name.text,
                    variant.name.span,
                    variant.block,
                    source.text.len(),
                    found,
                );
            }
        }
        if let (Some(program), Some(variant)) = (&program, form.variant) {
            list_forms::check_difference(program, &programs, variant, &mut sink);
        }
        programs.extend(program);
    }
    failures.sort();
    sink.sort();
    debug_assert!(
        sink.has_errors() || programs.len() == forms.len(),
        "a program is missing and nobody said why"
    );
    if sink.has_errors() {
        return Err(Box::new(Rejected { sources, diagnostics: sink }));
    }
    let program = programs.remove(0);
    Ok(Compiled { sources, text, program, variants: programs, warnings: sink, failures })
}

/// [`compile_model`] for a text that stands alone, its variants checked and left out, its assertions held.
pub fn compile(source: &Source) -> Result<(ir::Program, Diagnostics), Diagnostics> {
    match compile_model(source, &NoFiles) {
        Ok(compiled) if !compiled.failures.is_empty() => Err(compiled.failures),
        Ok(compiled) => Ok((compiled.program, compiled.warnings)),
        Err(rejected) => Err(rejected.diagnostics),
    }
}

/// What one form means: a program, what there is to say of it, and its assertions that do not hold.
struct Analysed {
    program: Option<ir::Program>,
    found: Diagnostics,
    failed: Diagnostics,
}

impl Analysed {
    fn without_program(found: Diagnostics) -> Self {
        Self { program: None, found, failed: Diagnostics::new() }
    }
}

/// A program exactly if there is no error, and the file `is_readable`; `is_alone` where the model has no
/// variants. `text` is the model's own.
fn analyse(
    form: &list_forms::Form,
    file: &ast::File,
    text: &str,
    files: &dyn Files,
    is_readable: bool,
    is_alone: bool,
) -> Analysed {
    let mut sink = Diagnostics::new();
    let items = index_items::index_items(form, &file.broken, &mut sink);
    let selected = select_tasks::select_tasks(&items, &mut sink);
    let settings = merge_training::merge_training(&items);
    let settings = (!items.is_broken("train")).then_some(settings.as_slice());

    check_names::check_names(&items, &selected, &mut sink);
    let shape = check_shapes::check_shapes(&items, &mut sink);
    if !check_checkpoint::check_checkpoint(&shape, files, &mut sink) {
        check_shapes::check_heads(&shape, &mut sink);
    }
    let fidelity = check_fidelity::check_fidelity(&items, &mut sink);
    let modules = check_modules::check_modules(&items, &shape, fidelity, &mut sink);
    check_fidelity::check_reference(&items, fidelity, &shape, &modules, &mut sink);
    let tasks = check_tasks::check_tasks(&selected, shape.sequence.map(|length| length.value), &mut sink);
    let training = check_training::check_training(settings, shape.sequence, tasks.len(), &mut sink);
    let uncertainty =
        check_uncertainty::check_uncertainty(&tasks, selected.block, &training, is_alone, &mut sink);
    let freezing = flow_freezing::flow_freezing(&items, &shape, &modules, &mut sink);
    let asserts = check_asserts::read_asserts(&items, &mut sink);
    if sink.has_errors() || !is_readable {
        return Analysed::without_program(sink);
    }
    let places = lint_program::Places::of(&items, &modules, &training);
    let findings = lower_program::Findings {
        variant: form.variant,
        items,
        fidelity,
        shape,
        modules,
        tasks,
        training,
        uncertainty,
        freezing,
    };
    let Some(program) = lower_program::lower_program(file, text, findings) else {
        debug_assert!(false, "a part is unknown and nobody said why");
        return Analysed::without_program(sink);
    };
    let mut failed = Diagnostics::new();
    check_asserts::hold_asserts(&asserts, &program, &mut failed);
    lint_program::lint_program(&program, places, &mut sink);
    Analysed { program: Some(program), found: sink, failed }
}

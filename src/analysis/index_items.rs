//! The items of one form by kind, what a variant says in the place of what it differs from.
//!
//! What a model has once is the last of its kind; what adds up (`freeze`, `attach` and their opposites) stays in
//! order, with the list of the form's chain that it stands in. None of the needed ones is absent, but where it
//! could not be read.

use miette::Diagnostic;
use thiserror::Error;

use super::list_forms::Form;
use crate::{
    diagnostics::{Diagnostics, alternatives},
    span::Span,
    syntax::ast,
};

/// Every item where the next passes look for it.
#[derive(Debug, Default)]
pub struct Items<'a> {
    pub model: Option<&'a ast::Model>,
    pub backbone: Option<&'a ast::Backbone>,
    pub fidelity: Option<&'a ast::Fidelity>,
    pub sequence: Option<&'a ast::Sequence>,
    /// `tasks` and `drop`.
    pub tasks: Vec<Step<TaskChange<'a>>>,
    /// `freeze` and `unfreeze`.
    pub freezing: Vec<Step<FreezeChange<'a>>>,
    /// `attach` and `detach`.
    pub modules: Vec<Step<ModuleChange<'a>>>,
    /// One a list of the chain, at most.
    pub trains: Vec<&'a ast::Train>,
    /// Of the last list: an assertion is about the form that it stands in.
    pub asserts: Vec<&'a ast::Assert>,
    /// The keywords of items that could not be read.
    broken: &'a [String],
}

/// Something that adds to what stands before it, and which list of the chain it stands in: 0 is the model's own.
#[derive(Clone, Copy, Debug)]
pub struct Step<T> {
    pub depth: usize,
    pub change: T,
}

#[derive(Clone, Copy, Debug)]
pub enum TaskChange<'a> {
    Add(&'a ast::Tasks),
    Drop(&'a ast::Drop),
}

#[derive(Clone, Copy, Debug)]
pub enum FreezeChange<'a> {
    Freeze(&'a ast::Freeze),
    Unfreeze(&'a ast::Unfreeze),
}

#[derive(Clone, Copy, Debug)]
pub enum ModuleChange<'a> {
    Attach(&'a ast::Attach),
    Detach(&'a ast::Detach),
}

impl Items<'_> {
    /// Is there an item with this keyword that could not be read? Then what it may have said is not missed.
    pub fn is_broken(&self, keyword: &str) -> bool {
        self.broken.iter().any(|broken| broken == keyword)
    }
}

pub fn index_items<'a>(form: &Form<'a>, broken: &'a [String], sink: &mut Diagnostics) -> Items<'a> {
    let mut items = Items { broken, ..Items::default() };
    for (depth, list) in form.chain.iter().enumerate() {
        index_list(list, depth, &mut items, sink);
    }
    let first = form.chain.iter().flatten().next().map(|item| item.span());
    report_missing(&items, first, sink);
    items
}

fn index_list<'a>(list: &[&'a ast::Item], depth: usize, items: &mut Items<'a>, sink: &mut Diagnostics) {
    // What stands once in a list: its keyword, and where.
    let mut once: Vec<(&str, Span)> = Vec::new();
    items.asserts.clear();
    for item in list {
        let keyword = item.keyword();
        if matches!(keyword, "model" | "backbone" | "fidelity" | "sequence" | "train") {
            if let Some((_, first)) = once.iter().find(|(known, _)| *known == keyword) {
                sink.push(RepeatedItem { keyword, first: *first, again: item.keyword_span() });
                continue;
            }
            once.push((keyword, item.keyword_span()));
        }
        match item {
            ast::Item::Model(item) => items.model = Some(item),
            ast::Item::Backbone(item) => items.backbone = Some(item),
            ast::Item::Fidelity(item) => items.fidelity = Some(item),
            ast::Item::Sequence(item) => items.sequence = Some(item),
            ast::Item::Tasks(item) => items.tasks.push(Step { depth, change: TaskChange::Add(item) }),
            ast::Item::Drop(item) => items.tasks.push(Step { depth, change: TaskChange::Drop(item) }),
            ast::Item::Freeze(item) => {
                items.freezing.push(Step { depth, change: FreezeChange::Freeze(item) });
            }
            ast::Item::Unfreeze(item) => {
                items.freezing.push(Step { depth, change: FreezeChange::Unfreeze(item) });
            }
            ast::Item::Attach(item) => {
                items.modules.push(Step { depth, change: ModuleChange::Attach(item) });
            }
            ast::Item::Detach(item) => {
                items.modules.push(Step { depth, change: ModuleChange::Detach(item) });
            }
            ast::Item::Train(item) => items.trains.push(item),
            ast::Item::Assert(item) => items.asserts.push(item),
            // Resolved by earlier passes.
            ast::Item::Include(_) | ast::Item::Variant(_) => {}
        }
    }
}

fn report_missing(items: &Items, first: Option<Span>, sink: &mut Diagnostics) {
    let needed = [
        ("model", items.model.is_some()),
        ("backbone", items.backbone.is_some()),
        ("sequence", items.sequence.is_some()),
        ("tasks", !items.tasks.is_empty()),
    ];
    let missing: Vec<&str> = needed
        .iter()
        .filter(|(keyword, there)| !there && !items.is_broken(keyword))
        .map(|(keyword, _)| *keyword)
        .collect();
    if !missing.is_empty() {
        let at = items.model.map(|model| model.span).or(first);
        sink.push(MissingItems { missing: alternatives(&missing, "and"), at });
    }
}

#[derive(Debug, Error, Diagnostic)]
#[error("the file lacks {missing}")]
#[diagnostic(
    code(cam::item::missing),
    help(
        "a model is at least `model NAME`, `backbone bert {{ .. }}`, `sequence LENGTH` and `tasks {{ .. }}`"
    )
)]
struct MissingItems {
    missing: String,
    #[label("this model lacks {missing}")]
    at: Option<Span>,
}

#[derive(Debug, Error, Diagnostic)]
#[error("`{keyword}` appears twice")]
#[diagnostic(code(cam::item::repeated), help("a file describes one model, so one of the two has to go"))]
struct RepeatedItem {
    keyword: &'static str,
    #[label("first here")]
    first: Span,
    #[label(primary, "and again here")]
    again: Span,
}

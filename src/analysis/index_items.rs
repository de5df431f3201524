//! The items of a file by kind: at most one of each, but for `freeze` and `attach`, and none of the needed
//! ones absent.

use miette::Diagnostic;
use thiserror::Error;

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
    pub sequence: Option<&'a ast::Sequence>,
    pub tasks: Option<&'a ast::Tasks>,
    pub freezes: Vec<&'a ast::Freeze>,
    pub attaches: Vec<&'a ast::Attach>,
    pub train: Option<&'a ast::Train>,
}

pub fn index_items<'a>(file: &'a ast::File, sink: &mut Diagnostics) -> Items<'a> {
    let mut items = Items::default();
    for item in &file.items {
        match item {
            ast::Item::Model(item) => keep("model", &mut items.model, item, |item| item.span, sink),
            ast::Item::Backbone(item) => keep("backbone", &mut items.backbone, item, |item| item.span, sink),
            ast::Item::Sequence(item) => keep("sequence", &mut items.sequence, item, |item| item.span, sink),
            ast::Item::Tasks(item) => keep("tasks", &mut items.tasks, item, |item| item.span, sink),
            ast::Item::Freeze(item) => items.freezes.push(item),
            ast::Item::Attach(item) => items.attaches.push(item),
            ast::Item::Train(item) => keep("train", &mut items.train, item, |item| item.span, sink),
        }
    }
    report_missing(&items, file.items.first().map(ast::Item::span), sink);
    items
}

/// The first of its kind; a further one is a mistake, labelled at its keyword.
fn keep<'a, T>(
    keyword: &'static str,
    slot: &mut Option<&'a T>,
    item: &'a T,
    span: fn(&T) -> Span,
    sink: &mut Diagnostics,
) {
    let word = |item: &T| Span::new(span(item).start, span(item).start + keyword.len());
    match slot {
        Some(first) => sink.push(RepeatedItem { keyword, first: word(first), again: word(item) }),
        None => *slot = Some(item),
    }
}

fn report_missing(items: &Items, first: Option<Span>, sink: &mut Diagnostics) {
    let needed = [
        ("model", items.model.is_some()),
        ("backbone", items.backbone.is_some()),
        ("sequence", items.sequence.is_some()),
        ("tasks", items.tasks.is_some()),
    ];
    let missing: Vec<&str> = needed.iter().filter(|(_, there)| !there).map(|(keyword, _)| *keyword).collect();
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

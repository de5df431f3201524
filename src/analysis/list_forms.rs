//! `variant`: the forms of a model, which are itself and its variants.
//!
//! A form is a chain of item lists: the model's own, then those of the variants that it differs by. Later passes
//! read the chain in order, what stands later replacing what stands before.

use std::collections::HashMap;

use miette::Diagnostic;
use thiserror::Error;

use super::check_names::check_identifier;
use crate::{
    diagnostics::{Diagnostics, did_you_mean},
    ir::Program,
    span::Span,
    syntax::ast::{self, Item, Variant, Word},
};

/// The most variants: each is checked as a whole model.
const MOST: usize = 100;

/// The most items, those of the variants included: five for each layer of the deepest backbone.
const ITEMS: usize = 5_000;

/// A model as it stands, or as one of its variants.
#[derive(Clone, Debug)]
pub struct Form<'a> {
    /// `None` for the model itself.
    pub variant: Option<&'a Variant>,
    /// The model's own items, then the items of each variant on the way to this one.
    pub chain: Vec<Vec<&'a Item>>,
}

/// The model itself, then each variant that has no mistake of its own, in the order of the file.
pub fn list_forms<'a>(file: &'a ast::File, sink: &mut Diagnostics) -> Vec<Form<'a>> {
    let mut own = Vec::new();
    let mut variants = Vec::new();
    let mut left = ITEMS;
    let mut is_full = false;
    for item in &file.items {
        let count = if let Item::Variant(variant) = item { 1 + variant.items.len() } else { 1 };
        if count > left {
            if !is_full {
                sink.push(TooManyItems { most: ITEMS, span: item.keyword_span() });
                is_full = true;
            }
            // What a model has once is not missing because of that.
            if !matches!(item.keyword(), "model" | "backbone" | "sequence" | "tasks") {
                continue;
            }
        }
        left = left.saturating_sub(count);
        match item {
            Item::Variant(variant) => variants.push(variant),
            Item::Drop(_) | Item::Unfreeze(_) | Item::Detach(_) => {
                sink.push(OutsideVariant { keyword: item.keyword(), span: item.keyword_span() });
            }
            item => own.push(item),
        }
    }
    if let Some(first) = variants.get(MOST) {
        sink.push(TooMany { most: MOST, span: first.name.span });
        variants.truncate(MOST);
    }
    let by_name = index(&variants, sink);
    let mut forms = vec![Form { variant: None, chain: vec![own.clone()] }];
    for variant in &variants {
        check_items(variant, sink);
    }
    let is_broken = file.broken.iter().any(|keyword| keyword == "variant");
    for &variant in &variants {
        let is_named = by_name.get(variant.name.text.as_str()).is_some_and(|v| std::ptr::eq(*v, variant));
        if is_named && let Some(path) = path(variant, &by_name, is_broken, sink) {
            let lists = path.iter().map(|variant| differences(variant));
            forms.push(Form {
                variant: Some(variant),
                chain: std::iter::once(own.clone()).chain(lists).collect(),
            });
        }
    }
    forms
}

/// Variants by name; of two with one name, the first.
fn index<'a>(variants: &[&'a Variant], sink: &mut Diagnostics) -> HashMap<&'a str, &'a Variant> {
    let mut by_name: HashMap<&str, &Variant> = HashMap::new();
    for variant in variants {
        check_identifier("variant", &variant.name, &[], sink);
        let name = &variant.name;
        match by_name.get(name.text.as_str()) {
            Some(first) => {
                sink.push(Duplicate { name: name.text.clone(), first: first.name.span, again: name.span })
            }
            None => {
                by_name.insert(&name.text, variant);
            }
        }
    }
    by_name
}

/// The variants from the model to this one; `None` where one of them does not exist or is of itself.
fn path<'a>(
    variant: &'a Variant,
    by_name: &HashMap<&str, &'a Variant>,
    is_broken: bool,
    sink: &mut Diagnostics,
) -> Option<Vec<&'a Variant>> {
    let mut path = vec![variant];
    let mut next = variant.of.as_ref();
    while let Some(of) = next {
        let Some(&base) = by_name.get(of.text.as_str()) else {
            // The one that is meant may be one that could not be read; and each is told once, at its own word.
            if !is_broken && path.len() == 1 {
                sink.push(Unknown::new(of, by_name));
            }
            return None;
        };
        if path.iter().any(|known| std::ptr::eq(*known, base)) {
            // Of the variants of one cycle, the first tells.
            let is_first = path.iter().all(|other| variant.name.span <= other.name.span);
            if std::ptr::eq(base, variant) && is_first {
                sink.push(Cycle {
                    name: variant.name.text.clone(),
                    span: of.span,
                    variant: variant.name.span,
                });
            }
            return None;
        }
        path.push(base);
        next = base.of.as_ref();
    }
    path.reverse();
    Some(path)
}

/// The items of a variant that may differ.
fn differences(variant: &Variant) -> Vec<&Item> {
    variant.items.iter().filter(|item| may_differ(item)).collect()
}

fn may_differ(item: &Item) -> bool {
    !matches!(item, Item::Model(_) | Item::Backbone(_) | Item::Variant(_))
}

fn check_items(variant: &Variant, sink: &mut Diagnostics) {
    for item in variant.items.iter().filter(|item| !may_differ(item)) {
        sink.push(CannotDiffer { keyword: item.keyword(), span: item.keyword_span() });
    }
}

/// Warns of a variant whose program is that of what it is a variant of. `before`: the programs of earlier forms.
pub fn check_difference(program: &Program, before: &[Program], variant: &Variant, sink: &mut Diagnostics) {
    let of = variant.of.as_ref().map(|of| of.text.as_str());
    let Some(base) = before.iter().find(|base| base.variant.as_deref() == of) else { return };
    if *program == (Program { variant: program.variant.clone(), ..base.clone() }) {
        sink.push(Empty { name: variant.name.text.clone(), span: variant.name.span });
    }
}

#[derive(Debug, Error, Diagnostic)]
#[error("`{keyword}` is a difference, and stands outside of a variant")]
#[diagnostic(
    code(cam::variant::outside),
    help("`variant NAME {{ {keyword} .. }}`; in the model itself, leave out what is not wanted")
)]
struct OutsideVariant {
    keyword: &'static str,
    #[label("different from what?")]
    span: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("a variant cannot have another `{keyword}`")]
#[diagnostic(
    code(cam::variant::item),
    help(
        "a variant differs in `attach`, `detach`, `freeze`, `unfreeze`, `tasks`, `drop`, `include`, `sequence`, \
         `fidelity` and `train`, and has its own `assert`"
    )
)]
struct CannotDiffer {
    keyword: &'static str,
    #[label("the same for all variants")]
    span: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("the variant `{name}` changes nothing")]
#[diagnostic(
    code(cam::variant::empty),
    severity(Warning),
    help("the model itself needs no variant: it is what is built without `--variant`")
)]
struct Empty {
    name: String,
    #[label("no difference")]
    span: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("two variants are named `{name}`")]
#[diagnostic(code(cam::variant::duplicate), help("`--variant {name}` can name one of them only"))]
struct Duplicate {
    name: String,
    #[label("first here")]
    first: Span,
    #[label(primary, "and again here")]
    again: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("no variant is named `{name}`")]
#[diagnostic(code(cam::variant::unknown), help("{help}"))]
struct Unknown {
    name: String,
    help: String,
    #[label("unknown variant")]
    span: Span,
}

impl Unknown {
    fn new(of: &Word, by_name: &HashMap<&str, &Variant>) -> Self {
        let mut names: Vec<&str> = by_name.keys().copied().collect();
        names.sort_unstable();
        Self { name: of.text.clone(), help: did_you_mean(&of.text, &names), span: of.span }
    }
}

#[derive(Debug, Error, Diagnostic)]
#[error("the variant `{name}` is a variant of itself")]
#[diagnostic(
    code(cam::variant::cycle),
    help("one of the variants on the way back to it has to be of the model")
)]
struct Cycle {
    name: String,
    #[label(primary, "leads back")]
    span: Span,
    #[label("to this variant")]
    variant: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("a model has at most {most} items, those of its variants included")]
#[diagnostic(code(cam::item::too_many), help("ranges say the same in one: `attach norm to layers 0..12`"))]
struct TooManyItems {
    most: usize,
    #[label("one too many")]
    span: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("a model has at most {most} variants")]
#[diagnostic(code(cam::variant::too_many), help("`--set` changes a training setting without a variant"))]
struct TooMany {
    most: usize,
    #[label("one too many")]
    span: Span,
}

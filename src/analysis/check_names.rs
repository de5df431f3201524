//! The names of the model, its variants and its tasks: Rust-safe, in snake case.
//!
//! They become a crate, struct fields and checkpoint keys, so what is legal here is what is legal in all of
//! them.

use miette::Diagnostic;
use thiserror::Error;

use super::{index_items::Items, select_tasks::Selected};
use crate::{diagnostics::Diagnostics, span::Span, syntax::ast::Word};

/// Words that Rust keeps for itself, in any edition.
const RUST_WORDS: [&str; 54] = [
    "abstract",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "const",
    "continue",
    "crate",
    "do",
    "dyn",
    "else",
    "enum",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "let",
    "loop",
    "macro",
    "match",
    "mod",
    "move",
    "mut",
    "override",
    "priv",
    "pub",
    "ref",
    "return",
    "self",
    "static",
    "struct",
    "super",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "union",
    "unsafe",
    "unsized",
    "use",
    "virtual",
    "where",
    "while",
    "yield",
    "static_mut",
    "macro_rules",
];

/// Crates that a built model links or that every crate sees; a model of this name would hide them.
const CRATES: [&str; 7] = ["alloc", "camtl", "core", "dfdx", "proc_macro", "std", "test"];

pub fn check_names(items: &Items, selected: &Selected, sink: &mut Diagnostics) {
    if let Some(model) = items.model {
        check_identifier("model", &model.name, &CRATES, sink);
    }
    for task in &selected.tasks {
        check_identifier("task", &task.name, &[], sink);
    }
}

/// `taken`: names that are legal but for those who have them already.
pub fn check_identifier(what: &'static str, name: &Word, taken: &[&str], sink: &mut Diagnostics) {
    let reserved = RUST_WORDS.contains(&name.text.as_str()) || taken.contains(&name.text.as_str());
    let why = if reserved {
        "is reserved"
    } else if name.text.starts_with(|c: char| c.is_ascii_digit()) {
        "starts with a digit"
    } else if name.text.len() > LONGEST {
        "is too long"
    } else if !is_snake_case(&name.text) {
        "is not in snake case"
    } else {
        return;
    };
    let legal = legal_name(what, &name.text);
    sink.push(Identifier { what, name: name.text.clone(), why, legal, span: name.span });
}

/// Bytes of the longest name: names are parts of file names.
const LONGEST: usize = 64;

/// `[a-z_][a-z0-9_]*` with a letter in it, and no two underscores side by side.
fn is_snake_case(name: &str) -> bool {
    let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    name.chars().all(letters)
        && !name.contains("__")
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.contains(|c: char| c.is_ascii_lowercase())
}

/// The legal name nearest to `name`: `MyModel-2` is `my_model_2`, `2nd` is `task_2nd`.
fn legal_name(what: &str, name: &str) -> String {
    let mut legal = String::new();
    let mut after_lower = false;
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && after_lower {
            legal.push('_');
        }
        after_lower = letter.is_ascii_lowercase() || letter.is_ascii_digit();
        let letter = if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '_' };
        if letter != '_' || !legal.ends_with('_') {
            legal.push(letter);
        }
    }
    legal.truncate(LONGEST - "variant_".len());
    let reserved = RUST_WORDS.contains(&legal.as_str()) || CRATES.contains(&legal.as_str());
    if reserved {
        legal + "_" + what
    } else if is_snake_case(&legal) {
        legal
    } else {
        format!("{what}_{}", legal.trim_start_matches('_'))
    }
}

#[derive(Debug, Error, Diagnostic)]
#[error("the {what} name `{name}` {why}")]
#[diagnostic(code(cam::name::identifier), help("names become identifiers of Rust: `{legal}` is one"))]
struct Identifier {
    what: &'static str,
    name: String,
    why: &'static str,
    legal: String,
    #[label("{why}")]
    span: Span,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggested_names_are_legal() {
        for (what, name, legal) in [
            ("model", "MyModel-2", "my_model_2"),
            ("task", "8ball", "task_8ball"),
            ("task", "match", "match_task"),
            ("task", "SST2", "sst2"),
            ("task", "Self", "self_task"),
            ("model", "std", "std_model"),
            ("task", "é", "task_"),
            ("task", "a__b", "a_b"),
        ] {
            assert_eq!(legal_name(what, name), legal);
            assert!(is_snake_case(legal));
        }
    }
}

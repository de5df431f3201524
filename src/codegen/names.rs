//! From names and values of a program to tokens: identifiers, literals, and the package's name.

use proc_macro2::{Literal, TokenStream};
use quote::quote;
use syn::Ident;

use crate::ir::Program;

/// An identifier that `analysis` has checked, or that this room made itself.
pub fn ident(name: &str) -> Ident {
    syn::parse_str(name).expect("analysis lets only Rust-safe identifiers through")
}

pub fn int(value: usize) -> Literal {
    Literal::usize_unsuffixed(value)
}

/// A float as a person would write it: `2e-5`, `0.01`, `-1.0`.
pub fn float(value: f64) -> TokenStream {
    assert!(value.is_finite(), "analysis lets only finite numbers through");
    let digits = format!("{:?}", value.abs());
    let literal: Literal = digits.parse().expect("the debug form of a finite float is a literal");
    if value < 0.0 { quote!(-#literal) } else { quote!(#literal) }
}

/// Names that cargo keeps for folders among its binaries, and the package that every model depends on.
const TAKEN: [&str; 5] = ["build", "camtl", "deps", "examples", "incremental"];

/// A name for cargo, in which nothing stands before the first letter and words are parted by one `-`.
pub fn package(program: &Program) -> String {
    let name = program.full_name();
    let words: Vec<&str> = name.split(['_', '.']).filter(|word| !word.is_empty()).collect();
    let package = words.join("-");
    match package.as_str() {
        taken if TAKEN.contains(&taken) => package + "-model",
        _ if name.starts_with('_') => format!("model-{package}"),
        _ => package,
    }
}

/// A module of the user's own crate: `reviews`, or `reviews_baseline` for a variant.
pub fn module(program: &Program) -> String {
    program.full_name().replace('.', "_")
}

/// `Some(x)` or `None`.
pub fn option(value: Option<TokenStream>) -> TokenStream {
    match value {
        Some(value) => quote!(Some(#value)),
        None => quote!(None),
    }
}

/// "layer 5", "layers 0..3".
pub fn layers(range: &std::ops::Range<usize>) -> String {
    match range.len() {
        1 => format!("layer {}", range.start),
        _ => format!("layers {}..{}", range.start, range.end),
    }
}

/// "a", "a and b", "a, b and c".
pub fn list(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [start @ .., last] => format!("{} and {last}", start.join(", ")),
    }
}

/// The text with its first letter in upper case.
pub fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}

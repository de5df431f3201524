//! From tokens to the text of a file, laid out as by hand: blank lines between items, docs as `///`.

use proc_macro2::TokenStream;
use quote::quote;

/// A whole file: its doc, and its items with a blank line between them.
pub fn file(doc: &str, items: impl IntoIterator<Item = TokenStream>) -> String {
    let lines = doc_lines(doc);
    let header = format(quote!(#(#![doc = #lines])*));
    std::iter::once(header).chain(texts(items)).collect::<Vec<_>>().join("\n")
}

/// Items, each as its own text.
pub fn texts(items: impl IntoIterator<Item = TokenStream>) -> impl Iterator<Item = String> {
    items.into_iter().map(|item| space_methods(&format(item)))
}

/// A module around the texts of its items; `empty` is the module without them.
pub fn module(empty: TokenStream, items: impl IntoIterator<Item = String>) -> String {
    let empty = format(empty);
    let open = empty.strip_suffix("}\n").expect("a module ends with its brace");
    let items = items.into_iter().collect::<Vec<_>>().join("\n");
    format!("{open}\n{}}}\n", indent(&items))
}

/// No token spans two lines: `quote` writes a line break in a string as `\n`, and a doc has a comment a line.
fn indent(text: &str) -> String {
    let indented = |line: &str| if line == "\n" { line.to_owned() } else { format!("    {line}") };
    text.split_inclusive('\n').map(indented).collect()
}

/// Doc attributes of one item, a line each; prettyplease prints them as `///`.
pub fn doc(text: &str) -> TokenStream {
    let lines = doc_lines(text);
    quote!(#(#[doc = #lines])*)
}

/// Where a line of a doc is broken: prettyplease's own width, less indentation and `/// `.
const DOC_WIDTH: usize = 81;

/// Breaks a text at its line breaks and at spaces. A newline left in it would end the comment, and a bare
/// carriage return is an error in one, as is a letter that turns the direction of text: splitting there removes them.
fn doc_lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split(|c: char| c.is_whitespace() || c.is_control() || turns_text(c)) {
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > DOC_WIDTH {
                lines.push(std::mem::take(&mut line));
            }
            if !word.is_empty() {
                line.push(' ');
                line.push_str(word);
            }
        }
        lines.push(line);
    }
    lines
}

/// Unicode's controls of direction, which rustc denies in comments.
fn turns_text(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn format(tokens: TokenStream) -> String {
    let file = syn::parse2(tokens).expect("what codegen quotes is Rust");
    prettyplease::unparse(&file)
}

/// prettyplease sets methods without a blank line between them: put one after each that another follows.
fn space_methods(item: &str) -> String {
    let is_impl = item.lines().any(|line| line.starts_with("impl"));
    let mut text = String::with_capacity(item.len());
    let mut lines = item.lines().peekable();
    while let Some(line) = lines.next() {
        text.push_str(line);
        text.push('\n');
        if is_impl && line == "    }" && lines.peek().is_some_and(|next| *next != "}") {
            text.push('\n');
        }
    }
    text
}

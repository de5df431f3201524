//! The rooms of the crate and what each may import: the table of the design, checked against the source.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A room, and the rooms of this crate that it may name. Every room may name itself.
const ROOMS: &[(&str, &[&str])] = &[
    // The language and its compiler.
    ("span", &[]),
    ("diagnostics", &["span"]),
    ("syntax", &["span", "diagnostics"]),
    ("ir", &["span"]),
    ("analysis", &["syntax", "ir", "span", "diagnostics"]),
    ("codegen", &["ir"]),
    ("disk", &["analysis", "span", "syntax"]),
    ("explain", &["diagnostics"]),
    ("hub", &[]),
    ("fmt", &["syntax", "span", "diagnostics"]),
    ("graph", &["ir"]),
    ("figures", &[]),
    ("stats", &["ir", "figures"]),
    ("diff", &["ir", "figures"]),
    (
        "cli",
        &[
            "span",
            "diagnostics",
            "syntax",
            "ir",
            "analysis",
            "codegen",
            "fmt",
            "explain",
            "graph",
            "stats",
            "diff",
            "disk",
            "hub",
            "figures",
        ],
    ),
    ("main", &["cli"]),
    // The runtime.
    ("kernels", &[]),
    ("nn", &["kernels"]),
    ("data", &[]),
    ("authors", &["nn", "kernels"]),
    ("train", &["nn", "data", "kernels", "authors"]),
    ("compare", &["authors", "nn", "data", "train", "kernels"]),
    ("runner", &["nn", "data", "train", "kernels", "authors", "compare"]),
    // The names of both halves, and what is meant for other crates.
    ("lib", &[]),
    ("build", &["span", "diagnostics", "ir", "analysis", "codegen", "disk"]),
];

/// Lines above which a file is to be divided.
const LONGEST: usize = 500;

/// What both halves may be told by (`crate::parameters!` is a macro, not a room).
const MACROS: [&str; 1] = ["parameters"];

#[test]
fn rooms_import_only_what_the_table_allows() {
    let mut offences = Vec::new();
    for file in source_files() {
        let Some((room, allowed)) = ROOMS.iter().find(|(room, _)| *room == room_of(&file)) else {
            offences.push(format!("{}: the room is not in the table", file.display()));
            continue;
        };
        for named in named_rooms(&read(&file), root(room)) {
            if named != *room && !allowed.contains(&named.as_str()) && !MACROS.contains(&named.as_str()) {
                offences.push(format!("{}: `{room}` may not import `{named}`", file.display()));
            }
        }
    }
    assert!(offences.is_empty(), "\n{}", offences.join("\n"));
}

#[test]
fn the_compiler_and_the_runtime_never_meet() {
    let runtime = ["kernels", "nn", "data", "authors", "train", "compare", "runner"];
    for (room, allowed) in ROOMS {
        let is_runtime = runtime.contains(room);
        let meets = allowed.iter().find(|other| runtime.contains(other) != is_runtime);
        assert_eq!(meets, None, "the table lets `{room}` import from the other half");
    }
}

#[test]
fn every_file_says_what_it_is_for_and_is_short() {
    let mut offences = Vec::new();
    for file in source_files() {
        let text = read(&file);
        if !text.starts_with("//! ") {
            offences.push(format!("{}: the first line is no `//!` doc", file.display()));
        }
        let lines = text.lines().count();
        if lines > LONGEST {
            offences.push(format!("{}: {lines} lines, the most is {LONGEST}", file.display()));
        }
    }
    assert!(offences.is_empty(), "\n{}", offences.join("\n"));
}

#[test]
fn imports_are_found_however_they_are_written() {
    let text = "
        use crate::ir::Program;
        use crate::{span::{Source, Span}, syntax::{self, ast}, stats};
        fn f() -> crate::codegen::Crate { crate::graph::render() }
        /// [`crate::nn::Model`] in a doc, // and crate::train in a comment, are not imports.
        pub(crate) use crate::cli;
        let path = quote!(camtl::runner::main);
    ";
    let found: Vec<String> = named_rooms(text, root("graph")).into_iter().collect();
    assert_eq!(found, ["cli", "codegen", "graph", "ir", "span", "stats", "syntax"]);
}

/// How a room names the crate: `main.rs` is outside of it, and elsewhere `camtl::` stands only in quoted code.
fn root(room: &str) -> &'static str {
    if room == "main" { "camtl::" } else { "crate::" }
}

/// The rooms that follow `root` in code.
fn named_rooms(text: &str, root: &str) -> BTreeSet<String> {
    let code: Vec<&str> = text.lines().map(|line| line.split("//").next().unwrap_or("")).collect();
    let code = code.join("\n");
    let mut rooms = BTreeSet::new();
    for (at, _) in code.match_indices(root) {
        let is_whole = !code[..at].ends_with(|c: char| c.is_alphanumeric() || "_\"`$".contains(c));
        if is_whole {
            heads(&code[at + root.len()..], &mut rooms);
        }
    }
    rooms
}

/// The first names of a path, or of each path of a group in braces.
fn heads(rest: &str, rooms: &mut BTreeSet<String>) {
    let Some(group) = rest.strip_prefix('{') else {
        rooms.extend(first_name(rest));
        return;
    };
    let mut depth = 0;
    let mut start = 0;
    for (i, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                rooms.extend(first_name(group[start..i].trim()));
                start = i + 1;
                if c == '}' {
                    return;
                }
            }
            _ => {}
        }
    }
}

/// A name in lower case: an item of the crate's root, such as a macro or a type, is no room.
fn first_name(path: &str) -> Option<String> {
    let name: String = path.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    name.starts_with(|c: char| c.is_lowercase()).then_some(name)
}

/// `src/nn/norm.rs` and `src/nn.rs` are of the room `nn`.
fn room_of(file: &Path) -> String {
    let inside = file.strip_prefix(source()).expect("below the source folder");
    let first = inside.components().next().expect("a file has a name");
    Path::new(first.as_os_str()).with_extension("").to_string_lossy().into_owned()
}

fn source_files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![source()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the source can be listed") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).expect("the source can be read")
}

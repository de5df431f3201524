//! From a [`Program`] to the Rust crate that trains and runs it: `lower` is a pure function to file texts.
//! [`embed`] makes one file of the same parts, for a crate that somebody else wrote.
//!
//! | file of the crate | made by |
//! |---|---|
//! | `Cargo.toml`, `.cargo/config.toml`, `Cargo.lock` | `manifest` |
//! | `src/main.rs` | `entry` |
//! | `src/tasks.rs`: `PLAN`, all that is not the network | `tasks`, `sources` |
//! | `src/network.rs`: `Encoder` and `Heads`, typed by their shapes | `network`, from `group_layers` |
//! | `model.cam` | the model's own text, verbatim |
//!
//! Rust is made with `quote` and printed with `prettyplease`, never pasted from strings, so that a name or a
//! string of the model can't break out into code. The input is checked: a panic here is a bug of `analysis`.
//! Deliberately absent: the file system, and any import of the runtime; the paths that these files print are
//! the only contract with it.

mod embedded;
mod encoder;
mod entry;
mod group_layers;
mod heads;
mod manifest;
mod names;
mod network;
mod print;
mod sources;
mod tasks;

use std::path::PathBuf;

use crate::ir::Program;

/// The files of one generated crate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crate {
    /// The package's name, which is also its binary's.
    pub name: String,
    /// In the order in which a reader would open them.
    pub files: Vec<File>,
}

/// One generated file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Relative to the crate's root, with `/` between folders.
    pub path: &'static str,
    pub text: String,
}

/// What the crate is to be like, apart from the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    pub runtime: Runtime,
    /// Run on any processor of this kind, instead of using all that the building machine's offers.
    pub portable: bool,
    /// Run on NVIDIA's GPUs as well.
    pub cuda: bool,
}

/// Where the generated crate finds `camtl`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Runtime {
    /// A checkout of its source.
    Path(PathBuf),
    /// A release on the registry, exactly this one.
    Version(String),
}

/// The first words of a generated `Cargo.toml`: what tells a folder of camtlc's from anybody else's.
pub const MARKER: &str = "# Made by camtlc";

/// Lowers a program; `source` is the model's text, which travels inside the binary and every run.
pub fn lower(program: &Program, source: &str, options: &Options) -> Crate {
    let mut files = vec![
        File { path: "Cargo.toml", text: manifest::cargo_toml(program, options) },
        File { path: "src/main.rs", text: entry::main_rs(program) },
        File { path: "src/network.rs", text: network::network_rs(program) },
        File { path: "src/tasks.rs", text: tasks::tasks_rs(program) },
        File { path: "model.cam", text: source.to_owned() },
        File { path: "Cargo.lock", text: manifest::LOCK.to_owned() },
    ];
    if !options.portable {
        files.push(File { path: ".cargo/config.toml", text: manifest::CONFIG.to_owned() });
    }
    Crate { name: names::package(program), files }
}

/// The name of the module that [`embed`] makes.
pub fn module(program: &Program) -> String {
    names::module(program)
}

/// Lowers a program to one file for `camtl::include_model!`: a module with the model's name, in it the network,
/// the plan and what loads a trained model; `source` is the model's text.
pub fn embed(program: &Program, source: &str) -> String {
    embedded::embedded_rs(program, source)
}

/// What a checkpoint is bound to: equal for two programs whose networks and tasks are equal.
///
/// BLAKE3 over the program's JSON without what may change between two runs of one network, that is, without
/// the training settings, the tasks' weights, the summary and the variant's name; the first 32 hexadecimal digits.
pub fn fingerprint(program: &Program) -> String {
    let mut json = serde_json::to_value(program).expect("a program has only maps with string keys");
    let fields = json.as_object_mut().expect("a struct is an object");
    fields.shift_remove("training");
    fields.shift_remove("summary");
    fields.shift_remove("variant");
    for task in fields["tasks"].as_array_mut().into_iter().flatten() {
        task.as_object_mut().expect("a struct is an object").shift_remove("weight");
    }
    let hash = blake3::hash(json.to_string().as_bytes()).to_hex();
    hash[..32].to_owned()
}

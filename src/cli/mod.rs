//! `camtlc`'s side of the file system, the terminal and other processes: thin commands over the compiler.
//!
//! [`args`] is data, `main.rs` dispatches, and each command has a file:
//!
//! | commands | what they do with a model |
//! |---|---|
//! | [`check`], [`fmt`], [`graph`], [`stats`], [`diff`] | read it, and print what the compiler has to say |
//! | [`build`] | lower it, and let cargo build the binary |
//! | [`simulate`] | build it, and tell what its program would draw, and at what cost |
//! | [`train`], [`resume`], [`eval`], [`predict`], [`compare`], [`export`] | build it, and become its binary (`become_binary`) |
//! | [`explain`] | nothing: tells what stands behind the code of a mistake |
//! | [`new`] | write a first one |
//! | [`quickstart_data`] | nothing: writes three small tasks to train on |
//! | [`doctor`] | nothing: tells what this machine has and what to install |
//! | [`completions`] | nothing: prints what a shell completes commands with |
//!
//! A build is `home` (where everything lies), `stamp` (is there anything to do?), `crate_files` (what cargo
//! reads), `cargo` (run it, and say what went wrong) and `driver` (these in order). Results go to stdout;
//! progress, warnings and errors go to stderr, so that output can be piped.

pub mod args;

pub mod build;
pub mod check;
pub mod compare;
pub mod completions;
pub mod device;
pub mod diff;
pub mod doctor;
pub mod eval;
pub mod explain;
pub mod export;
pub mod fmt;
pub mod graph;
pub mod new;
pub mod predict;
pub mod quickstart_data;
pub mod resume;
pub mod simulate;
pub mod stats;
pub mod train;

mod backbone;
mod become_binary;
mod cargo;
mod crate_files;
mod driver;
mod failure;
mod files;
mod home;
mod load;
mod output;
mod prune_binaries;
mod stamp;
mod status_line;
mod workload;

pub use failure::{Failure, Outcome};

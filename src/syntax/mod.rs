//! Text to [`ast`]: what was written, with spans and comments, nothing judged but its shape.
//!
//! The grammar is `grammar/cam.pest`. Words are not checked here: `analysis` knows the legal ones.

pub mod ast;
mod mistakes;
mod parse;
mod pieces;
mod recover;

pub use parse::{LONGEST, parse, parse_at};

//! The language's front end under texts of every kind: legal ones in odd layouts, damaged ones, and ones made to
//! hurt. What holds of each is in `properties`, which `fuzz/` asks of its inputs too.
#![cfg(feature = "compiler")]

mod crates;
mod damaged;
mod dice;
mod generate;
mod hard;
mod layout;
mod legal;
mod properties;
mod tasks;
mod training;
mod variants;

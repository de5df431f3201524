//! `camtlc` as a user meets it: exit codes, and what stands on stdout and stderr. Nothing is built here.

mod build;
mod check;
#[cfg(unix)]
mod doctor;
mod show;
mod support;
mod write;

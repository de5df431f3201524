//! Ctrl-C: the first one ends the training after its step, the second one at once.

use std::sync::atomic::{AtomicBool, Ordering};

/// What a shell reports of a program that SIGINT ended.
const INTERRUPTED: i32 = 130;

static STOP: AtomicBool = AtomicBool::new(false);

/// Watches for Ctrl-C and says whether it came.
pub fn watch() -> &'static AtomicBool {
    let handler = || {
        if STOP.swap(true, Ordering::Relaxed) {
            std::process::exit(INTERRUPTED);
        }
        eprintln!("stopping after this step, with a checkpoint; Ctrl-C again to stop at once");
    };
    if let Err(error) = ctrlc::set_handler(handler) {
        tracing::warn!(%error, "Ctrl-C will end the training without a checkpoint");
    }
    &STOP
}

//! Writing to stdout, where a reader that has seen enough (`camtlc graph x.cam | head`) is no error.

use std::io::{self, Write as _};

use super::Outcome;
use super::failure::refused;

/// Writes a text that ends with its own line break.
pub fn print(text: &str) -> Outcome {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(refused("write to", "stdout")(error).into())
        }
        _ => Ok(()),
    }
}

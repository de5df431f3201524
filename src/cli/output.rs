//! The two streams: stdout, where a reader that has seen enough (`camtlc graph x.cam | head`) is no error, and
//! what both can show.

use std::io::{self, IsTerminal as _, Write as _};

use super::Outcome;
use super::failure::refused;
use crate::diagnostics::Style;

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

/// Is stderr a terminal whose user has not said no to colors?
pub fn has_colors() -> bool {
    io::stderr().is_terminal() && wants_colors()
}

/// Like [`has_colors`], for stdout.
pub fn stdout_style() -> Style {
    if io::stdout().is_terminal() && wants_colors() { Style::Color } else { Style::Plain }
}

fn wants_colors() -> bool {
    std::env::var_os("NO_COLOR").is_none()
}

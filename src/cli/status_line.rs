//! One line on stderr that is rewritten while something runs; on anything but a terminal, nothing.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

pub struct StatusLine {
    is_terminal: bool,
    start: Instant,
}

impl StatusLine {
    pub fn new() -> Self {
        Self { is_terminal: io::stderr().is_terminal(), start: Instant::now() }
    }

    /// Rewrites the line; the time since the start is added.
    pub fn show(&self, text: &str) {
        if self.is_terminal {
            self.draw(&format!("{text} ({:.0} s)", self.elapsed().as_secs_f64()));
        }
    }

    /// A line that stays, on a terminal or not.
    pub fn note(&self, text: &str) {
        self.clear();
        eprintln!("{text}");
    }

    pub fn clear(&self) {
        if self.is_terminal {
            self.draw("");
        }
    }

    pub fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// Progress that cannot be shown is no reason to stop.
    fn draw(&self, text: &str) {
        let mut stderr = io::stderr().lock();
        let _ = write!(stderr, "\r\x1b[2K{text}");
        let _ = stderr.flush();
    }
}

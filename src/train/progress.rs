//! What a person sees of a running training: a bar on a terminal, now and then a line elsewhere.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Steps between two lines where there is no terminal.
const LINE_EVERY: usize = 50;

pub struct Progress {
    /// `None` without a terminal.
    bar: Option<ProgressBar>,
    total: usize,
    /// The first that is made.
    first: usize,
}

impl Progress {
    /// Of `total` steps, `done` of which were made before.
    pub fn new(total: usize, done: usize) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(total as u64);
            let style = ProgressStyle::with_template("{bar:30} {pos}/{len}  {per_sec}  ETA {eta}  {msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.set_position(done as u64);
            bar.reset_eta();
            bar.enable_steady_tick(Duration::from_millis(500));
            bar
        });
        Self { bar, total, first: done + 1 }
    }

    pub fn step(&self, step: usize, loss: f64, lr: f64, tokens_per_s: f64) {
        match &self.bar {
            Some(bar) => {
                bar.set_message(format!("loss {loss:.4}  lr {lr:.2e}"));
                bar.set_position(step as u64);
            }
            None if step == self.first || step.is_multiple_of(LINE_EVERY) || step == self.total => {
                let total = self.total;
                eprintln!("step {step}/{total}  loss {loss:.4}  lr {lr:.2e}  {tokens_per_s:.0} tokens/s");
            }
            None => {}
        }
    }

    /// So many of all are done; where there is no terminal, nothing is said.
    pub fn reach(&self, done: usize) {
        if let Some(bar) = &self.bar {
            bar.set_position(done as u64);
        }
    }

    /// How far something between two steps has come.
    pub fn part(&self, name: &str, done: usize, all: usize) {
        if let Some(bar) = &self.bar {
            bar.set_message(format!("{name} {:.0}%", 100.0 * done as f64 / all as f64));
        }
    }

    /// Says something between two steps.
    pub fn say(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| eprintln!("{text}")),
            None => eprintln!("{text}"),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

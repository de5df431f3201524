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
}

impl Progress {
    pub fn new(total: usize) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(total as u64);
            let style = ProgressStyle::with_template("{bar:30} {pos}/{len}  {per_sec}  ETA {eta}  {msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.enable_steady_tick(Duration::from_millis(500));
            bar
        });
        Self { bar, total }
    }

    pub fn step(&self, step: usize, loss: f64, lr: f64, tokens_per_s: f64) {
        match &self.bar {
            Some(bar) => {
                bar.set_message(format!("loss {loss:.4}  lr {lr:.2e}"));
                bar.set_position(step as u64);
            }
            None if step == 1 || step.is_multiple_of(LINE_EVERY) || step == self.total => {
                let total = self.total;
                eprintln!("step {step}/{total}  loss {loss:.4}  lr {lr:.2e}  {tokens_per_s:.0} tokens/s");
            }
            None => {}
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

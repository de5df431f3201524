//! A bar on a terminal while files come; elsewhere nothing, since a line each says enough.

use std::collections::HashMap;
use std::io::IsTerminal as _;
use std::sync::Mutex;
use std::time::Duration;

use hf_hub::progress::{DownloadEvent, ProgressEvent, ProgressHandler};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

pub struct Bar {
    bar: ProgressBar,
    /// Bytes that came of each file.
    files: Mutex<HashMap<String, u64>>,
}

impl Bar {
    pub fn new(bytes: u64) -> Self {
        let hidden = !std::io::stderr().is_terminal();
        let target = if hidden { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(Some(bytes), target);
        let style =
            ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes}  {binary_bytes_per_sec}  ETA {eta}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        if !hidden {
            bar.enable_steady_tick(Duration::from_millis(500));
        }
        Self { bar, files: Mutex::default() }
    }
}

impl ProgressHandler for Bar {
    fn on_progress(&self, event: &ProgressEvent) {
        let ProgressEvent::Download(event) = event else { return };
        match event {
            DownloadEvent::Progress { files } => {
                // a panic of another thread leaves counts, which are only shown
                let mut done = self.files.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                for file in files {
                    done.insert(file.filename.clone(), file.bytes_completed);
                }
                self.bar.set_position(done.values().sum());
            }
            DownloadEvent::AggregateProgress { bytes_completed, .. } => {
                self.bar.set_position((*bytes_completed).max(self.bar.position()));
            }
            DownloadEvent::Complete => self.bar.finish_and_clear(),
            DownloadEvent::Start { .. } => {}
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

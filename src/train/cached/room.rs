//! What caches of other networks take, and removing them, those that were not used for longest first.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::store::{INDEX, ROWS};

/// The folders beside a cache's own.
#[derive(Debug, Default)]
pub struct Others {
    folders: VecDeque<Other>, // the oldest first
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Other {
    used: SystemTime,
    path: PathBuf,
    bytes: u64,
}

impl Others {
    /// The folders in `folder` but for `own`.
    pub fn beside(folder: &Path, own: &str) -> Self {
        let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
        let others = entries.filter(|entry| entry.file_name() != own).map(|entry| entry.path());
        let mut folders: Vec<Other> = others.filter_map(Other::at).collect();
        folders.sort();
        Self { folders: folders.into() }
    }

    pub fn bytes(&self) -> u64 {
        self.folders.iter().map(|other| other.bytes).sum()
    }

    /// Removes the oldest; `false` if there is none. One that a training holds stays, and is not counted any more:
    /// it keeps to its own bytes.
    pub fn remove_one(&mut self) -> bool {
        let Some(Other { path, .. }) = self.folders.pop_front() else { return false };
        // held until it is removed, so that nobody begins to fill it; without an index nobody does
        let index = File::open(path.join(INDEX));
        if index.as_ref().map_or(true, |index| index.try_lock().is_ok()) {
            tracing::info!(folder = %path.display(), "cache of another network removed to make room");
            // best effort: what cannot be removed is not in this cache's way
            for file in [INDEX, ROWS] {
                let _ = fs::remove_file(path.join(file));
            }
            let _ = fs::remove_dir(&path);
        }
        true
    }
}

impl Other {
    /// `None` for what is not a cache's folder.
    fn at(path: PathBuf) -> Option<Self> {
        let index = fs::metadata(path.join(INDEX)).ok()?;
        let rows = fs::metadata(path.join(ROWS)).map_or(0, |rows| rows.len());
        Some(Self { used: index.modified().ok()?, path, bytes: index.len() + rows })
    }
}

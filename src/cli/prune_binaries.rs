//! Keeps the folder of binaries small: every edit of a model makes a new one, and nobody goes back far.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Binaries kept of each model.
const KEPT: usize = 8;

/// Removes the oldest binaries of the model `name`. What can't be removed, because it runs, may stay.
pub fn prune_binaries(bin: &Path, name: &str) {
    let Ok(entries) = fs::read_dir(bin) else { return };
    let mut binaries: Vec<(SystemTime, PathBuf)> = entries
        .filter_map(Result::ok)
        .filter(|entry| is_of(name, &entry.file_name().to_string_lossy()))
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    binaries.sort();
    let surplus = binaries.len().saturating_sub(KEPT);
    for (_, path) in &binaries[..surplus] {
        let _ = fs::remove_file(path);
    }
}

/// "NAME-HASH": another model's name may begin with this one's and a hyphen.
fn is_of(name: &str, file: &str) -> bool {
    let file = file.strip_suffix(std::env::consts::EXE_SUFFIX).unwrap_or(file);
    let hash = file.strip_prefix(name).and_then(|rest| rest.strip_prefix('-'));
    hash.is_some_and(|hash| hash.len() == super::stamp::DIGITS && hash.chars().all(|c| c.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{KEPT, prune_binaries};

    #[test]
    fn only_the_oldest_of_one_model_go() {
        let bin = tempfile::tempdir().expect("a temporary folder");
        for i in 0..KEPT + 2 {
            fs::write(bin.path().join(format!("small-{i:012x}")), "").expect("written");
        }
        fs::write(bin.path().join("small-er-000000000000"), "").expect("written");
        prune_binaries(bin.path(), "small");
        let count = fs::read_dir(bin.path()).expect("listed").count();
        assert_eq!(count, KEPT + 1);
        assert!(bin.path().join("small-er-000000000000").is_file());
    }
}

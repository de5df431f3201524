//! Writing files and folders whole or not at all.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A path is the cause of most failures to read or write: it belongs in the message.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("`{}` cannot be {action}", .path.display())]
#[diagnostic(code(file::io))]
pub struct FileError {
    pub path: PathBuf,
    pub action: &'static str,
    #[source]
    pub cause: io::Error,
}

/// Names the path, and what was to be done with it.
pub fn at<T>(path: &Path, action: &'static str, result: io::Result<T>) -> Result<T, FileError> {
    result.map_err(|cause| FileError { path: path.to_owned(), action, cause })
}

/// Replaces a file: a reader sees the old content or the new.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let beside = beside(path);
    let result = (|| {
        let mut file = File::create(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)
    })();
    if result.is_err() {
        // best effort: the first failure is the one to report
        let _ = fs::remove_file(&beside);
    }
    at(path, "written", result)
}

/// Makes a folder: `fill` writes its content under a passing name, then it gets its own. An empty folder of that
/// name is replaced, any other is an error.
pub fn folder<E: From<FileError>>(path: &Path, fill: impl FnOnce(&Path) -> Result<(), E>) -> Result<(), E> {
    let beside = beside(path);
    let done = at(&beside, "made", fs::create_dir_all(&beside))
        .map_err(E::from)
        .and_then(|()| fill(&beside))
        .and_then(|()| Ok(at(path, "made", fs::rename(&beside, path))?));
    if done.is_err() {
        // as above
        let _ = fs::remove_dir_all(&beside);
    }
    done
}

/// A hidden name in the same folder, so that renaming stays within the file system.
fn beside(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}", std::process::id()));
    path.with_file_name(name)
}

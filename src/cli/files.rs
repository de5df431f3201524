//! Writing whole files. It is atomic: a reader sees the old text or the new one, and so does
//! the user after a crash.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use tempfile::{Builder, NamedTempFile};

use super::Outcome;
use super::failure::refused;

pub fn create_folder(path: &Path) -> Outcome {
    Ok(fs::create_dir_all(path).map_err(refused("create the folder", path))?)
}

/// Replaces a file that is there, through links and with its permissions kept.
pub fn replace(path: &Path, text: &str) -> Outcome {
    let path = path.canonicalize().map_err(refused("read", path))?;
    let permissions = fs::metadata(&path).map_err(refused("read", &path))?.permissions();
    let file = beside(&path, text)?;
    file.as_file().set_permissions(permissions).map_err(refused("write", &path))?;
    file.persist(&path).map_err(|error| refused("write", &path)(error.error))?;
    Ok(())
}

/// Writes a file and the folders above it; leaves one that has this text already untouched, date and all.
pub fn write(path: &Path, text: &str) -> Outcome {
    if fs::read(path).is_ok_and(|old| old == text.as_bytes()) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        create_folder(folder)?;
    }
    beside(path, text)?.persist(path).map_err(|error| refused("write", path)(error.error))?;
    Ok(())
}

/// Writes a file that is not there yet, and the folders above it; gives whether it was not there.
pub fn create(path: &Path, text: &str) -> Outcome<bool> {
    if let Some(folder) = path.parent() {
        create_folder(folder)?;
    }
    match beside(path, text)?.persist_noclobber(path) {
        Ok(_) => Ok(true),
        Err(taken) if taken.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(refused("write", path)(error.error).into()),
    }
}

/// Copies a file, permissions included, so that nobody sees half of it.
pub fn copy(from: &Path, to: &Path) -> Outcome {
    let file = temporary(to)?.into_temp_path();
    fs::copy(from, &file).map_err(refused("copy", from))?;
    file.persist(to).map_err(|error| refused("write", to)(error.error))?;
    Ok(())
}

fn beside(path: &Path, text: &str) -> Outcome<NamedTempFile> {
    let mut file = temporary(path)?;
    file.write_all(text.as_bytes()).map_err(refused("write", path))?;
    Ok(file)
}

/// A new file in the folder of `path`, as readable as any that a program makes.
fn temporary(path: &Path) -> Outcome<NamedTempFile> {
    let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    let mut builder = Builder::new();
    builder.prefix(".camtlc-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    Ok(builder.tempfile_in(folder).map_err(refused("write", path))?)
}

#[cfg(test)]
mod tests {
    use super::{create, replace, write};

    #[test]
    fn writing_makes_folders_and_replacing_keeps_one_file() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a/b.txt");
        write(&path, "one").expect("written");
        replace(&path, "two").expect("replaced");
        assert_eq!(std::fs::read_to_string(&path).expect("read"), "two");
        let files = std::fs::read_dir(folder.path().join("a")).expect("listed").count();
        assert_eq!(files, 1);
    }

    #[test]
    fn a_file_that_is_there_is_not_created() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a/b.txt");
        assert!(create(&path, "one").expect("created"));
        assert!(!create(&path, "two").expect("left alone"));
        assert_eq!(std::fs::read_to_string(&path).expect("read"), "one");
    }

    #[test]
    fn a_file_that_is_not_there_is_not_replaced() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        assert!(replace(&folder.path().join("none"), "text").is_err());
    }
}

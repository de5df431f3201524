//! A generated crate on the disk: in camtlc's own folder, and wherever `--emit` wants it.

use std::fs;
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use thiserror::Error;

use super::failure::refused;
use super::{Outcome, files};
use crate::codegen::{Crate, MARKER};

const CONFIG: &str = ".cargo/config.toml";

/// Writes what has changed, so that cargo builds only what has to be.
pub fn write(generated: &Crate, folder: &Path) -> Outcome {
    for file in &generated.files {
        files::write(&folder.join(file.path), &file.text)?;
    }
    remove_stale(generated, folder)
}

/// Writes a crate for people: a new folder appears whole or not at all, and only camtlc's own are written over.
pub fn emit(generated: &Crate, folder: &Path) -> Outcome {
    if is_occupied(folder)? {
        if !is_ours(folder) {
            return Err(Occupied { folder: folder.to_owned() }.into());
        }
        write(generated, folder)?;
        return files::write(&folder.join("README.md"), &readme(generated));
    }

    let folder = std::path::absolute(folder).map_err(refused("find", folder))?;
    let parent = folder.parent().unwrap_or(&folder);
    files::create_folder(parent)?;
    let draft = tempfile::Builder::new()
        .prefix(".camtlc-")
        .tempdir_in(parent)
        .map_err(refused("write into", parent))?;
    let inside = draft.path().join("crate");
    write(generated, &inside)?;
    files::write(&inside.join("README.md"), &readme(generated))?;
    if folder.exists() {
        // It is empty; a rename onto a folder is an error on some systems.
        fs::remove_dir(&folder).map_err(refused("replace", &folder))?;
    }
    fs::rename(&inside, &folder).map_err(refused("write", &folder))?;
    Ok(())
}

/// The one file that not every crate has.
fn remove_stale(generated: &Crate, folder: &Path) -> Outcome {
    let config = folder.join(CONFIG);
    if generated.files.iter().all(|file| file.path != CONFIG) && config.is_file() {
        fs::remove_file(&config).map_err(refused("remove", &config))?;
    }
    Ok(())
}

fn is_occupied(folder: &Path) -> Outcome<bool> {
    match fs::read_dir(folder) {
        Ok(mut entries) => Ok(entries.next().is_some()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(refused("write into", folder)(error).into()),
    }
}

fn is_ours(folder: &Path) -> bool {
    fs::read_to_string(folder.join("Cargo.toml")).is_ok_and(|text| text.starts_with(MARKER))
}

fn readme(generated: &Crate) -> String {
    let name = &generated.name;
    format!(
        "\
# {name}

Made by camtlc from `model.cam`; camtlc writes over this folder when it emits the model again.

- `src/network.rs`: the network, its shapes as const generics
- `src/tasks.rs`: the tasks, and how they are trained

To build and use it without camtlc:

    cargo build --release
    target/release/{name} train --model model.cam --data DATA --out RUN
    target/release/{name} eval --run RUN
    target/release/{name} --help
"
    )
}

#[derive(Debug, Error, Diagnostic)]
#[error("`{}` holds files that camtlc did not make", folder.display())]
#[diagnostic(
    code(camtlc::emit),
    help("name a new or an empty folder, or one that `--emit` has written before")
)]
struct Occupied {
    folder: PathBuf,
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Crate, MARKER, emit};
    use crate::codegen::File;

    fn sample(config: bool) -> Crate {
        let mut files = vec![File { path: "Cargo.toml", text: format!("{MARKER} 0.0.0\n") }];
        if config {
            files.push(File { path: ".cargo/config.toml", text: "[build]\n".to_owned() });
        }
        Crate { name: "sample".to_owned(), files }
    }

    #[test]
    fn a_folder_is_made_and_written_over() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let target = folder.path().join("deep/crate");
        emit(&sample(true), &target).expect("a new folder");
        assert!(target.join(".cargo/config.toml").is_file());
        emit(&sample(false), &target).expect("one of ours");
        assert!(!target.join(".cargo/config.toml").exists());
        assert_eq!(fs::read_dir(folder.path().join("deep")).expect("listed").count(), 1);
    }

    #[test]
    fn a_folder_of_others_is_left_alone() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::write(folder.path().join("Cargo.toml"), "[package]\n").expect("written");
        assert!(emit(&sample(true), folder.path()).is_err());
        let text = fs::read_to_string(folder.path().join("Cargo.toml")).expect("read");
        assert_eq!(text, "[package]\n");
    }
}

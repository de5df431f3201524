//! Models on the disk: their texts, and the files around them that an `include` may reach.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::{analysis::Files, span::Source, syntax};

/// Why a model's text cannot be read.
#[derive(Debug, Error)]
pub enum Unreadable {
    #[error(transparent)]
    Refused(#[from] io::Error),

    #[error("line {line} is not UTF-8 text")]
    NotText {
        /// From 1.
        line: usize,
    },
}

/// The text of a file.
pub fn read(path: &Path) -> Result<Source, Unreadable> {
    read_from(path.to_string_lossy(), File::open(path)?)
}

/// A text from anywhere. Of one that is too long for a model only as much is read as shows that.
pub fn read_from(name: impl Into<String>, reader: impl Read) -> Result<Source, Unreadable> {
    let mut bytes = Vec::new();
    let most = syntax::LONGEST as u64 + 1;
    reader.take(most).read_to_end(&mut bytes)?;
    if bytes.len() > syntax::LONGEST {
        // What is not read may begin in the middle of a letter.
        return Ok(Source::new(name, String::from_utf8_lossy(&bytes)));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Source::new(name, text)),
        Err(error) => {
            let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = good.iter().filter(|byte| **byte == b'\n').count() + 1;
            Err(Unreadable::NotText { line })
        }
    }
}

/// The files below the folder of one model.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Around the model that lies at `path`.
    pub fn of(path: &Path) -> Self {
        let folder = path.parent().filter(|folder| *folder != Path::new(""));
        Self { path: folder.unwrap_or(Path::new(".")).to_owned() }
    }
}

impl Files for Folder {
    fn read(&self, path: &str) -> Result<String, String> {
        let refused = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => "there is no such file".to_owned(),
            _ => error.to_string(),
        };
        // A link may lead anywhere, so it is followed before it is judged.
        let root = self.path.canonicalize().map_err(refused)?;
        let file = self.path.join(path).canonicalize().map_err(refused)?;
        if !file.starts_with(&root) {
            return Err(format!("it is a link to `{}`, outside of the model's folder", file.display()));
        }
        match read(&file) {
            Ok(source) => Ok(source.text),
            Err(Unreadable::Refused(error)) => Err(refused(error)),
            Err(error) => Err(error.to_string()),
        }
    }

    fn checkpoint_config(&self, checkpoint: &str) -> Option<String> {
        checkpoint_config(checkpoint).and_then(|path| read(&path).ok()).map(|source| source.text)
    }
}

/// Where a checkpoint's `config.json` lies, if it does; looked up as the weights are, from the current folder.
pub fn checkpoint_config(checkpoint: &str) -> Option<PathBuf> {
    Some(Path::new(checkpoint).join("config.json")).filter(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_text_are_placed() {
        let found = read_from("x", &b"model a\nmodel \xff"[..]);
        assert!(matches!(found, Err(Unreadable::NotText { line: 2 })));
    }

    #[cfg(unix)]
    #[test]
    fn links_do_not_lead_out_of_the_folder() {
        let outside = tempfile::NamedTempFile::new().expect("a temporary file");
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("a.cam"), "sequence 8").expect("written");
        std::os::unix::fs::symlink(folder.path().join("a.cam"), folder.path().join("b.cam")).expect("linked");
        std::os::unix::fs::symlink(outside.path(), folder.path().join("c.cam")).expect("linked");
        let files = Folder::of(&folder.path().join("model.cam"));
        assert_eq!(files.read("a.cam").as_deref(), Ok("sequence 8"));
        assert_eq!(files.read("b.cam").as_deref(), Ok("sequence 8"));
        assert!(files.read("c.cam").is_err());
        assert_eq!(files.read("d.cam"), Err("there is no such file".to_owned()));
    }
}

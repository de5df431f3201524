//! How the texts of other files reach the compiler, which itself touches no file system.

/// The files around a model. Paths are relative to the model's folder, with `/` between names, and never leave it.
pub trait Files {
    /// The text of an included file, or why it cannot be read, in a few words.
    fn read(&self, path: &str) -> Result<String, String>;

    /// The `config.json` of a checkpoint, if it is a folder that has one.
    fn checkpoint_config(&self, checkpoint: &str) -> Option<String>;
}

/// For a text that stands alone.
#[derive(Clone, Copy, Debug)]
pub struct NoFiles;

impl Files for NoFiles {
    fn read(&self, _: &str) -> Result<String, String> {
        Err("a text that stands alone has no files around it".to_owned())
    }

    fn checkpoint_config(&self, _: &str) -> Option<String> {
        None
    }
}

//! Rows of sequences on disk, in a folder named after the network that made them: `rows`, one sequence's after the
//! other's and never changed, and [`index`], which says whose they are.
//!
//! The first process that opens a folder holds the index and appends; another only reads what it found. A process that
//! dies leaves whole sequences and a rest that is written over. Space is taken as rows are written, not by mapping, so
//! that a full disk is an error of `write` and not a fault in reading.

use std::collections::HashMap;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use memmap2::Mmap;

pub use super::index::Key;
use super::index::{self, RECORD, Record};
use super::room::Others;

pub const INDEX: &str = "index";
pub const ROWS: &str = "rows";

/// An open cache.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    index: File,
    rows: File,
    /// Of `rows`, at least as far as anything was read.
    map: Option<Mmap>,
    records: HashMap<Key, Found>,
    /// Bytes of `rows` that are whole.
    end: u64,
    /// Records that are written, those of the head and of rows that turned out to be damaged too.
    written: u64,
    /// Of both files, and of the other caches beside them.
    limit: u64,
    others: Others,
    /// Whether rows can be added: not by a second process, and not after a failure.
    appends: bool,
}

#[derive(Clone, Copy, Debug)]
struct Found {
    record: Record,
    /// Whether the rows were compared with their check.
    checked: bool,
}

/// Of a hash of a sequence's content.
pub fn key(content: blake3::Hash) -> Key {
    // a hash has 32 bytes
    *content.as_bytes().first_chunk().expect("16 bytes")
}

impl Store {
    /// Opens or makes the cache of `identity` below `folder`. What is damaged is made anew, with a warning; `None`,
    /// with a warning, if there can be no cache.
    pub fn open(folder: &Path, identity: &blake3::Hash, limit: u64) -> Option<Self> {
        let name = &identity.to_hex()[..32];
        match Self::try_open(folder.join(name), identity, limit) {
            Ok(store) => Some(Self { others: Others::beside(folder, name), ..store }),
            Err(error) => {
                let folder = folder.join(name);
                tracing::warn!(folder = %folder.display(), %error, "constant layers are not cached");
                None
            }
        }
    }

    fn try_open(folder: PathBuf, identity: &blake3::Hash, limit: u64) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        let mut index = open_or_make(&folder.join(INDEX))?;
        let appends = match index.try_lock() {
            Ok(()) => true,
            Err(TryLockError::WouldBlock) => false,
            Err(TryLockError::Error(error)) => return Err(error),
        };
        let mut bytes = Vec::new();
        index.read_to_end(&mut bytes)?;
        let rows = open_or_make(&folder.join(ROWS))?;
        let length = rows.metadata()?.len();
        let records = index::read(&bytes, identity);
        let records = records.filter(|records| records.iter().all(|record| record.end() <= length));
        if records.is_none() {
            tracing::warn!(folder = %folder.display(), "cache of constant layers is damaged and made anew");
        }

        let records = records.unwrap_or_default();
        let mut store = Self {
            end: records.iter().map(Record::end).max().unwrap_or(0),
            written: 1 + records.len() as u64,
            records: records
                .into_iter()
                .map(|record| (record.key, Found { record, checked: false }))
                .collect(),
            others: Others::default(),
            map: None,
            folder,
            index,
            rows,
            limit,
            appends,
        };
        if !appends {
            tracing::info!(folder = %store.folder.display(), "another training fills the cache, it is only read");
            return Ok(store);
        }
        // the date of the last use decides which cache goes when room is needed
        store.index.set_modified(SystemTime::now())?;
        if store.records.is_empty() || length + bytes.len() as u64 > limit {
            store.begin(identity)?;
        }
        Ok(store)
    }

    /// Empties the cache. The rows become another file: whoever has mapped the old one keeps it as it is.
    fn begin(&mut self, identity: &blake3::Hash) -> io::Result<()> {
        self.records.clear();
        (self.end, self.written) = (0, 1);
        self.index.set_len(0)?;
        self.index.rewind()?;
        self.index.write_all(&index::head(identity))?;
        let rows = self.folder.join(ROWS);
        fs::remove_file(&rows)?;
        self.rows = open_or_make(&rows)?;
        Ok(())
    }

    /// Sequences in the cache.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// The rows of a sequence. Damaged ones are none, with a warning.
    pub fn get(&mut self, key: &Key) -> Option<&[u8]> {
        let Found { record, checked } = *self.records.get(key)?;
        if self.map.as_ref().is_none_or(|map| (map.len() as u64) < record.end()) {
            self.map = self.map_rows();
        }
        // both fit `usize`: the second is within the map, else there is nothing to get
        let range = record.start as usize..record.end() as usize;
        let whole = checked || {
            let rows = self.map.as_ref().and_then(|map| map.get(range.clone()));
            rows.is_some_and(|rows| index::check(rows) == record.rows)
        };
        if whole {
            self.records.get_mut(key)?.checked = true;
            self.map.as_ref()?.get(range)
        } else {
            tracing::warn!(folder = %self.folder.display(), "rows in the cache are damaged and made anew");
            self.records.remove(key);
            None
        }
    }

    fn map_rows(&self) -> Option<Mmap> {
        // SAFETY: the map is only read, and only where rows are whole: those are never changed, by no process. A file
        // that someone truncates meanwhile would fault; camtl replaces the file instead.
        let map = unsafe { Mmap::map(&self.rows) };
        map.inspect_err(|error| {
            tracing::warn!(folder = %self.folder.display(), %error, "cache cannot be mapped");
        })
        .ok()
    }

    /// Adds the rows of sequences as far as there is room. A failure to write is told once and ends all adding.
    pub fn put(&mut self, sequences: impl IntoIterator<Item = (Key, Vec<u8>)>) {
        if !self.appends {
            return;
        }
        if let Err(error) = self.append(sequences) {
            let folder = self.folder.display();
            tracing::warn!(%folder, %error, "cache of constant layers cannot be written, and stays as it is");
            self.appends = false;
        }
    }

    fn append(&mut self, sequences: impl IntoIterator<Item = (Key, Vec<u8>)>) -> io::Result<()> {
        let mut new: Vec<Record> = Vec::new();
        self.rows.seek(SeekFrom::Start(self.end))?;
        let mut end = self.end;
        for (key, rows) in sequences {
            let known = self.records.contains_key(&key) || new.iter().any(|record| record.key == key);
            let length = rows.len() as u64;
            let bytes = end + length + (self.written + new.len() as u64 + 1) * RECORD as u64;
            if known || !self.fits(bytes) {
                continue;
            }
            self.rows.write_all(&rows)?;
            new.push(Record { key, start: end, length, rows: index::check(&rows) });
            end += length;
        }
        self.index.seek(SeekFrom::Start(self.written * RECORD as u64))?;
        self.index.write_all(new.iter().flat_map(Record::encode).collect::<Vec<u8>>().as_slice())?;
        self.written += new.len() as u64;
        self.end = end;
        self.records.extend(new.into_iter().map(|record| (record.key, Found { record, checked: true })));
        Ok(())
    }

    /// Whether the cache may have so many bytes, if need be without the others.
    fn fits(&mut self, bytes: u64) -> bool {
        if bytes > self.limit {
            return false;
        }
        while bytes + self.others.bytes() > self.limit && self.others.remove_one() {}
        true
    }
}

/// A file that is read and added to.
fn open_or_make(path: &Path) -> io::Result<File> {
    File::options().read(true).write(true).create(true).truncate(false).open(path)
}

#[cfg(test)]
mod tests;

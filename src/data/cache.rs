//! Tokenized items on disk, named after the hash of what they were made from.
//!
//! The file, all numbers little-endian:
//!
//! | bytes | content |
//! |---|---|
//! | 8 | `camtltok` |
//! | 32 | the key, again |
//! | 3 x 8 | unused and unreadable rows, truncated examples |
//! | | the lists of numbers of a [`Dataset`], the ids first, in the order of [`encode`] |
//! | | its texts |
//! | 32 | BLAKE3 of all of the above |
//!
//! A list is its length in 8 bytes and 4 bytes a number; a text is its length in 8 bytes, and itself.

use std::fs::{self, File};
use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use memmap2::Mmap;

use super::dataset::{Dataset, Label, Windows, Words};
use super::flat::{Lists, Texts, starts};
use super::ids::Ids;
use super::read::LeftOut;

/// Part of every key: a change of the layout above, or of what the tokens mean, is a new number.
pub const FORMAT: u32 = 3;

const MAGIC: &[u8; 8] = b"camtltok";
const HASH: usize = 32;

/// The items kept under `key`, if they are there and whole; their ids stay in the file, mapped. A damaged file is
/// reported and counts as absent.
pub fn fetch(folder: &Path, key: &blake3::Hash, content: blake3::Hash) -> Option<Dataset> {
    let path = file(folder, key);
    let map = match File::open(&path).and_then(|file| map(&file)) {
        Ok(map) => Arc::new(map),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(error) => {
            tracing::warn!(file = %path.display(), %error, "token cache cannot be read");
            return None;
        }
    };
    let dataset = decode(&map, key, content);
    if dataset.is_none() {
        tracing::warn!(file = %path.display(), "token cache is damaged and made anew");
    }
    dataset
}

fn map(file: &File) -> io::Result<Mmap> {
    // SAFETY: the map is only read. A cache is written whole under another name and never changed, only replaced; a
    // file that another program truncates meanwhile would fault.
    unsafe { Mmap::map(file) }
}

/// Keeps items under `key`: whole or not at all, also if several processes do it at once.
pub fn store(folder: &Path, key: &blake3::Hash, dataset: &Dataset) {
    let path = file(folder, key);
    let write = || -> io::Result<()> {
        fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(&encode(key, dataset))?;
        file.persist(&path).map_err(|error| error.error)?;
        Ok(())
    };
    if let Err(error) = write() {
        tracing::warn!(file = %path.display(), %error, "token cache cannot be written");
    }
}

fn file(folder: &Path, key: &blake3::Hash) -> PathBuf {
    folder.join(format!("{}.tokens", &key.to_hex()[..32]))
}

fn encode(key: &blake3::Hash, dataset: &Dataset) -> Vec<u8> {
    let Dataset { words, windows, .. } = dataset;
    let mut out = Out(Vec::with_capacity(4 * dataset.ids.len()));
    out.0.extend(MAGIC);
    out.0.extend(key.as_bytes());
    out.count(dataset.left_out.unused);
    out.count(dataset.left_out.unreadable);
    out.count(dataset.truncated);
    out.list(dataset.ids.iter().copied());
    out.list(steps(&dataset.offsets));
    out.list(dataset.firsts.iter().copied());
    out.list(steps(&dataset.items));
    for part in 0..3 {
        out.list(dataset.labels.iter().map(|label| pack(*label)[part]));
    }
    out.list(dataset.examples.iter().copied());
    out.list(dataset.lines.iter().copied());
    out.list(dataset.groups.iter().copied());
    out.lists(&words.marks);
    out.lists(&words.tags);
    out.list(windows.begins.iter().copied());
    out.list(windows.froms.iter().copied());
    out.list(windows.passages.iter().copied());
    out.lists(&windows.places);
    out.list(steps(&windows.accepted));
    out.texts(&windows.contexts);
    out.texts(&windows.answers);
    let mut first = Texts::default();
    dataset.left_out.first.iter().for_each(|row| first.push(row));
    out.texts(&first);
    let hash = blake3::hash(&out.0);
    out.0.extend(hash.as_bytes());
    out.0
}

/// `None` for bytes that are not what [`encode`] makes for `key`.
fn decode(map: &Arc<Mmap>, key: &blake3::Hash, content: blake3::Hash) -> Option<Dataset> {
    let (body, hash) = map.split_at_checked(map.len().checked_sub(HASH)?)?;
    if blake3::hash(body).as_bytes() != hash {
        return None;
    }
    let rest = body.strip_prefix(MAGIC)?.strip_prefix(key.as_bytes())?;
    let mut read = In { body, at: body.len() - rest.len() };
    let (unused, unreadable, truncated) = (read.count()?, read.count()?, read.count()?);
    let ids = read.numbers()?;
    let offsets = starts(&read.list()?);
    let firsts = read.list()?;
    let items = starts(&read.list()?);
    let parts = [read.list()?, read.list()?, read.list()?];
    let labels = (0..parts[0].len()).map(|i| unpack(parts.each_ref().map(|part| part.get(i).copied())));
    let labels = labels.collect::<Option<Vec<_>>>()?;
    let (examples, lines, groups) = (read.list()?, read.list()?, read.list()?);
    let words = Words { marks: read.lists()?, tags: read.lists()? };
    let windows = Windows {
        begins: read.list()?,
        froms: read.list()?,
        passages: read.list()?,
        places: read.lists()?,
        accepted: starts_or_none(read.list()?),
        contexts: read.texts()?,
        answers: read.texts()?,
    };
    let first = read.texts()?;
    let first = (0..first.len()).map(|i| first.get(i).to_owned()).collect();
    // the rest follows from the hash: nobody else writes these files
    let whole = offsets.last() == Some(&(ids.len() / 4))
        && items.last() == Some(&firsts.len())
        && read.at == body.len();
    whole.then(|| Dataset {
        ids: Ids::map(map, ids),
        offsets,
        firsts,
        items,
        labels,
        examples,
        lines,
        groups,
        words,
        windows,
        left_out: LeftOut { unused, unreadable, first },
        truncated,
        fingerprint: content,
    })
}

/// The differences of ascending numbers.
fn steps(starts: &[usize]) -> impl ExactSizeIterator<Item = u32> {
    starts.windows(2).map(|pair| (pair[1] - pair[0]) as u32)
}

/// Only tasks that mark answers have a list of them.
fn starts_or_none(lengths: Vec<u32>) -> Vec<usize> {
    if lengths.is_empty() { Vec::new() } else { starts(&lengths) }
}

/// A file that is written.
struct Out(Vec<u8>);

impl Out {
    fn count(&mut self, count: usize) {
        self.0.extend((count as u64).to_le_bytes());
    }

    fn list(&mut self, numbers: impl ExactSizeIterator<Item = u32>) {
        self.count(numbers.len());
        numbers.for_each(|number| self.0.extend(number.to_le_bytes()));
    }

    fn lists(&mut self, lists: &Lists) {
        self.list(lists.lengths());
        self.list(lists.values().iter().copied());
    }

    fn texts(&mut self, texts: &Texts) {
        self.list(texts.lengths());
        self.count(texts.joined().len());
        self.0.extend(texts.joined().as_bytes());
        // numbers stay aligned
        self.0.resize(self.0.len().next_multiple_of(4), 0);
    }
}

/// A file that is read; `None` where it is too short.
struct In<'a> {
    body: &'a [u8],
    at: usize,
}

impl In<'_> {
    fn take(&mut self, count: usize) -> Option<Range<usize>> {
        let range = self.at..self.at.checked_add(count)?;
        self.body.get(range.clone())?;
        self.at = range.end;
        Some(range)
    }

    fn count(&mut self) -> Option<usize> {
        let bytes = self.take(8)?;
        usize::try_from(u64::from_le_bytes(self.body[bytes].try_into().ok()?)).ok()
    }

    /// Where the numbers of a list lie.
    fn numbers(&mut self) -> Option<Range<usize>> {
        let count = self.count()?;
        self.take(count.checked_mul(4)?)
    }

    fn list(&mut self) -> Option<Vec<u32>> {
        let bytes = self.numbers()?;
        Some(self.body[bytes].as_chunks().0.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect())
    }

    fn lists(&mut self) -> Option<Lists> {
        let lengths = self.list()?;
        Lists::from_parts(self.list()?, &lengths)
    }

    fn texts(&mut self) -> Option<Texts> {
        let lengths = self.list()?;
        let count = self.count()?;
        let bytes = self.take(count)?;
        let joined = String::from_utf8(self.body[bytes].to_vec()).ok()?;
        self.take(count.next_multiple_of(4) - count)?;
        Texts::from_parts(joined, &lengths)
    }
}

fn pack(label: Label) -> [u32; 3] {
    match label {
        Label::None => [0, 0, 0],
        Label::Class(class) => [1, class, 0],
        Label::Value(value) => [2, value.to_bits(), 0],
        Label::Tags => [3, 0, 0],
        Label::Span { start, end } => [4, start, end],
    }
}

fn unpack(parts: [Option<u32>; 3]) -> Option<Label> {
    match parts {
        [Some(0), ..] => Some(Label::None),
        [Some(1), Some(class), _] => Some(Label::Class(class)),
        [Some(2), Some(bits), _] => Some(Label::Value(f32::from_bits(bits))),
        [Some(3), ..] => Some(Label::Tags),
        [Some(4), Some(start), Some(end)] => Some(Label::Span { start, end }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two windows of a context and one of another, as no reader would make them but whole.
    fn sample() -> Dataset {
        let mut windows = Windows {
            begins: vec![1, 1, 1],
            froms: vec![0, 1, 0],
            passages: vec![0, 1],
            accepted: vec![0, 2, 2],
            ..Windows::default()
        };
        for (context, places) in [("a b", [0, 1, 2, 3]), ("\u{e9} c", [0, 2, 3, 4])] {
            windows.contexts.push(context);
            windows.places.push(places);
        }
        ["b", "a b"].iter().for_each(|answer| windows.answers.push(answer));
        let mut words = Words::default();
        words.marks.push([1, 2]);
        words.tags.push([0, 5, 1]);
        Dataset {
            ids: vec![2, 7, 3, 2, 3, 9, 3].into(),
            offsets: vec![0, 3, 5, 7],
            firsts: vec![3, 2, 1],
            items: vec![0, 1, 2, 3],
            labels: vec![Label::Value(2.5), Label::None, Label::Span { start: 0, end: 1 }],
            examples: vec![0, 0, 1],
            lines: vec![2, 2, 5],
            groups: vec![7, 7, u32::MAX],
            words,
            windows,
            left_out: LeftOut { unused: 2, unreadable: 1, first: vec!["a.tsv:2: \u{e9}".to_owned()] },
            truncated: 1,
            fingerprint: blake3::hash(b"file"),
        }
    }

    #[test]
    fn what_is_stored_is_fetched() {
        let folder = tempfile::tempdir().unwrap();
        let (key, sample) = (blake3::hash(b"key"), sample());
        assert!(fetch(folder.path(), &key, sample.fingerprint).is_none());
        store(folder.path(), &key, &sample);
        assert_eq!(fetch(folder.path(), &key, sample.fingerprint), Some(sample));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn every_damage_is_noticed() {
        let (key, sample) = (blake3::hash(b"key"), sample());
        let bytes = encode(&key, &sample);
        let decoded = |bytes: &[u8], key: &blake3::Hash| {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(bytes).unwrap();
            decode(&Arc::new(map(&file).unwrap()), key, sample.fingerprint)
        };
        for end in 0..bytes.len() {
            assert!(decoded(&bytes[..end], &key).is_none(), "cut to {end}");
        }
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            assert!(decoded(&damaged, &key).is_none(), "byte {at}");
        }
        assert!(decoded(&bytes, &blake3::hash(b"other")).is_none());
        let found = decoded(&bytes, &key);
        assert!(matches!(&found, Some(Dataset { ids: Ids::Mapped(_), .. })) || cfg!(target_endian = "big"));
        assert_eq!(found, Some(sample.clone()));
    }
}

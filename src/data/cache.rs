//! Tokenized examples on disk, named after the hash of what they were made from.
//!
//! The file, all numbers little-endian:
//!
//! | bytes | content |
//! |---|---|
//! | 8 | `camtltok` |
//! | 32 | the key, again |
//! | 4 x 8 | examples, tokens, skipped rows, truncated examples |
//! | 4 x examples | tokens of each example |
//! | 4 x examples | of these, of type 0 |
//! | 4 x examples | line in the source |
//! | 4 x examples | target: 0 none, 1 class, 2 value |
//! | 4 x examples | target: the class or the value's bits |
//! | 4 x tokens | ids |
//! | 32 | BLAKE3 of all of the above |

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use memmap2::Mmap;

use super::dataset::Dataset;
use super::example::Target;
use super::ids::Ids;

/// Part of every key: a change of the layout above, or of what the tokens mean, is a new number.
pub const FORMAT: u32 = 1;

const MAGIC: &[u8; 8] = b"camtltok";
const HEAD: usize = 8 + 32 + 4 * 8;
const HASH: usize = 32;

/// The examples kept under `key`, if they are there and whole; their ids stay in the file, mapped. A damaged file is
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

/// Keeps examples under `key`: whole or not at all, also if several processes do it at once.
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
    let rows = dataset.len();
    let mut bytes = Vec::with_capacity(HEAD + 4 * (5 * rows + dataset.ids.len()) + HASH);
    bytes.extend(MAGIC);
    bytes.extend(key.as_bytes());
    for count in [rows, dataset.ids.len(), dataset.skipped, dataset.truncated] {
        bytes.extend((count as u64).to_le_bytes());
    }
    let mut put = |numbers: &mut dyn Iterator<Item = u32>| {
        numbers.for_each(|number| bytes.extend(number.to_le_bytes()));
    };
    put(&mut (0..rows).map(|i| dataset.tokens(i) as u32));
    put(&mut dataset.firsts.iter().copied());
    put(&mut dataset.lines.iter().copied());
    put(&mut dataset.targets.iter().map(|target| pack(target).0));
    put(&mut dataset.targets.iter().map(|target| pack(target).1));
    put(&mut dataset.ids.iter().copied());
    let hash = blake3::hash(&bytes);
    bytes.extend(hash.as_bytes());
    bytes
}

/// `None` for bytes that are not exactly what [`encode`] makes for `key`.
fn decode(map: &Arc<Mmap>, key: &blake3::Hash, content: blake3::Hash) -> Option<Dataset> {
    let (body, hash) = map.split_at_checked(map.len().checked_sub(HASH)?)?;
    if blake3::hash(body).as_bytes() != hash {
        return None;
    }
    let rest = body.strip_prefix(MAGIC)?.strip_prefix(key.as_bytes())?;
    let (counts, rest) = rest.split_at_checked(4 * 8)?;
    let mut counts = counts.chunks_exact(8).map(|chunk| {
        let number = u64::from_le_bytes(chunk.try_into().ok()?);
        usize::try_from(number).ok()
    });
    let (rows, tokens) = (counts.next()??, counts.next()??);
    let (skipped, truncated) = (counts.next()??, counts.next()??);

    let mut rest = rest;
    let mut take = |count: usize| -> Option<Vec<u32>> {
        let (head, tail) = rest.split_at_checked(count.checked_mul(4)?)?;
        rest = tail;
        head.chunks_exact(4).map(|chunk| Some(u32::from_le_bytes(chunk.try_into().ok()?))).collect()
    };
    let lengths = take(rows)?;
    let (firsts, lines) = (take(rows)?, take(rows)?);
    let (tags, values) = (take(rows)?, take(rows)?);
    let ids = body.len() - rest.len()..body.len();
    let targets = tags.into_iter().zip(values).map(unpack).collect::<Option<_>>()?;
    let mut offsets = Vec::with_capacity(rows + 1);
    offsets.push(0);
    for &length in &lengths {
        offsets.push(offsets[offsets.len() - 1] + length as usize);
    }
    let whole = tokens.checked_mul(4) == Some(ids.len())
        && offsets[rows] == tokens
        && firsts.iter().zip(&lengths).all(|(first, length)| first <= length);
    whole.then(|| Dataset {
        ids: Ids::map(map, ids),
        offsets,
        firsts,
        targets,
        lines,
        skipped,
        truncated,
        fingerprint: content,
    })
}

fn pack(target: &Target) -> (u32, u32) {
    match target {
        Target::None => (0, 0),
        Target::Class(class) => (1, *class),
        Target::Value(value) => (2, value.to_bits()),
        Target::Tags(_) | Target::Answers(_) => unreachable!("kinds of text alone have a data set"),
    }
}

fn unpack((tag, value): (u32, u32)) -> Option<Target> {
    match tag {
        0 => Some(Target::None),
        1 => Some(Target::Class(value)),
        2 => Some(Target::Value(f32::from_bits(value))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Dataset {
        Dataset {
            ids: vec![2, 7, 3, 2, 3, 9, 3].into(),
            offsets: vec![0, 3, 7],
            firsts: vec![3, 2],
            targets: vec![Target::Value(2.5), Target::None],
            lines: vec![2, 5],
            skipped: 2,
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

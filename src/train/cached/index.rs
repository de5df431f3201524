//! The file `index` of a cache: which rows the file beside it holds, and where.
//!
//! A head, then a record for each sequence, written after its rows. All numbers little-endian; the last 8 bytes of
//! head and record are of the BLAKE3 of those before them, so that one that is half written is none.
//!
//! | bytes of the head | content | bytes of a record | content |
//! |---|---|---|---|
//! | 8 | `camtlrow` | 16 | the sequence's key |
//! | 32 | the network's identity | 8 | first byte of its rows |
//! | | | 8 | how many they are |
//! | | | 8 | of the BLAKE3 of its rows |
//! | 8 | check | 8 | check |

/// Bytes of the head, and of a record.
pub const RECORD: usize = 48;

const MAGIC: &[u8; 8] = b"camtlrow";
const BODY: usize = RECORD - 8;

/// Of a sequence's content.
pub type Key = [u8; 16];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    pub key: Key,
    pub start: u64,
    pub length: u64,
    /// See [`check`].
    pub rows: u64,
}

impl Record {
    /// The byte after its rows.
    pub fn end(&self) -> u64 {
        self.start.saturating_add(self.length)
    }

    pub fn encode(&self) -> [u8; RECORD] {
        let numbers = [self.start, self.length, self.rows].map(u64::to_le_bytes);
        sealed(&self.key, numbers.as_flattened())
    }

    fn decode(bytes: &[u8; RECORD]) -> Option<Self> {
        let body = opened(bytes)?;
        let (key, numbers) = body.split_first_chunk()?;
        let mut numbers = numbers.as_chunks().0.iter().map(|bytes| u64::from_le_bytes(*bytes));
        Some(Self { key: *key, start: numbers.next()?, length: numbers.next()?, rows: numbers.next()? })
    }
}

pub fn head(identity: &blake3::Hash) -> [u8; RECORD] {
    sealed(MAGIC, identity.as_bytes())
}

/// The records of a file, as far as it was written; `None` if it is not what was written for `identity`.
pub fn read(bytes: &[u8], identity: &blake3::Hash) -> Option<Vec<Record>> {
    let (whole, _) = bytes.as_chunks(); // what is left over was being written
    let Some((first, rest)) = whole.split_first() else { return Some(Vec::new()) };
    if *first != head(identity) {
        return None;
    }
    let mut records: Vec<Option<Record>> = rest.iter().map(Record::decode).collect();
    if records.last() == Some(&None) {
        records.pop(); // likewise
    }
    records.into_iter().collect()
}

/// 8 bytes of the BLAKE3 of `bytes`.
pub fn check(bytes: &[u8]) -> u64 {
    let hash = blake3::hash(bytes);
    // a hash has 32 bytes
    u64::from_le_bytes(*hash.as_bytes().first_chunk().expect("8 bytes"))
}

fn sealed(start: &[u8], end: &[u8]) -> [u8; RECORD] {
    let mut bytes = [0; RECORD];
    bytes[..start.len()].copy_from_slice(start);
    bytes[start.len()..BODY].copy_from_slice(end);
    let seal = check(&bytes[..BODY]).to_le_bytes();
    bytes[BODY..].copy_from_slice(&seal);
    bytes
}

fn opened(bytes: &[u8; RECORD]) -> Option<&[u8]> {
    let (body, seal) = bytes.split_at(BODY);
    (check(body).to_le_bytes() == seal).then_some(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(records: &[Record], identity: &blake3::Hash) -> Vec<u8> {
        let records = records.iter().flat_map(Record::encode);
        head(identity).into_iter().chain(records).collect()
    }

    #[test]
    fn what_was_written_whole_is_read() {
        let identity = blake3::hash(b"network");
        let records: Vec<Record> =
            (0..3).map(|i| Record { key: [i; 16], start: 64 * u64::from(i), length: 64, rows: 7 }).collect();
        let bytes = file(&records, &identity);
        for end in 0..=bytes.len() {
            let whole = (end / RECORD).saturating_sub(1);
            assert_eq!(read(&bytes[..end], &identity).as_deref(), Some(&records[..whole]), "cut to {end}");
        }
    }

    #[test]
    fn every_damage_is_noticed() {
        let identity = blake3::hash(b"network");
        let records: Vec<Record> =
            (0..2).map(|i| Record { key: [i; 16], start: 0, length: 64, rows: 7 }).collect();
        let bytes = file(&records, &identity);
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            let last = at >= 2 * RECORD; // it may have been half written
            assert_eq!(read(&damaged, &identity).as_deref(), last.then_some(&records[..1]), "byte {at}");
        }
        assert_eq!(read(&bytes, &blake3::hash(b"other")), None);
    }
}

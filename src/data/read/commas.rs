//! Comma-separated files with a header: texts that hold a comma, a quote or a line break stand in quotes (RFC 4180).

use csv::{ByteRecord, ReaderBuilder};

use super::super::source::Columns;
use super::tabs::Places;
use super::{ReadError, Rows};

/// The rows of an own file.
pub fn table(rows: &mut Rows, bytes: &[u8], columns: Columns) -> Result<(), ReadError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    // Rows of another width are judged here, like those of the other formats.
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
    let mut record = ByteRecord::new();
    let mut places = None;
    let mut counted = Counted { bytes, done: 0, line: 1 };
    loop {
        // Bytes in memory are always read; that they are text is judged below.
        let more = reader
            .read_byte_record(&mut record)
            .map_err(|cause| ReadError::Io { path: rows.path.to_owned(), cause: cause.into() })?;
        if !more {
            break;
        }
        let line = counted.line_of(record.position().map_or(0, csv::Position::byte) as usize);
        let cells: Result<Vec<&str>, _> = record.iter().map(std::str::from_utf8).collect();
        let cells = cells.map_err(|_| ReadError::Utf8 { path: rows.path.to_owned(), line });
        match &places {
            None => places = Some(Places::find(rows, &cells?, columns)?),
            Some(places) => {
                let row = cells.and_then(|cells| places.example(rows, line, &cells));
                rows.take(row.map(Some))?;
            }
        }
    }
    if places.is_none() {
        return Err(ReadError::Empty { path: rows.path.to_owned() });
    }
    Ok(())
}

/// Lines up to a byte. The crate's own count is one off behind a `\r\n`, and at blank lines, which are no rows.
struct Counted<'a> {
    bytes: &'a [u8],
    done: usize,
    line: u32,
}

impl Counted<'_> {
    /// The line, from 1, of the first byte from `byte` on that ends none; bytes are asked for in their order.
    fn line_of(&mut self, byte: usize) -> u32 {
        let ends = |byte: &u8| matches!(byte, b'\n' | b'\r');
        let start = byte + self.bytes[byte..].iter().take_while(|byte| ends(byte)).count();
        let new = self.bytes[self.done..start].iter().filter(|byte| **byte == b'\n').count();
        self.line = self.line.saturating_add(new as u32);
        self.done = start;
        self.line
    }
}

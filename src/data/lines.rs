//! Bytes of a text file to numbered lines: a byte order mark and carriage returns are no part of a line.

/// One line: its number, from 1, and its bytes without the line's end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line<'a> {
    pub number: u32,
    bytes: &'a [u8],
}

impl<'a> Line<'a> {
    /// The text, or `None` where it is not UTF-8.
    pub fn text(self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes).ok()
    }

    /// Whether there is nothing but white space.
    pub fn is_blank(self) -> bool {
        self.bytes.trim_ascii().is_empty()
    }
}

/// The lines of a file. Empty lines at the end of the file are no lines; empty lines elsewhere are.
pub fn lines(bytes: &[u8]) -> impl Iterator<Item = Line<'_>> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    // Only line ends are cut: a tab at the end of the last row separates an empty column.
    let end = bytes.iter().rposition(|byte| !matches!(byte, b'\n' | b'\r')).map_or(0, |last| last + 1);
    let bytes = &bytes[..end];
    let rows = if bytes.is_empty() { None } else { Some(bytes.split(|&byte| byte == b'\n')) };
    rows.into_iter()
        .flatten()
        .zip(1..)
        .map(|(row, number)| Line { number, bytes: row.strip_suffix(b"\r").unwrap_or(row) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(bytes: &[u8]) -> Vec<(u32, Option<&str>)> {
        lines(bytes).map(|line| (line.number, line.text())).collect()
    }

    #[test]
    fn line_ends_and_byte_order_mark_are_dropped() {
        assert_eq!(texts(b"\xef\xbb\xbfa\tb\r\nc\td\r\n"), [(1, Some("a\tb")), (2, Some("c\td"))]);
        assert_eq!(texts(b"a\n\nb\t\n\n\n"), [(1, Some("a")), (2, Some("")), (3, Some("b\t"))]);
    }

    #[test]
    fn an_empty_file_has_no_lines() {
        assert!(texts(b"").is_empty() && texts(b"\xef\xbb\xbf").is_empty() && texts(b"\r\n\n").is_empty());
    }

    #[test]
    fn a_line_that_is_not_utf8_has_a_number_but_no_text() {
        assert_eq!(texts(b"a\n\xff\nb"), [(1, Some("a")), (2, None), (3, Some("b"))]);
    }
}

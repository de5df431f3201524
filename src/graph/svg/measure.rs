//! How wide a text may become: no font is at hand where a graph is written, and none is known to be where it is
//! looked at.
//!
//! The widths are those of DejaVu Sans, among the widest of the faces that a browser takes for `sans-serif`, so that
//! what fits here fits with Helvetica, Arial, Segoe UI or Roboto too.

/// A size in pixels, and a weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Font {
    pub size: i32,
    pub bold: bool,
}

impl Font {
    /// Pixels that `text` takes at most.
    pub fn width(self, text: &str) -> i32 {
        let thousandths: f64 = text.chars().map(thousandths).sum();
        // Bold letters are wider by a sixth, narrow ones by a fifth.
        let weight = if self.bold { 1.18 } else { 1.0 };
        (thousandths * f64::from(self.size) * weight / 1000.0).ceil() as i32
    }

    /// `text`, or as much of its start as fits into `room` pixels with an ellipsis behind it; nothing where not
    /// even that fits.
    pub fn fit(self, text: &str, room: i32) -> String {
        if self.width(text) <= room {
            return text.to_owned();
        }
        let mut short = String::new();
        for letter in text.chars() {
            short.push(letter);
            if self.width(&short) + self.width("…") > room {
                short.pop();
                break;
            }
        }
        match short.trim_end() {
            "" => String::new(),
            short => format!("{short}…"),
        }
    }
}

/// Of the size, for one letter.
fn thousandths(letter: char) -> f64 {
    match letter {
        'i' | 'j' | 'l' | 'I' | 'J' | '\'' => 300.0,
        ' ' | ',' | '.' | '·' | '/' | '\\' | ':' | ';' | '|' | 'f' => 355.0,
        '-' | '(' | ')' | '[' | ']' | 't' | '!' | 'r' => 415.0,
        '_' | '*' | '"' | '`' | 's' | 'z' => 525.0,
        'c' | 'k' | 'v' | 'x' | 'y' | 'L' | 'F' | '?' | 'γ' => 595.0,
        'm' | 'W' | '%' | '@' | '…' => 1000.0,
        'w' | '+' | '<' | '=' | '>' | '^' | '~' | '#' | '×' | '←' => 840.0,
        'M' => 865.0,
        '0'..='9' | 'a'..='z' | 'β' | '{' | '}' | '$' => 640.0,
        'A'..='Z' | '&' => 790.0,
        // Of scripts with wide letters the widest.
        _ => 1300.0,
    }
}

#[cfg(test)]
mod tests {
    use super::Font;

    #[test]
    fn what_is_too_long_ends_in_an_ellipsis_and_fits() {
        let font = Font { size: 12, bold: false };
        assert_eq!(font.fit("attention", 100), "attention");
        for room in 0..60 {
            let short = font.fit("attention norm", room);
            assert!(font.width(&short) <= room, "{short:?} in {room}");
        }
        assert_eq!(font.fit("attention norm", 60), "attenti…");
        assert_eq!(font.fit("attention norm", 5), "");
    }
}

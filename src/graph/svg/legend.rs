//! How to read the picture: what each look means.

use std::collections::BTreeSet;

use svg::node::element::{Element, Group};

use super::layout::Frame;
use super::style::{self, DETAIL, Line, Look, MUTED};

const SWATCH: i32 = 34;
const HEIGHT: i32 = 22;
const TO_TEXT: i32 = 8;
const BETWEEN: i32 = 22;
const LINE_HEIGHT: i32 = 32;

const TEXT: Line = Line::new(DETAIL, MUTED);

pub struct Legend {
    pub entries: Vec<Entry>,
}

pub struct Entry {
    pub look: Look,
    pub text: &'static str,
    pub frame: Frame,
}

impl Entry {
    pub fn swatch(&self) -> Group {
        let frame = Frame { width: SWATCH, ..self.frame };
        let icon = style::icon(self.look, frame.center(), frame.middle());
        Group::new().add(style::part(frame, self.look)).add(icon)
    }

    pub fn text(&self) -> Element {
        TEXT.at(self.frame.x + SWATCH + TO_TEXT, self.frame.middle(), self.text)
    }
}

impl Legend {
    /// Of the looks that the picture shows, two in a line where there is room.
    pub fn new(shown: &BTreeSet<Look>, (left, top): (i32, i32), width: i32) -> Self {
        let entries: Vec<(Look, &str)> = shown.iter().map(|&look| (look, meaning(look))).collect();
        let widest =
            entries.iter().map(|(_, text)| SWATCH + TO_TEXT + TEXT.font.width(text)).max().unwrap_or(0);
        let columns = if 2 * widest + BETWEEN <= width { 2 } else { 1 };
        let (mut x, mut y) = (left, top);
        let place = |(i, (look, text)): (usize, (Look, &'static str))| {
            if i > 0 {
                (x, y) = if i % columns == 0 { (left, y + LINE_HEIGHT) } else { (x + width / 2, y) };
            }
            Entry { look, text, frame: Frame { x, y, width: widest, height: HEIGHT } }
        };
        Self { entries: entries.into_iter().enumerate().map(place).collect() }
    }

    pub fn bottom(&self) -> i32 {
        self.entries.last().map_or(0, |entry| entry.frame.bottom())
    }
}

fn meaning(look: Look) -> &'static str {
    match look {
        Look::Constant => "constant: nothing trained in or before it",
        Look::Passed => "passed through: frozen, behind something trained",
        Look::Trained => "trained: its weights, or a module attached to it",
        Look::Conditional => "conditional module: trained, modulated by z",
    }
}

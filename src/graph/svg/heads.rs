//! The heads side by side, in as few lines as their names allow.

use super::layout::Frame;
use super::measure::Font;
use super::style::{DETAIL, NAME};
use crate::graph::{Node, count_label};

/// Of a box, and of one of many, which shows a task in one line instead of two.
pub const HIGH: i32 = 44;
const LOW: i32 = 28;
const BETWEEN: i32 = 10;
/// From which number on there are many.
const MANY: usize = 13;
/// Inside a head's box.
pub const PADDING: i32 = 10;
/// A wider name ends in an ellipsis.
const WIDEST: i32 = 240;
/// So that many tasks still make lines that the eye can follow.
const MOST_IN_A_LINE: usize = 6;

pub struct Grid {
    pub lines: usize,
    columns: usize,
    /// Of one box.
    width: i32,
    height: i32,
}

/// As many heads in a line as fit, then evened out over the lines that this makes.
pub fn grid(heads: &[Node], width: i32) -> Grid {
    let is_low = heads.len() >= MANY;
    let widest = heads.iter().map(|head| needed(head, is_low)).max().unwrap_or(WIDEST).min(WIDEST);
    let fitting = usize::try_from((width + BETWEEN) / (widest + BETWEEN)).unwrap_or(0);
    let lines = heads.len().div_ceil(fitting.clamp(1, MOST_IN_A_LINE)).max(1);
    let columns = heads.len().div_ceil(lines).max(1);
    // At most `MOST_IN_A_LINE`.
    let count = columns as i32;
    Grid {
        lines,
        columns,
        width: (width - (count - 1) * BETWEEN) / count,
        height: if is_low { LOW } else { HIGH },
    }
}

/// Width of a head's box: its name and its parameters, below them what it predicts; or name and that.
fn needed(head: &Node, is_low: bool) -> i32 {
    let small = Font { size: DETAIL, bold: false };
    let name = Font { size: NAME, bold: true }.width(&head.label) + BETWEEN;
    let detail = small.width(head.detail.as_deref().unwrap_or(""));
    let inside = match is_low {
        true => name + detail,
        false => detail.max(name + small.width(&count_label(head.parameters))),
    };
    inside + 2 * PADDING
}

impl Grid {
    /// The box of head `index`; `origin` is the corner of the first.
    pub fn cell(&self, index: usize, (x, y): (i32, i32)) -> Frame {
        let (line, column) = (index / self.columns, index % self.columns);
        let across = |step: i32, n: usize| step * i32::try_from(n).unwrap_or(0);
        Frame {
            x: x + across(self.width + BETWEEN, column),
            y: y + across(self.height + BETWEEN, line),
            width: self.width,
            height: self.height,
        }
    }
}

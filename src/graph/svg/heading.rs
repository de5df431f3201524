//! The model's name, its size, and what becomes of its parameters: the shares of a bar.

use svg::node::element::{Element, Group};

use super::layout::{Frame, MARGIN};
use super::style::{self, DETAIL, INK, Line, Look, MUTED, NAME, TITLE};
use crate::graph::{Graph, amount};
use crate::ir::Count;

const NAME_Y: i32 = MARGIN + 8;
const SIZE_Y: i32 = NAME_Y + 25;
const BAR_Y: i32 = SIZE_Y + 17;
const BAR: i32 = 9;
const SHARES_Y: i32 = BAR_Y + BAR + 15;
/// Between the shares of the bar, and between their texts.
const SEAM: i32 = 2;
const BETWEEN: i32 = 20;
const SWATCH: i32 = 10;
/// Below which no share is drawn: it would be no more to be seen.
const THINNEST: i32 = 3;

const SHARE: Line = Line::new(DETAIL, MUTED);

pub struct Heading {
    pub shapes: Group,
    pub texts: Vec<Element>,
}

impl Heading {
    /// Where it ends.
    pub const BOTTOM: i32 = SHARES_Y + 8;

    pub fn of(graph: &Graph, width: i32) -> Self {
        let total = graph.groups.iter().map(crate::graph::Group::parameters).sum::<Count>();
        let (name, size) = (Line::new(TITLE, INK).bold(), Line::new(NAME, MUTED));
        let parameters = format!("{} parameters, {:.2} × the backbone", amount(total.total()), graph.ratio);
        let mut heading = Self {
            shapes: Group::new(),
            texts: vec![
                name.at(MARGIN, NAME_Y, &name.font.fit(&graph.name, width)),
                size.at(MARGIN, SIZE_Y, &size.font.fit(&parameters, width)),
            ],
        };
        heading.shares(total, width);
        heading
    }

    fn shares(&mut self, total: Count, width: i32) {
        let shares = [
            (total.frozen, "frozen", Look::Constant.fill(), Look::Constant.stroke()),
            (total.loaded, "loaded and trained", "#f2b27a", Look::Trained.stroke()),
            (total.new, "new", Look::Trained.stroke(), Look::Trained.stroke()),
        ];
        let mut shapes = std::mem::take(&mut self.shapes);
        let mut x = MARGIN;
        let (mut passed, whole) = (0, total.total().max(1) as f64);
        let on_bar = |n: usize| MARGIN + (n as f64 / whole * f64::from(width)).round() as i32;
        for (n, what, fill, stroke) in shares.into_iter().filter(|share| share.0 > 0) {
            let (from, to) = (on_bar(passed), on_bar(passed + n));
            passed += n;
            let frame = |x, y, width, height| Frame { x, y, width, height };
            let box_of = |frame| style::rounded(frame, 2).set("fill", fill).set("stroke", stroke);
            let seam = if passed == total.total() { 0 } else { SEAM };
            if to - from - seam >= THINNEST {
                shapes = shapes.add(box_of(frame(from, BAR_Y, to - from - seam, BAR)));
            }
            shapes = shapes.add(box_of(frame(x, SHARES_Y - SWATCH / 2, SWATCH, SWATCH)));
            x += SWATCH + 7;
            let text = format!("{} {what}", amount(n));
            self.texts.push(SHARE.at(x, SHARES_Y, &text));
            x += SHARE.font.width(&text) + BETWEEN;
        }
        self.shapes = shapes;
    }
}

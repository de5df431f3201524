//! What flows: down the main path, around what a residual connection skips, up the ladder, and z to every module.

use svg::node::element::{Circle, Element, Group, Path};

use super::layout::{Card, Frame, Layout, Place, TaskEmbedding};
use super::style::{DETAIL, Line, Look, MUTED, PAPER, VIOLET, WIRE};
use crate::graph::{Kind, shape_label};

const LABEL: Line = Line::new(DETAIL, MUTED);
/// How far left of the rows the line around them runs, and how far inside a row it begins.
const AROUND: i32 = 17;
const INSIDE: i32 = 18;
/// Radius of the circle in which a residual is added.
const PLUS: i32 = 6;
/// Radius of a bend.
const BEND: i32 = 7;
/// From the top of a card to where the ladder enters it.
const ENTRY: i32 = 17;
/// How far above a line its label stands, by their middles.
const ABOVE: i32 = 10;

/// The lines, and the labels that lie beside them on the paper.
pub struct Wires {
    pub lines: Group,
    pub labels: Vec<Element>,
}

impl Wires {
    pub fn of(layout: &Layout) -> Self {
        let lines = Group::new().set("fill", "none").set("stroke", WIRE).set("stroke-width", 1.4);
        let mut wires = Self { lines, labels: Vec::new() };
        if let Some(z) = &layout.z {
            wires.conditions(layout, z);
        }
        for card in layout.cards.iter().filter(|card| card.group.layers.is_some()) {
            wires.inside(card);
        }
        for pair in layout.cards.windows(2) {
            if let [card, next] = pair {
                wires.between(card, next, layout.lane);
            }
        }
        wires
    }

    /// From the rail to each module.
    fn conditions(&mut self, layout: &Layout, z: &TaskEmbedding) {
        let modules = layout.cards.iter().flat_map(|card| {
            let rows = card.rows.iter().filter(|row| Look::of(row.node) == Look::Conditional);
            rows.chain(&card.modules)
        });
        let mut ends: Vec<Frame> = modules.map(|module| module.frame).collect();
        ends.sort_by_key(|frame| frame.middle());
        let Some(last) = ends.last() else { return };
        let top = z.place.frame.bottom();
        let mut rail = Group::new().set("stroke", VIOLET).set("stroke-width", 1);
        let down = format!("M{} {top}V{}", z.rail, last.middle() - BEND);
        rail = rail.add(Path::new().set("d", down).set("stroke-width", 1.4));
        for end in &ends {
            let d =
                format!("M{} {}q0 {BEND} -{BEND} {BEND}H{}", z.rail, end.middle() - BEND, end.right() + 1);
            rail = rail.add(arrow(&d, "arrow-z"));
        }
        self.lines = std::mem::take(&mut self.lines).add(rail);
        self.labels.push(Line::new(DETAIL, VIOLET).bold().at(z.rail - 12, top + 14, "z"));
    }

    /// From part to part of a layer, around them, and from the modules beside them.
    fn inside(&mut self, card: &Card) {
        let mut lines = std::mem::take(&mut self.lines);
        for pair in card.rows.windows(2) {
            if let [row, next] = pair {
                lines = lines.add(arrow(&down(card.frame.center(), row.frame, next.frame), "arrow"));
            }
        }
        // What the next norm adds: the input of the part after the last norm.
        let mut skipped = card.rows.first();
        for (i, row) in card.rows.iter().enumerate() {
            if matches!(row.node.kind, Kind::AttentionNorm | Kind::OutputNorm) {
                lines = skipped.into_iter().fold(lines, |lines, first| lines.add(residual(first, row)));
                skipped = card.rows.get(i + 1);
            }
        }
        for module in &card.modules {
            let heard = match module.node.kind {
                Kind::AttentionBias => card.row(Kind::Attention),
                kind => card.row(kind),
            };
            if let Some(Place { frame, .. }) = heard {
                let d = format!("M{} {}H{}", module.frame.x, frame.middle(), frame.right() + 1);
                lines = lines.add(arrow(&d, "arrow-z").set("stroke", VIOLET));
            }
        }
        self.lines = lines;
    }

    /// From a card to the one below it, by way of the ladder where there is one.
    fn between(&mut self, card: &Card, next: &Card, lane: i32) {
        let shape = card.rows.last().map(|row| shape_label(&row.node.shape)).unwrap_or_default();
        let (x, from) = (card.frame.center(), card.frame.bottom());
        let mut lines = std::mem::take(&mut self.lines);
        if card.step().is_none() || next.step().is_some() {
            lines = lines.add(arrow(&format!("M{x} {from}V{}", next.frame.y - 1), "arrow"));
            // Below the branch to the ladder, where there is one.
            let top = card.step().map_or(from, |step| step.frame.middle());
            self.labels.push(LABEL.at(x + 12, i32::midpoint(top, next.frame.y), &shape));
        }
        if let Some(Place { frame, .. }) = card.step() {
            let y = frame.middle();
            let d = format!("M{x} {from}V{}q0 {BEND} {BEND} {BEND}H{}", y - BEND, frame.x - 1);
            lines = lines.add(arrow(&d, "arrow"));
            let label = LABEL.center();
            self.labels.push(label.at(i32::midpoint(x, frame.x), y - ABOVE, &format!("h {shape}")));

            let y = next.frame.y + ENTRY;
            let d = match next.step() {
                Some(above) => format!("M{lane} {}V{}", frame.bottom(), above.frame.y - 1),
                None => {
                    let (bend, end) = (y - BEND, next.frame.right() + 1);
                    format!("M{lane} {}V{bend}q0 {BEND} -{BEND} {BEND}H{end}", frame.bottom())
                }
            };
            // It bridges the lines that it crosses.
            lines = lines.add(Path::new().set("d", d.as_str()).set("stroke", PAPER).set("stroke-width", 5));
            lines = lines.add(arrow(&d, "arrow"));
            match next.step() {
                Some(_) => self.labels.push(LABEL.end().at(lane - 8, frame.bottom() + 12, "f")),
                None => {
                    let middle = i32::midpoint(next.frame.right(), lane);
                    self.labels.push(label.at(middle, y - ABOVE, &format!("f {shape}")));
                }
            }
        }
        self.lines = lines;
    }
}

fn arrow(d: &str, head: &str) -> Path {
    Path::new().set("d", d).set("marker-end", format!("url(#{head})"))
}

fn down(x: i32, from: Frame, to: Frame) -> String {
    format!("M{x} {}V{}", from.bottom(), to.y - 1)
}

/// Around the parts from `first` to the one before `norm`, into which it is added.
fn residual(first: &Place, norm: &Place) -> Group {
    let (left, top) = (first.frame.x - AROUND, first.frame.y - 6);
    let (begin, y) = (first.frame.x + INSIDE, norm.frame.middle());
    let d = format!(
        "M{begin} {} V{}q0 -4 -4 -4H{}q-{BEND} 0 -{BEND} {BEND}V{y}",
        first.frame.y,
        top + 4,
        left + BEND
    );
    let plus = format!("M{} {y}h{}M{left} {}v{}", left - 3, 6, y - 3, 6);
    Group::new()
        .add(Path::new().set("d", d).set("stroke-dasharray", "2 2.5"))
        .add(arrow(&format!("M{} {y}H{}", left + PLUS, norm.frame.x - 1), "arrow"))
        .add(Circle::new().set("cx", left).set("cy", y).set("r", PLUS).set("fill", PAPER))
        .add(Path::new().set("d", plus))
}

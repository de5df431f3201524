//! Cards and what stands in them: groups, their parts, the modules beside them, the heads, z.

use svg::node::element::{Group, Title};

use super::heads::{self, PADDING as HEAD_PADDING};
use super::layout::{Card, Frame, Place, TaskEmbedding};
use super::style::{self, BORDER, CARD, DETAIL, INK, Line, Look, MUTED, NAME, PAPER, VIOLET};
use crate::graph::{Kind, Node, count_label, shape_label, state_label};

/// From the edge of a box to its icon's middle, to its text, and from its text to the other edge.
const TO_ICON: i32 = 18;
const TO_TEXT: i32 = 34;
const EDGE: i32 = 12;
/// Between two texts on a line.
const SPACE: i32 = 9;

const NAME_LINE: Line = Line::new(NAME, INK).bold();
const DETAIL_LINE: Line = Line::new(DETAIL, MUTED);

/// The card of a layer or of a run of layers, of the heads; nothing for a part alone, which is a row only.
pub fn background(card: &Card) -> Option<Group> {
    if card.is_alone() {
        return None;
    }
    let mut group = Group::new();
    if card.layers() > 1 {
        group = group.add(behind(card.frame, 8)).add(behind(card.frame, 4));
    }
    let front = Group::new().add(style::rounded(card.frame, 11).set("fill", CARD).set("stroke", BORDER));
    Some(group.add(header(front, card)))
}

/// A sheet of the stack that stands for several layers.
fn behind(frame: Frame, by: i32) -> svg::node::element::Rectangle {
    let frame = Frame { x: frame.x + by, y: frame.y + by, ..frame };
    style::rounded(frame, 11).set("fill", CARD).set("stroke", BORDER)
}

/// "layers 0..6  x 6  passed through             42.5 M frozen"
fn header(group: Group, card: &Card) -> Group {
    let Frame { y, .. } = card.frame;
    let middle = y + 19;
    let (mut x, right) = (card.frame.x + 14, card.frame.right() - 14);
    let count = DETAIL_LINE.font.fit(&count_label(card.group.parameters()), right - x);
    let mut group = group.add(DETAIL_LINE.end().at(right, middle, &count));
    let end = right - DETAIL_LINE.font.width(&count) - SPACE;

    let name = NAME_LINE.font.fit(&card.group.label, end - x);
    group = group.add(NAME_LINE.at(x, middle, &name));
    x += NAME_LINE.font.width(&name) + SPACE;
    if card.layers() > 1 {
        let (pill, width) = times(card.layers(), x, middle);
        if x + width <= end {
            group = group.add(pill);
            x += width + SPACE;
        }
    }
    let state = state_label(card.group.state());
    if DETAIL_LINE.font.width(state) <= end - x {
        group = group.add(DETAIL_LINE.at(x, middle, state));
    }
    group
}

/// "x 6" in a pill, and the pill's width.
fn times(layers: usize, x: i32, middle: i32) -> (Group, i32) {
    let line = Line::new(DETAIL, INK).center();
    let text = format!("× {layers}");
    let width = line.font.width(&text) + 14;
    let frame = Frame { x, y: middle - 9, width, height: 18 };
    let pill = style::rounded(frame, 9).set("fill", PAPER).set("stroke", BORDER);
    (Group::new().add(pill).add(line.at(frame.center(), middle, &text)), width)
}

/// The parts of a card, and the modules beside it.
pub fn parts<'a>(card: &'a Card) -> impl Iterator<Item = Group> + use<'a> {
    let rows = card.rows.iter().map(|row| if card.is_heads() { head(row) } else { part(row) });
    rows.chain(card.modules.iter().map(|module| match module.node.kind {
        Kind::AttentionBias => attention_bias(module),
        Kind::LadderStep => ladder_step(module, card.layers()),
        _ => norm(module),
    }))
}

/// "attention  12 heads of 64             11.8 M loaded"
fn part(Place { node, frame }: &Place) -> Group {
    let look = Look::of(node);
    let middle = frame.middle();
    let detail = node.detail.as_deref().filter(|_| !is_norm(node)).unwrap_or("");
    let detail = if node.kind == Kind::Alignment { "γ(z) e + β(z)" } else { detail };
    one_line(boxed(node, *frame, look), *frame, middle, [&node.label, detail, &count_label(node.parameters)])
}

fn is_norm(node: &Node) -> bool {
    matches!(node.kind, Kind::AttentionNorm | Kind::OutputNorm)
}

/// What a conditional norm has beside the backbone's own.
fn norm(Place { node, frame }: &Place) -> Group {
    let group = boxed(node, *frame, Look::Conditional);
    one_line(group, *frame, frame.middle(), ["conditional norm", "", "γ(z), β(z)"])
}

fn attention_bias(Place { node, frame }: &Place) -> Group {
    let group = boxed(node, *frame, Look::Conditional);
    let upper = ["attention bias", "M(z)", &count_label(node.parameters)];
    let group = one_line(group, *frame, frame.y + 14, upper);
    second_line(group, *frame, node.detail.as_deref().unwrap_or(""), &shape_label(&node.shape))
}

fn ladder_step(Place { node, frame }: &Place, layers: usize) -> Group {
    let group = boxed(node, *frame, Look::Conditional);
    let times = if layers > 1 { format!("× {layers}") } else { String::new() };
    let group = one_line(group, *frame, frame.y + 14, [&node.label, &times, &count_label(node.parameters)]);
    second_line(group, *frame, "f = bottleneck(h + previous f)", node.detail.as_deref().unwrap_or(""))
}

/// "cola       1538 new", below it "classify 2"; in a low box "cola       classify 2".
fn head(Place { node, frame }: &Place) -> Group {
    let (x, right) = (frame.x + HEAD_PADDING, frame.right() - HEAD_PADDING);
    let (detail, count) = (node.detail.as_deref().unwrap_or(""), count_label(node.parameters));
    let is_low = frame.height < heads::HIGH;
    let upper = if is_low { frame.middle() } else { frame.y + 14 };
    let figure = DETAIL_LINE.font.fit(if is_low { detail } else { &count }, right - x);
    let name = NAME_LINE.font.fit(&node.label, right - x - DETAIL_LINE.font.width(&figure) - SPACE);
    let group = Group::new()
        .add(Title::new(style::clean(&tooltip(node))))
        .add(style::part(*frame, Look::of(node)))
        .add(NAME_LINE.at(x, upper, &name))
        .add(DETAIL_LINE.end().at(right, upper, &figure));
    match is_low {
        true => group,
        false => group.add(DETAIL_LINE.at(x, frame.y + 31, &DETAIL_LINE.font.fit(detail, right - x))),
    }
}

pub fn task_embedding(z: &TaskEmbedding) -> Group {
    let Place { node, frame } = z.place;
    let (x, right) = (frame.x + 16, frame.right() - 16);
    let light = |line: Line| Line { fill: PAPER, ..line };
    let (name, detail) = (light(NAME_LINE), light(DETAIL_LINE));
    let count = detail.font.fit(&count_label(node.parameters), right - x);
    let room = right - x - detail.font.width(&count) - SPACE;
    let explained = format!("{}, a row a task", shape_label(&node.shape));
    Group::new()
        .add(Title::new(style::clean(&tooltip(node))))
        .add(style::rounded(frame, 11).set("fill", VIOLET))
        .add(name.at(x, frame.y + 21, &name.font.fit(&node.label, room)))
        .add(detail.end().at(right, frame.y + 21, &count))
        .add(detail.at(x, frame.y + 42, &detail.font.fit(&explained, right - x)))
}

/// A box with its icon, whose tooltip says why the part is in its state.
fn boxed(node: &Node, frame: Frame, look: Look) -> Group {
    Group::new().add(Title::new(style::clean(&tooltip(node)))).add(style::part(frame, look)).add(style::icon(
        look,
        frame.x + TO_ICON,
        frame.middle(),
    ))
}

fn tooltip(node: &Node) -> String {
    format!("{}: {} ({})", node.label, state_label(node.state), node.why)
}

/// Name, detail and, at the right edge, a figure. Where there is no room, the detail is left out and the name cut.
fn one_line(group: Group, frame: Frame, middle: i32, [name, detail, figure]: [&str; 3]) -> Group {
    let (x, right) = (frame.x + TO_TEXT, frame.right() - EDGE);
    let figure = DETAIL_LINE.font.fit(figure, right - x);
    let end = right - DETAIL_LINE.font.width(&figure) - SPACE;
    let name = NAME_LINE.font.fit(name, end - x);
    let after = x + NAME_LINE.font.width(&name) + SPACE;
    let mut group = group.add(NAME_LINE.at(x, middle, &name));
    if !detail.is_empty() && DETAIL_LINE.font.width(detail) <= end - after {
        group = group.add(DETAIL_LINE.at(after, middle, detail));
    }
    if !figure.is_empty() {
        group = group.add(DETAIL_LINE.end().at(right, middle, &figure));
    }
    group
}

fn second_line(group: Group, frame: Frame, text: &str, figure: &str) -> Group {
    let (x, right, middle) = (frame.x + TO_TEXT, frame.right() - EDGE, frame.y + 31);
    let figure = DETAIL_LINE.font.fit(figure, right - x);
    let text = DETAIL_LINE.font.fit(text, right - x - DETAIL_LINE.font.width(&figure) - SPACE);
    group.add(DETAIL_LINE.at(x, middle, &text)).add(DETAIL_LINE.end().at(right, middle, &figure))
}

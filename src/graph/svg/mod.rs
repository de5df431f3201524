//! The graph as a picture for a browser or a README: one SVG that needs nothing beside it.
//!
//! It reads like the table for a terminal, from the input at the top to the heads at the bottom. It brings its own
//! paper, so that it looks the same on a light page and on a dark one. `layout` says where everything stands,
//! `cards` and `wires` draw it, `style` says how; `measure` keeps every label inside its box without a font.

mod cards;
mod heading;
mod heads;
mod layout;
mod legend;
mod measure;
mod style;
mod wires;

use svg::node::element::{Description, Group, SVG, Title};

use super::{Graph, Kind, state_label};
use heading::Heading;
use layout::{Frame, Layout, MARGIN};
pub use measure::Font;
use style::{BORDER, PAPER};
use wires::Wires;

pub fn render(graph: &Graph) -> String {
    let layout = Layout::of(graph);
    let (width, height) = (layout.width, layout.height);
    let paper = Frame { x: 0, y: 0, width, height };
    let paper = style::rounded(paper, 14).set("fill", PAPER).set("stroke", BORDER);
    let mut picture = Group::new().set("font-family", style::FAMILY).add(paper);
    let Heading { shapes, texts } = Heading::of(graph, width - 2 * MARGIN);
    picture = texts.into_iter().fold(picture.add(shapes), Group::add);
    for background in layout.cards.iter().filter_map(cards::background) {
        picture = picture.add(background);
    }
    let Wires { lines, labels } = Wires::of(&layout);
    picture = labels.into_iter().fold(picture.add(lines), Group::add);
    for part in layout.cards.iter().flat_map(cards::parts) {
        picture = picture.add(part);
    }
    if let Some(z) = &layout.z {
        picture = picture.add(cards::task_embedding(z));
    }
    for entry in layout.legend.entries {
        picture = picture.add(entry.swatch()).add(entry.text());
    }

    let document = SVG::new()
        .set("xmlns", "http://www.w3.org/2000/svg")
        .set("width", width)
        .set("height", height)
        .set("viewBox", (0, 0, width, height))
        .set("role", "img")
        .set("aria-labelledby", "title description")
        .add(Title::new(style::clean(&graph.name)).set("id", "title"))
        .add(
            Description::new()
                .set("id", "description")
                .add(svg::node::Text::new(style::clean(&describe(graph)))),
        )
        .add(style::definitions())
        .add(picture);
    format!("{document}\n")
}

/// For those who hear the picture.
fn describe(graph: &Graph) -> String {
    let groups: Vec<String> = graph.groups.iter().map(describe_group).collect();
    format!("From the input to the heads: {}.", groups.join("; "))
}

/// "layers 6..11, trained, conditional attention bias, conditional attention norm", "heads, trained, cola, rte".
fn describe_group(group: &super::Group) -> String {
    let mut words = vec![group.label.clone(), state_label(group.state()).to_owned()];
    words.extend(group.nodes.iter().filter_map(|node| match node.kind {
        Kind::Head => Some(node.label.clone()),
        _ if node.conditional => Some(format!("conditional {}", node.label)),
        _ => None,
    }));
    words.join(", ")
}

//! Where everything stands: frames in whole pixels, made from the graph alone; nothing is drawn here.
//!
//! Two columns: the network itself, and the conditional modules beside what they act on. To the right of both runs
//! the rail of the task embedding z. A module that lies on the main path (alignment, bottleneck) is a row of it.

use super::heading::Heading;
use super::heads;
use super::legend::Legend;
use super::style::Look;
use crate::graph::{Graph, Group, Kind, Node};

/// Around the whole picture.
pub const MARGIN: i32 = 28;
/// Where the first card begins.
const TOP: i32 = Heading::BOTTOM + 22;
/// Width of the network's column, and of that of the modules.
const COLUMN: i32 = 420;
const MODULES: i32 = 290;
/// Between the columns, and from the modules to the rail of z.
const BETWEEN: i32 = 38;
const TO_RAIL: i32 = 24;
/// What the card of z has beyond its rail.
const BEYOND_RAIL: i32 = 14;

const ROW: i32 = 28;
const BETWEEN_ROWS: i32 = 11;
/// Inside a card, around its rows; on the left is room for what goes around a row.
const PADDING: i32 = 14;
const LEFT_PADDING: i32 = 38;
const CARD_HEADER: i32 = 36;
const ALONE: i32 = 34;
const MODULE: i32 = 44;
/// Between cards; more where a step of the ladder stands beside the gap.
const GAP: i32 = 36;
const LADDER_GAP: i32 = 74;
const TASK_EMBEDDING: i32 = 62;
/// By how much modules are shorter where the ladder passes them.
const LANE: i32 = 34;
const BEFORE_LEGEND: i32 = 24;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    pub x: i32,
    pub y: i32,
    pub width: i32,
    pub height: i32,
}

impl Frame {
    pub fn right(self) -> i32 {
        self.x + self.width
    }

    pub fn bottom(self) -> i32 {
        self.y + self.height
    }

    /// The x of its middle.
    pub fn center(self) -> i32 {
        self.x + self.width / 2
    }

    /// The y of its middle.
    pub fn middle(self) -> i32 {
        self.y + self.height / 2
    }
}

pub struct Layout<'a> {
    pub width: i32,
    pub height: i32,
    /// From the input to the heads.
    pub cards: Vec<Card<'a>>,
    pub z: Option<TaskEmbedding<'a>>,
    /// The x of the line that leads from each step of the ladder to what hears it.
    pub lane: i32,
    pub legend: Legend,
}

/// A group.
pub struct Card<'a> {
    pub group: &'a Group,
    pub frame: Frame,
    /// Its parts on the main path.
    pub rows: Vec<Place<'a>>,
    /// Those beside it.
    pub modules: Vec<Place<'a>>,
}

#[derive(Clone, Copy)]
pub struct Place<'a> {
    pub node: &'a Node,
    pub frame: Frame,
}

pub struct TaskEmbedding<'a> {
    pub place: Place<'a>,
    /// The x of the line from which every module hears z.
    pub rail: i32,
}

impl Card<'_> {
    /// A part that is a card of its own.
    pub fn is_alone(&self) -> bool {
        self.group.layers.is_none() && !self.is_heads()
    }

    pub fn is_heads(&self) -> bool {
        self.rows.iter().all(|row| row.node.kind == Kind::Head)
    }

    /// How many layers it stands for.
    pub fn layers(&self) -> usize {
        self.group.layers.as_ref().map_or(1, std::ops::Range::len)
    }

    pub fn row(&self, kind: Kind) -> Option<&Place<'_>> {
        self.rows.iter().find(|row| row.node.kind == kind)
    }

    /// Its step of the ladder.
    pub fn step(&self) -> Option<&Place<'_>> {
        self.modules.iter().find(|module| module.node.kind == Kind::LadderStep)
    }
}

impl<'a> Layout<'a> {
    pub fn of(graph: &'a Graph) -> Self {
        let nodes = || graph.groups.iter().flat_map(|group| &group.nodes);
        let embedding = nodes().find(|node| node.kind == Kind::TaskEmbedding);
        let modules = MARGIN + COLUMN + BETWEEN;
        let rail = modules + MODULES + TO_RAIL;
        let content = match embedding {
            Some(_) => rail + BEYOND_RAIL - MARGIN,
            None => COLUMN,
        };
        let z = embedding.map(|node| {
            let width = rail + BEYOND_RAIL - modules;
            let frame = Frame { x: modules, y: TOP, width, height: TASK_EMBEDDING };
            TaskEmbedding { place: Place { node, frame }, rail }
        });

        let mut cards: Vec<Card> = Vec::new();
        let mut y = TOP;
        for group in graph.groups.iter().filter(|group| group.find(Kind::TaskEmbedding).is_none()) {
            let after_step = cards.last().is_some_and(|card| card.step().is_some());
            let card = if group.layers.is_some() {
                layer_card(group, y, modules, after_step)
            } else if group.find(Kind::Head).is_some() {
                heads_card(group, y, content)
            } else {
                alone_card(group, y)
            };
            y = card.frame.bottom() + if card.step().is_some() { LADDER_GAP } else { GAP };
            cards.push(card);
        }

        let end = cards.last().map_or(TOP, |card| card.frame.bottom());
        let parts = cards.iter().flat_map(|card| card.rows.iter().chain(&card.modules));
        let shown = parts.map(|part| Look::of(part.node)).collect();
        let legend = Legend::new(&shown, (MARGIN, end + BEFORE_LEGEND), content);
        let height = legend.bottom() + MARGIN;
        Self { width: content + 2 * MARGIN, height, cards, z, lane: modules + MODULES - LANE / 2, legend }
    }
}

/// A group of one part: the card is its row.
fn alone_card(group: &Group, y: i32) -> Card<'_> {
    let frame = Frame { x: MARGIN, y, width: COLUMN, height: ALONE };
    let rows = group.nodes.iter().map(|node| Place { node, frame }).collect();
    Card { group, frame, rows, modules: Vec::new() }
}

fn layer_card(group: &Group, top: i32, modules: i32, after_step: bool) -> Card<'_> {
    let mut card = Card {
        group,
        frame: Frame { x: MARGIN, y: top, width: COLUMN, height: 0 },
        rows: Vec::new(),
        modules: Vec::new(),
    };
    let width = MODULES - if after_step { LANE } else { 0 };
    let beside = |y: i32, height: i32| Frame { x: modules, y, width, height };
    let mut y = top + CARD_HEADER;
    for node in &group.nodes {
        match node.kind {
            // Its foot is level with that of the attention, which follows.
            Kind::AttentionBias => {
                card.modules.push(Place { node, frame: beside(y + ROW - MODULE, MODULE) });
            }
            Kind::LadderStep => {
                let frame = Frame { width: MODULES, ..beside(step_top(y), MODULE) };
                card.modules.push(Place { node, frame });
            }
            kind => {
                let width = COLUMN - LEFT_PADDING - PADDING;
                card.rows
                    .push(Place { node, frame: Frame { x: MARGIN + LEFT_PADDING, y, width, height: ROW } });
                let is_norm = matches!(kind, Kind::AttentionNorm | Kind::OutputNorm);
                if is_norm && node.conditional {
                    card.modules.push(Place { node, frame: beside(y, ROW) });
                }
                y += ROW + BETWEEN_ROWS;
            }
        }
    }
    card.frame.height = y - BETWEEN_ROWS + PADDING - top;
    card
}

/// A step of the ladder stands beside the gap below its card; `y` is where the card's next row would be.
fn step_top(y: i32) -> i32 {
    y - BETWEEN_ROWS + PADDING + (LADDER_GAP - MODULE) / 2
}

fn heads_card(group: &Group, y: i32, content: i32) -> Card<'_> {
    let inside = |width: i32| width - 2 * PADDING;
    // One line of heads below the network, else all the width there is.
    let (width, grid) = match heads::grid(&group.nodes, inside(COLUMN)) {
        grid if grid.lines == 1 => (COLUMN, grid),
        _ => (content, heads::grid(&group.nodes, inside(content))),
    };
    let origin = (MARGIN + PADDING, y + CARD_HEADER);
    let rows: Vec<Place> = (group.nodes.iter().enumerate())
        .map(|(i, node)| Place { node, frame: grid.cell(i, origin) })
        .collect();
    let bottom = rows.last().map_or(origin.1, |row| row.frame.bottom());
    let frame = Frame { x: MARGIN, y, width, height: bottom + PADDING - y };
    Card { group, frame, rows, modules: Vec::new() }
}

//! Colours, sizes of type, icons, and the few shapes that everything is drawn with.
//!
//! Every state has a colour, a border, an icon and its words, so that none is told by its colour alone. All is in
//! plain attributes: GitHub shows an SVG as an image, without scripts and without any file beside it.

use svg::Node as _;
use svg::node::element::{Circle, Definitions, Element, Group, Marker, Path, Pattern, Rectangle, Use};

use super::layout::Frame;
use super::measure::Font;
use crate::graph::Node;
use crate::ir::Flow;

pub const FAMILY: &str = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";
/// Sizes of type.
pub const TITLE: i32 = 21;
pub const NAME: i32 = 13;
pub const DETAIL: i32 = 11;

pub const INK: &str = "#1f2328";
pub const MUTED: &str = "#59636e";
pub const PAPER: &str = "#ffffff";
pub const CARD: &str = "#f6f8fa";
pub const BORDER: &str = "#d0d7de";
pub const WIRE: &str = "#6e7781";
pub const VIOLET: &str = "#8250df";

/// How a part is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Look {
    Constant,
    Passed,
    Trained,
    /// A conditional module, which is always trained.
    Conditional,
}

impl Look {
    /// Of a part on the main path; a conditional norm is one of the backbone's norms, with its module beside it.
    pub fn of(node: &Node) -> Self {
        use crate::graph::Kind;
        let is_module = node.conditional && !matches!(node.kind, Kind::AttentionNorm | Kind::OutputNorm);
        match node.state {
            _ if is_module => Self::Conditional,
            Flow::Constant => Self::Constant,
            Flow::Passed => Self::Passed,
            Flow::Trained => Self::Trained,
        }
    }

    pub fn fill(self) -> &'static str {
        match self {
            Self::Constant => "url(#hatch)",
            Self::Passed => "#eef6ff",
            Self::Trained => "#fff4e8",
            Self::Conditional => "#f7f1ff",
        }
    }

    pub fn stroke(self) -> &'static str {
        match self {
            Self::Constant => "#818b98",
            Self::Passed => "#0969da",
            Self::Trained => "#bc4c00",
            Self::Conditional => VIOLET,
        }
    }

    fn icon(self) -> &'static str {
        match self {
            Self::Constant => "#snowflake",
            Self::Passed => "#lock",
            Self::Trained => "#flame",
            Self::Conditional => "#z",
        }
    }
}

/// The box of a part.
pub fn part(frame: Frame, look: Look) -> Rectangle {
    let rectangle = rounded(frame, 7).set("fill", look.fill()).set("stroke", look.stroke());
    match look {
        Look::Passed => rectangle.set("stroke-dasharray", "5 3"),
        _ => rectangle,
    }
}

pub fn rounded(frame: Frame, radius: i32) -> Rectangle {
    Rectangle::new()
        .set("x", frame.x)
        .set("y", frame.y)
        .set("width", frame.width)
        .set("height", frame.height)
        .set("rx", radius)
}

/// 16 x 16 pixels, centred on a point.
pub fn icon(look: Look, x: i32, y: i32) -> Use {
    Use::new().set("href", look.icon()).set("x", x - 8).set("y", y - 8).set("color", look.stroke())
}

/// One line of type; `y` is its middle.
#[derive(Clone, Copy)]
pub struct Line {
    pub font: Font,
    pub fill: &'static str,
    pub anchor: &'static str,
}

impl Line {
    pub const fn new(size: i32, fill: &'static str) -> Self {
        Self { font: Font { size, bold: false }, fill, anchor: "start" }
    }

    pub const fn bold(self) -> Self {
        Self { font: Font { bold: true, ..self.font }, ..self }
    }

    pub const fn end(self) -> Self {
        Self { anchor: "end", ..self }
    }

    pub const fn center(self) -> Self {
        Self { anchor: "middle", ..self }
    }

    pub fn at(self, x: i32, y: i32, content: &str) -> Element {
        // From the middle of the capitals to the baseline.
        let baseline = y + (self.font.size * 36 + 50) / 100;
        // Not the crate's own `Text`, which writes its content on a line of its own.
        let mut text = Element::new("text");
        text.append(svg::node::Text::new(clean(content)));
        text.assign("x", x);
        text.assign("y", baseline);
        text.assign("font-size", self.font.size);
        text.assign("fill", self.fill);
        if self.font.bold {
            text.assign("font-weight", 600);
        }
        if self.anchor != "start" {
            text.assign("text-anchor", self.anchor);
        }
        text
    }
}

/// Without the control characters that XML has no way to write. Text goes into elements, never into attributes.
pub fn clean(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') { '\u{fffd}' } else { c })
        .collect()
}

pub fn definitions() -> Definitions {
    let hatch = Pattern::new()
        .set("id", "hatch")
        .set("width", 7)
        .set("height", 7)
        .set("patternUnits", "userSpaceOnUse")
        .set("patternTransform", "rotate(45)")
        .add(Rectangle::new().set("width", 7).set("height", 7).set("fill", "#f6f8fa"))
        .add(Rectangle::new().set("width", 2).set("height", 7).set("fill", "#e4e8ec"));
    Definitions::new()
        .add(hatch)
        .add(arrowhead("arrow", WIRE))
        .add(arrowhead("arrow-z", VIOLET))
        .add(snowflake())
        .add(lock())
        .add(flame())
        .add(z())
}

fn arrowhead(id: &str, fill: &str) -> Marker {
    Marker::new()
        .set("id", id)
        .set("viewBox", "0 0 8 8")
        .set("refX", 7)
        .set("refY", 4)
        .set("markerWidth", 7)
        .set("markerHeight", 7)
        .set("markerUnits", "userSpaceOnUse")
        .set("orient", "auto")
        .add(Path::new().set("d", "M0 0.5 8 4 0 7.5z").set("fill", fill))
}

fn snowflake() -> Group {
    let arm = "M8 1.5v13M6.2 2.8 8 4.6l1.8-1.8M6.2 13.2 8 11.4l1.8 1.8";
    let arms =
        [0, 60, 120].map(|angle| Path::new().set("d", arm).set("transform", format!("rotate({angle} 8 8)")));
    let [first, second, third] = arms;
    Group::new()
        .set("id", "snowflake")
        .set("fill", "none")
        .set("stroke", "currentColor")
        .set("stroke-width", 1.2)
        .set("stroke-linecap", "round")
        .add(first)
        .add(second)
        .add(third)
}

fn lock() -> Group {
    let shackle = Path::new()
        .set("d", "M5 7V5.2a3 3 0 0 1 6 0V7")
        .set("fill", "none")
        .set("stroke", "currentColor")
        .set("stroke-width", 1.5);
    let body = Path::new().set("d", "M3.2 7h9.6v6.6H3.2z").set("fill", "currentColor");
    let keyhole = Circle::new().set("cx", 8).set("cy", 10.3).set("r", 1.2).set("fill", PAPER);
    Group::new().set("id", "lock").add(shackle).add(body).add(keyhole)
}

fn flame() -> Group {
    let outline = "M8.6 1.2c.4 2.9 4.3 4.5 4.3 8.4a4.9 4.9 0 0 1-9.8 0c0-2 1-3.4 2.1-4.4.1 1.3.6 2 1.4 2.4C6.5 5.4 7 2.8 8.6 1.2z";
    Group::new().set("id", "flame").add(Path::new().set("d", outline).set("fill", "currentColor"))
}

fn z() -> Group {
    let disc = Circle::new().set("cx", 8).set("cy", 8).set("r", 6.5).set("fill", "currentColor");
    let letter = Path::new()
        .set("d", "M5.8 5.7h4.4L5.8 10.3h4.4")
        .set("fill", "none")
        .set("stroke", PAPER)
        .set("stroke-width", 1.4)
        .set("stroke-linejoin", "round");
    Group::new().set("id", "z").add(disc).add(letter)
}

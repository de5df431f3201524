//! The pictures that `graph --format svg` draws: well-formed, with every label in its box and no box over another.
#![cfg(feature = "compiler")]

use std::fs;
use std::path::Path;

use camtl::disk::Folder;
use camtl::graph::{self, Font, Format};
use camtl::ir::{Blocks, Program};
use camtl::span::Source;
use roxmltree::{Document, Node};

/// left, top, right, bottom
#[derive(Clone, Copy, Debug, PartialEq)]
struct Area(i32, i32, i32, i32);

impl Area {
    fn holds(self, other: Area) -> bool {
        self.0 <= other.0 && self.1 <= other.1 && self.2 >= other.2 && self.3 >= other.3
    }

    fn meets(self, other: Area) -> bool {
        self.0 < other.2 && other.0 < self.2 && self.1 < other.3 && other.1 < self.3
    }
}

#[test]
fn every_label_is_inside_its_box_and_apart_from_the_others() {
    for (what, svg) in pictures() {
        let document = parse(&what, &svg);
        let mut seen: Vec<(Node, Area, &str)> = Vec::new();
        for label in document.descendants().filter(|node| node.has_tag_name("text")) {
            let (area, text) = (extent(label), label.text().unwrap_or(""));
            let parent = label.parent().expect("a text is in a group");
            let frame = box_of(parent).unwrap_or_else(|| panic!("{what}: `{text}` is in no box"));
            assert!(frame.holds(area), "{what}: `{text}` at {area:?} leaves {frame:?}");
            for (group, other, words) in &seen {
                let apart = *group != parent || !other.meets(area);
                assert!(apart, "{what}: `{text}` at {area:?} is over `{words}` at {other:?}");
            }
            seen.push((parent, area, text));
        }
        assert!(seen.len() > 10, "{what} has labels");
    }
}

#[test]
fn boxes_are_inside_each_other_or_apart() {
    for (what, svg) in pictures() {
        let document = parse(&what, &svg);
        let holds_text = |group: &Node| group.children().any(|child| child.has_tag_name("text"));
        let groups: Vec<Node> = document.descendants().filter(holds_text).collect();
        let boxes: Vec<Area> = groups.iter().filter_map(|group| box_of(*group)).collect();
        for (i, one) in boxes.iter().enumerate() {
            for other in &boxes[i + 1..] {
                let is_nested = one.holds(*other) || other.holds(*one);
                assert!(is_nested || !one.meets(*other), "{what}: {one:?} is over {other:?}");
            }
        }
        // What lies on the paper itself keeps clear of the boxes on it.
        let paper = groups.first().expect("a paper");
        for label in paper.children().filter(|child| child.has_tag_name("text")) {
            let area = extent(label);
            let text = label.text().unwrap_or("");
            let over = boxes[1..].iter().find(|frame| frame.meets(area));
            assert_eq!(over, None, "{what}: `{text}` at {area:?}");
        }
    }
}

#[test]
fn names_stay_text() {
    let evil = "<&\"'>]]><script>alert(1)</script>\u{7}";
    let mut program = quickstart();
    evil.clone_into(&mut program.name);
    evil.clone_into(&mut program.tasks[0].name);
    let svg = graph::render(&program, Format::Svg);
    let document = parse("evil names", &svg);
    assert!(document.descendants().all(|node| !node.has_tag_name("script")));
    let title = document.root_element().first_element_child().and_then(|title| title.text());
    assert_eq!(title, Some(evil.replace('\u{7}', "\u{fffd}").as_str()));
}

#[test]
fn a_picture_needs_nothing_beside_it() {
    for (what, svg) in pictures() {
        let document = parse(&what, &svg);
        for node in document.descendants().filter(Node::is_element) {
            let name = node.tag_name().name();
            assert!(!matches!(name, "script" | "style" | "image" | "foreignObject"), "{what}: {name}");
            let href = node.attribute("href").unwrap_or("#");
            assert!(href.starts_with('#'), "{what}: {href}");
        }
        let root = document.root_element();
        let view = format!("0 0 {} {}", number(root, "width"), number(root, "height"));
        assert_eq!(root.attribute("viewBox"), Some(view.as_str()), "{what}");
    }
}

#[test]
fn all_that_is_referred_to_is_defined() {
    let svg = graph::render(&quickstart(), Format::Svg);
    let document = parse("quickstart", &svg);
    let ids: Vec<&str> = document.descendants().filter_map(|node| node.attribute("id")).collect();
    for attribute in document.descendants().flat_map(|node| node.attributes()) {
        let value = attribute.value();
        let name = value.strip_prefix('#').filter(|_| attribute.name() == "href");
        let name = name.or_else(|| value.strip_prefix("url(#").and_then(|url| url.strip_suffix(')')));
        assert!(name.is_none_or(|name| ids.contains(&name)), "{value}");
    }
}

/// If it does not: `camtlc graph models/camtl_base.cam --format svg > docs/camtl_base.svg`.
#[test]
fn the_readmes_picture_is_what_the_command_prints() {
    let program = load("models/camtl_base.cam");
    assert!(
        read("docs/camtl_base.svg") == graph::render(&program, Format::Svg),
        "docs/camtl_base.svg is old"
    );
}

/// The corpus, and what it has no example of.
fn pictures() -> Vec<(String, String)> {
    let mut programs: Vec<(String, Program)> = Vec::new();
    for folder in ["models", "tests/ok"] {
        for entry in fs::read_dir(rooted(folder)).expect("the corpus can be listed") {
            let path = entry.expect("an entry").path();
            if path.extension().is_some_and(|extension| extension == "cam") {
                let path = path.to_string_lossy().into_owned();
                programs.push((path.clone(), load(&path)));
            }
        }
    }
    for tasks in [1, 12, 13, 24, 100] {
        let mut program = quickstart();
        let first = program.tasks[0].clone();
        program.tasks = (0..tasks)
            .map(|i| camtl::ir::Task { name: format!("task_{}", "long_".repeat(i % 7)), ..first.clone() })
            .collect();
        programs.push((format!("{tasks} tasks"), program));
    }

    let mut endless = quickstart();
    endless.name = "W".repeat(300);
    endless.tasks[1].name = "語".repeat(300);
    programs.push(("endless names".to_owned(), endless));

    // A ladder beside layers with every other module, in two runs.
    let mut ladder = load("tests/ok/ladder.cam");
    for layer in &mut ladder.layers[18..] {
        layer.norm = true;
        layer.attention = Blocks::new(128, 6);
    }
    programs.push(("a mixed ladder".to_owned(), ladder));

    // Figures as wide as they come.
    let mut huge = load("models/camtl_base.cam");
    huge.backbone.hidden = 131_072;
    huge.backbone.ffn = 524_288;
    huge.sequence = 65_536;
    huge.backbone.heads = 65_536;
    programs.push(("a huge network".to_owned(), huge));
    programs.into_iter().map(|(what, program)| (what, graph::render(&program, Format::Svg))).collect()
}

fn parse<'a>(what: &str, svg: &'a str) -> Document<'a> {
    Document::parse(svg).unwrap_or_else(|error| panic!("{what}: {error}"))
}

/// The first rectangle of a group.
fn box_of(group: Node) -> Option<Area> {
    let rectangle = group.children().find(|child| child.has_tag_name("rect"))?;
    let (x, y) = (number(rectangle, "x"), number(rectangle, "y"));
    Some(Area(x, y, x + number(rectangle, "width"), y + number(rectangle, "height")))
}

/// Of a text, as wide as the measure of the layout has it.
fn extent(text: Node) -> Area {
    let (x, baseline, size) = (number(text, "x"), number(text, "y"), number(text, "font-size"));
    let font = Font { size, bold: text.has_attribute("font-weight") };
    let width = font.width(text.text().unwrap_or(""));
    let left = match text.attribute("text-anchor") {
        Some("end") => x - width,
        Some("middle") => x - width / 2,
        _ => x,
    };
    // Capitals and what hangs below the line.
    Area(left, baseline - size * 3 / 4, left + width, baseline + size / 4)
}

fn number(node: Node, attribute: &str) -> i32 {
    let text = node.attribute(attribute).unwrap_or_else(|| panic!("{node:?} has no {attribute}"));
    text.parse().unwrap_or_else(|_| panic!("{attribute} is {text}"))
}

fn quickstart() -> Program {
    load("models/quickstart.cam")
}

fn load(path: &str) -> Program {
    match camtl::analysis::compile_model(&Source::new(path, read(path)), &Folder::of(&rooted(path))) {
        Ok(compiled) => compiled.program,
        Err(rejected) => panic!("{path} has mistakes: {:?}", rejected.diagnostics.codes()),
    }
}

fn read(path: &str) -> String {
    fs::read_to_string(rooted(path)).expect("the file can be read").replace("\r\n", "\n")
}

fn rooted(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

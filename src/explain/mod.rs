//! `camtlc explain`: what stands behind a code, as a terminal shows it.
//!
//! A page is a Markdown file, `pages/<area>_<name>.md`: the code, its meaning, why the rule is there, and an example,
//! wrong and right. `tests/explain.rs` runs the examples. Deliberately absent: a reader of Markdown. Pages use
//! headings, paragraphs and fenced blocks, and a line tells which of them it is.

use crate::diagnostics::{Style, codes::Code};

const BOLD: &str = "\x1b[1m";
const RED: &str = "\x1b[1;31m";
const GREEN: &str = "\x1b[1;32m";
const RESET: &str = "\x1b[0m";

/// What is larger than a code, by its name.
const TOPICS: [(&str, &str); 1] = [("fidelity", include_str!("fidelity.md"))];

/// The page of a topic, if there is one of that name.
pub fn topic(name: &str, style: Style) -> Option<String> {
    let (_, page) = TOPICS.iter().find(|(topic, _)| *topic == name)?;
    Some(shown(page, style))
}

/// One page: headings without their `#`, examples indented instead of fenced.
pub fn page(code: &Code, style: Style) -> String {
    shown(code.page, style)
}

fn shown(page: &str, style: Style) -> String {
    let mut text = String::new();
    let mut is_example = false;
    for line in page.lines() {
        if line.starts_with("```") {
            is_example = !is_example;
            continue;
        }
        if is_example && !line.is_empty() {
            text.push_str("    ");
        }
        match line.strip_prefix('#') {
            Some(heading) if !is_example => {
                text.push_str(&painted(heading.trim_start_matches('#').trim(), style));
            }
            _ => text.push_str(line),
        }
        text.push('\n');
    }
    text
}

fn painted(heading: &str, style: Style) -> String {
    let color = match (style, heading) {
        (Style::Plain, _) => return heading.to_owned(),
        (Style::Color, "Wrong") => RED,
        (Style::Color, "Right") => GREEN,
        (Style::Color, _) => BOLD,
    };
    format!("{color}{heading}{RESET}")
}

/// A line a code with its meaning; an empty line between areas.
pub fn list<'a>(codes: impl IntoIterator<Item = &'a Code>) -> String {
    let codes: Vec<&Code> = codes.into_iter().collect();
    let width = codes.iter().map(|code| code.code.len()).max().unwrap_or_default();
    let mut text = String::new();
    let mut area = None;
    for code in codes {
        if area.is_some_and(|area| area != code.area()) {
            text.push('\n');
        }
        area = Some(code.area());
        text.push_str(&format!("{:width$}  {}\n", code.code, code.meaning));
    }
    text
}

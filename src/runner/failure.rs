//! A failure, shown on stderr as `camtlc` shows its own.

use std::io::IsTerminal as _;

use miette::{GraphicalReportHandler, GraphicalTheme, Report};

pub fn show(report: &Report) {
    let has_colors = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let theme = if has_colors { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    // Paths stay in one piece, so that they can be copied: the terminal wraps by itself.
    let handler = GraphicalReportHandler::new_themed(theme).with_links(false).with_wrap_lines(false);
    let mut text = String::new();
    match handler.render_report(&mut text, report.as_ref()) {
        Ok(()) => eprintln!("{}", text.trim_end()),
        Err(_) => eprintln!("error: {report}"),
    }
}

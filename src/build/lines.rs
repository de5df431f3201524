//! A diagnostic as one line, because a line is all that cargo shows of each.

use miette::Diagnostic;

use crate::span::Source;

/// "models/reviews.cam:4:19: message (cam::area::name); help: ..", the place being that of the primary label.
pub fn located(diagnostic: &(dyn Diagnostic + Send + Sync), source: &Source) -> String {
    let labels: Vec<_> = diagnostic.labels().into_iter().flatten().collect();
    let label = labels.iter().find(|label| label.primary()).or(labels.first());
    let place = label.map_or_else(
        || format!("{}: ", source.name),
        |label| {
            let (line, column) = position(&source.text, label.offset());
            format!("{}:{line}:{column}: ", source.name)
        },
    );
    place + &line(diagnostic)
}

/// "message: cause (code); help: .."
pub fn line(diagnostic: &dyn Diagnostic) -> String {
    let mut text = diagnostic.to_string();
    let mut cause = diagnostic.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    if let Some(code) = diagnostic.code() {
        text += &format!(" ({code})");
    }
    if let Some(help) = diagnostic.help() {
        text += &format!("; help: {help}");
    }
    // a line break would end what cargo is told
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Line and column of a byte, both from 1; the column in characters, as rustc counts.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.rsplit('\n').next().unwrap_or_default();
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::position;

    #[test]
    fn a_column_is_counted_in_characters() {
        let text = "a\n  \u{e9}\u{e9} b\n";
        assert_eq!(position(text, 0), (1, 1));
        assert_eq!(position(text, text.find('b').expect("it is there")), (2, 6));
        assert_eq!(position(text, text.len() + 1), (3, 1));
    }
}

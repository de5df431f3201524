//! The model's summary: the comment lines directly above `model`.

use crate::syntax::ast::{Comment, Model};

/// Sentences joined by spaces, an empty comment line ending a paragraph; `None` without such a comment.
pub fn summary(comments: &[Comment], model: &Model, text: &str) -> Option<String> {
    let mut below = model.span.start;
    let mut lines = Vec::new();
    for comment in comments.iter().rev().skip_while(|comment| comment.span.start > model.span.start) {
        let between = &text[comment.span.end..below];
        let directly_above = between.trim().is_empty() && between.matches('\n').count() == 1;
        if !directly_above || !stands_alone(comment, text) {
            break;
        }
        lines.push(comment.text.trim_start_matches('/').trim());
        below = comment.span.start;
    }
    lines.reverse();
    let paragraphs: Vec<String> = lines
        .split(|line| line.is_empty())
        .filter(|lines| !lines.is_empty())
        .map(|lines| lines.join(" "))
        .collect();
    (!paragraphs.is_empty()).then(|| paragraphs.join("\n\n"))
}

/// Is nothing before it on its line?
fn stands_alone(comment: &Comment, text: &str) -> bool {
    let before = &text[..comment.span.start];
    let line = before.rfind('\n').map_or(0, |at| at + 1);
    before[line..].trim().is_empty()
}

//! A diagnostic as one line, because a line is all that cargo shows of each.

use miette::Diagnostic;

use crate::diagnostics::Entry;

/// "models/reviews.cam:4:19: message (cam::area::name); help: ..", the place being that of the primary label;
/// `model` where there is none.
pub fn located(entry: &Entry, model: &str) -> String {
    let label = entry.labels.iter().find(|label| label.primary);
    let place = label.map_or_else(
        || format!("{model}: "),
        |label| format!("{}:{}:{}: ", label.file, label.start.line, label.start.column),
    );
    let variant = entry.variant.as_ref().map(|name| format!("in the variant `{name}`: ")).unwrap_or_default();
    place + &variant + &joined(&entry.message, entry.code.as_deref(), entry.help.as_deref())
}

/// "message: cause (code); help: .."
pub fn line(diagnostic: &dyn Diagnostic) -> String {
    let mut text = diagnostic.to_string();
    let mut cause = diagnostic.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    let [code, help] = [diagnostic.code(), diagnostic.help()].map(|part| part.map(|part| part.to_string()));
    joined(&text, code.as_deref(), help.as_deref())
}

fn joined(message: &str, code: Option<&str>, help: Option<&str>) -> String {
    let code = code.map(|code| format!(" ({code})")).unwrap_or_default();
    let help = help.map(|help| format!("; help: {help}")).unwrap_or_default();
    // a line break would end what cargo is told
    format!("{message}{code}{help}").split_whitespace().collect::<Vec<_>>().join(" ")
}

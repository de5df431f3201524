//! Tokens to text: legal white space and comments between them, as odd as they may be.

use super::dice::Dice;

/// What may stand behind the slashes of a comment.
pub const COMMENTS: [&str; 12] = [
    " why",
    "",
    "/ a third slash",
    " \"quoted\" { and braced",
    " in the middle\rof a line",
    " caf\u{e9} \u{1F600} \u{202e} \u{a0}",
    "\ttabs\tand spaces at the end  \t ",
    " */ /* `code` [link](x) <b> & \\n \u{0} \u{7}",
    " a very long sentence about nothing at all, which goes on and on until it is well beyond the columns of any page",
    " model x backbone bert { layers 1 }",
    " \u{feff}\u{2028}\u{2029}\u{85}",
    "////////////////////////////////",
];

/// One item a line at least, and anything legal between its tokens.
pub fn lay_out(items: &[Vec<String>], dice: &mut Dice) -> String {
    let line_break = dice.pick(&["\n", "\r\n"]);
    let mut text = dice.pick(&["", "\u{feff}", " \t ", "\n"]).to_owned();
    for item in items {
        for _ in 0..dice.between(0, 3) {
            comment(&mut text, line_break, dice);
        }
        let mut last = "{";
        for token in item {
            gap(&mut text, last, token, line_break, dice);
            text.push_str(token);
            last = token;
        }
        text.push_str(line_break);
    }
    if dice.chance(20) {
        // The last line need not end.
        text.push_str("// the end");
    }
    text
}

fn gap(text: &mut String, last: &str, next: &str, line_break: &str, dice: &mut Dice) {
    match dice.below(24) {
        16 => text.push('\t'),
        17 => text.push_str("    "),
        18 | 19 => text.push_str(line_break),
        20 => text.extend([line_break, line_break, " "]),
        21 => comment(text, line_break, dice),
        22 if touch(last, next) => {}
        23 => text.push('\u{feff}'),
        _ => text.push(' '),
    }
}

fn comment(text: &mut String, line_break: &str, dice: &mut Dice) {
    text.extend([dice.pick(&[" ", "  ", line_break]), "//", dice.pick(&COMMENTS), line_break]);
}

/// May these two stand side by side?
fn touch(last: &str, next: &str) -> bool {
    let is_sign = |token: &str| matches!(token, "{" | "}" | "," | "..") || token.starts_with('"');
    is_sign(last) || is_sign(next)
}

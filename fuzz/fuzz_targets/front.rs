//! The whole front end: a text is reported, or becomes Rust, a graph and figures that agree.
#![no_main]

use camtl_fuzz::properties::{Around, check_text};
use libfuzzer_sys::fuzz_target;

// What stands behind a form feed is the file that the text may include as "other.cam".
fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (text, other) = text.split_once('\u{c}').unwrap_or((text, ""));
    check_text(text, &Around([("other.cam".to_owned(), other.to_owned())].into()));
});

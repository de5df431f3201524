//! The whole front end: a text is reported, or becomes Rust, a graph and figures that agree.
#![no_main]

use camtl_fuzz::properties::check_text;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        check_text(text);
    }
});

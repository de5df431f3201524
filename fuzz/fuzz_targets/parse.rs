//! Parser and formatter: a text is reported, or has one layout.
#![no_main]

use camtl::span::Source;
use camtl_fuzz::properties::check_syntax;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        check_syntax(&Source::new("fuzz.cam", text));
    }
});

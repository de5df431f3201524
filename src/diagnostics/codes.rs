//! Every code, with what it means in a line.
pub const CODES: &[(&str, &str)] = &[];

//! What the targets ask of a text: the properties that `tests/robust` asks of generated ones.

#[path = "../../tests/robust/properties.rs"]
pub mod properties;

//! What an item should be predicted as, in terms of what the head gives for it.

/// Of a training item. Borrowed from its data set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Goal<'a> {
    /// The index of the label among the task's, or of the right choice among the item's.
    Class(u32),
    Value(f32),
    /// The tag of each word, also of those at the end that did not fit the sequence.
    Tags(&'a [u32]), // [words]
    /// First and last token of the answer, as places among the item's marks. Both 0, the place of `[CLS]`, where the
    /// window holds no whole answer.
    Span {
        start: u32,
        end: u32,
    },
    /// The file does not say.
    None,
}

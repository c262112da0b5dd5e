//! What is said of one match of a shape.

use std::ops::Range;

use regex::Captures;

use super::findings::Class;

/// What a judge says of one match.
pub(super) enum Ruling {
    /// Remove these parts of the text, in order.
    Remove(Vec<(Range<usize>, Class)>),
    /// Nothing here; look on from there.
    PassOver(usize),
}

/// Rules on one match of a shape in a text.
pub(super) type Judge = fn(&str, &Captures<'_>) -> Ruling;

/// Nothing here; look on behind it.
pub(super) fn over(matched: &Captures<'_>) -> Ruling {
    Ruling::PassOver(matched.get_match().end())
}

//! All detectors of a text, in order.

use std::sync::LazyLock;

use regex::RegexSet;

use super::{
    columns::COLUMNS,
    detect::{Detector, set},
    forms::FORMS,
    lines::LINES,
    places::PLACES,
    ruling::Judge,
    shapes::DEFINITIONS,
};

/// All shapes at once: which detectors have anything to do.
pub(super) static SHAPES: LazyLock<RegexSet> = LazyLock::new(|| set(definitions()));

/// In the order in which they are applied: what is more telling first.
pub(super) static DETECTORS: LazyLock<Vec<Detector>> =
    LazyLock::new(|| definitions().map(Detector::new).collect());

/// What a name stands before, or what is known by its own shape; then what is known by its place.
fn definitions() -> impl Iterator<Item = &'static (&'static str, Judge)> {
    DEFINITIONS.iter().chain(LINES).chain(FORMS).chain(PLACES).chain(COLUMNS)
}

//! What of the manifest the document has: the checks after the manifest's look it up.

use std::collections::BTreeMap;

use proof::{bundle::PARTS, records::RecordKind};

/// How the document's lists lie in the manifest's.
#[derive(Debug, Default)]
pub(crate) struct Matched {
    pub(super) places: BTreeMap<RecordKind, Vec<usize>>,
    pub(super) audit: Vec<usize>,
    /// For each part, whether nothing of it is missing or strange.
    pub(super) whole: [bool; PARTS.len()],
}

impl Matched {
    /// For each record of a kind that is there, in order, its place among those that ought to be.
    pub(crate) fn places(&self, kind: RecordKind) -> &[usize] {
        self.places.get(&kind).map_or(&[], Vec::as_slice)
    }

    /// The same for the audit rows.
    pub(crate) fn audit(&self) -> &[usize] {
        &self.audit
    }
}

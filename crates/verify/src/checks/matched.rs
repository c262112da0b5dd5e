//! What of the manifest the document has: the checks after the manifest's look it up.

use std::collections::BTreeMap;

use proof::{bundle::PARTS, records::RecordKind};

/// How the document's lists lie in the manifest's.
#[derive(Debug, Default)]
pub(crate) struct Matched {
    pub(super) places: BTreeMap<RecordKind, Places>,
    pub(super) audit: Places,
    /// For each part, whether nothing of it is missing or strange.
    pub(super) whole: [bool; PARTS.len()],
}

/// For each value of a list that is there, in order, its place among those that ought to be.
#[derive(Debug)]
pub(crate) enum Places {
    /// So many are there, each in the place that it has in the document.
    AsTheyStand(usize),
    /// Some are missing.
    At(Vec<usize>),
}

/// Of a list that is not the manifest's.
static NONE: Places = Places::AsTheyStand(0);

impl Default for Places {
    fn default() -> Self {
        Self::AsTheyStand(0)
    }
}

impl Places {
    pub(crate) const fn len(&self) -> usize {
        match self {
            Self::AsTheyStand(count) => *count,
            Self::At(places) => places.len(),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> {
        (0..self.len()).map(move |at| match self {
            Self::AsTheyStand(_) => at,
            Self::At(places) => places[at],
        })
    }
}

impl Matched {
    /// For each record of a kind that is there.
    pub(crate) fn places(&self, kind: RecordKind) -> &Places {
        self.places.get(&kind).unwrap_or(&NONE)
    }

    /// The same for the audit rows.
    pub(crate) const fn audit(&self) -> &Places {
        &self.audit
    }
}

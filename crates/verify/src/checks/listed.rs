//! The hashes that a manifest lists.

use proof::hash::Hash;

/// The hashes of all records of a kind that a run has.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Listed<'l> {
    /// Those of the document: they are kept once.
    AsTheyStand(&'l [Hash]),
    /// Others. None stands for one that whoever made the bundle could not read.
    Own(&'l [Option<Hash>]),
}

impl Listed<'_> {
    pub(crate) const fn len(self) -> usize {
        match self {
            Self::AsTheyStand(hashes) => hashes.len(),
            Self::Own(hashes) => hashes.len(),
        }
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// None beyond the last, and where it could not be read.
    pub(crate) fn get(self, at: usize) -> Option<Hash> {
        match self {
            Self::AsTheyStand(hashes) => hashes.get(at).copied(),
            Self::Own(hashes) => hashes.get(at).copied().flatten(),
        }
    }

    pub(crate) fn last(self) -> Option<Hash> {
        self.get(self.len().checked_sub(1)?)
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = Option<Hash>> {
        (0..self.len()).map(move |at| self.get(at))
    }
}

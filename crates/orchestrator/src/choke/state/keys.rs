//! The keys under which steps and permits of a run were recorded.

use std::collections::HashSet;

use models::logs::{KeyDigest, StepKey};

/// So many of a run are kept. Of a run that has more, the store is asked.
const MOST: usize = 1_000;

/// All keys of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::choke) struct Keys(HashSet<KeyDigest>);

impl Keys {
    /// Those that the store has.
    pub(in crate::choke) fn stored(keys: Vec<KeyDigest>) -> Self {
        Self(keys.into_iter().collect())
    }

    pub(in crate::choke) fn add(&mut self, key: &StepKey) {
        self.0.insert(key.digest());
    }

    pub(in crate::choke) fn has(&self, key: &StepKey) -> bool {
        self.0.contains(&key.digest())
    }

    /// How many.
    pub(in crate::choke) fn count(&self) -> usize {
        self.0.len()
    }

    pub(in crate::choke) fn are_too_many(&self) -> bool {
        self.0.len() > MOST
    }

    /// About how many bytes they are.
    pub(in crate::choke) fn weight(&self) -> usize {
        self.0.capacity() * size_of::<KeyDigest>() * 5 / 4
    }
}

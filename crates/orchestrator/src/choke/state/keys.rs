//! The keys under which steps and permits of a run were recorded.

use std::collections::HashSet;

use models::logs::StepKey;

/// So many of a run are kept. Of a run that has more, the store is asked.
const MOST: usize = 1_000;
/// A key beside its text.
const OF_A_KEY: usize = 1 << 6;

/// All keys of a run.
#[derive(Clone, Default)]
pub(in crate::choke) struct Keys {
    all: HashSet<StepKey>,
    bytes: usize,
}

impl Keys {
    pub(in crate::choke) fn add(&mut self, key: StepKey) {
        let bytes = OF_A_KEY + key.text().len();
        if self.all.insert(key) {
            self.bytes += bytes;
        }
    }

    pub(in crate::choke) fn has(&self, key: &StepKey) -> bool {
        self.all.contains(key)
    }

    pub(in crate::choke) fn are_too_many(&self) -> bool {
        self.all.len() > MOST
    }

    /// About how many bytes they are.
    pub(in crate::choke) fn weight(&self) -> usize {
        self.bytes
    }
}

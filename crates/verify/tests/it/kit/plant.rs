//! A fault that is planted where a record or leaf is made, so that everything after it is built upon it and fits: what
//! somebody can do who holds the key and the store.

use std::cell::Cell;

use proof::{leaves::RunLeaf, records::Record};

/// What becomes of each record and each leaf before it is hashed. A record may be dropped.
#[derive(Clone, Copy)]
pub(crate) struct Plant {
    record: fn(Record) -> Option<Record>,
    leaf: fn(RunLeaf) -> RunLeaf,
}

thread_local! {
    static NOW: Cell<Plant> = const { Cell::new(Plant { record: Some, leaf: |leaf| leaf }) };
}

impl Plant {
    /// A fault in records.
    pub(crate) const fn records(record: fn(Record) -> Option<Record>) -> Self {
        Self { record, leaf: |leaf| leaf }
    }

    /// A fault in leaves of the run log.
    pub(crate) const fn leaves(leaf: fn(RunLeaf) -> RunLeaf) -> Self {
        Self { record: Some, leaf }
    }

    /// What `make` makes of a scene with this fault in it.
    pub(crate) fn within<T>(self, make: impl FnOnce() -> T) -> T {
        let before = NOW.replace(self);
        let scene = make();
        NOW.set(before);
        scene
    }

    pub(super) fn now() -> Self {
        NOW.get()
    }

    pub(super) fn record(self, record: Record) -> Option<Record> {
        (self.record)(record)
    }

    pub(super) fn leaf(self, leaf: RunLeaf) -> RunLeaf {
        (self.leaf)(leaf)
    }
}

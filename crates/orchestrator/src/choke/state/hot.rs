//! A run as a committed group left it: all that the next group of the run would read again, where the store still has
//! the run in that state.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use models::{
    activity::{Run, RunVersion},
    ids::PermitId,
    logs::{KeyDigest, Trace},
    policies::OpenPermit,
};
use proof::contents::Salt;

use super::{
    RunState,
    keys::Keys,
    open::{self, OpenPermits},
    snapshots::BoundSnapshot,
};

/// What is kept of a run for its next group. What of a run is not told by its version (whether it is frozen, what
/// people did to it, what its agent knows) is asked each time.
pub(in crate::choke) struct HotRun {
    pub(in crate::choke) run: Run,
    pub(in crate::choke) trace: Trace,
    pub(in crate::choke) version: RunVersion,
    pub(in crate::choke) snapshot: Arc<BoundSnapshot>,
    /// Its open permits, where a limit asks for them: a permit is granted, and used, with its run. One that has lapsed
    /// may have been released since, and holds nothing either way.
    pub(in crate::choke) open: OpenPermits,
    pub(in crate::choke) beside: SaltAndKeys,
}

/// What of a run that is remembered so is kept up by hand or written back, and the version in which the store had it.
/// The rest is asked with the run each time, as its salt, or never changes, as the rules that it is bound to.
pub(crate) struct KnownRun {
    pub(crate) run: Run,
    pub(crate) trace: Trace,
    pub(crate) version: RunVersion,
    open: Option<OpenPermits>,
    keys: Option<Keys>,
}

impl KnownRun {
    /// Whether its next group goes by what its permits hold, as it is remembered.
    pub(crate) fn knows_permits(&self) -> bool {
        self.open.is_some()
    }

    /// Whether its next group goes by its keys, as they are remembered.
    pub(crate) fn knows_keys(&self) -> bool {
        self.keys.is_some()
    }

    /// Its permits that serve behind `until` and are stored in another way: what is remembered of each, and what is
    /// stored.
    pub(crate) fn other_permits(
        &self,
        stored: &[OpenPermit],
        until: DateTime<Utc>,
    ) -> Vec<(PermitId, [String; 2])> {
        self.open.as_ref().map(|open| open.unlike(stored, until)).unwrap_or_default()
    }

    /// How many of its keys are remembered, and how many stored, where they are not the same ones.
    pub(crate) fn other_keys(&self, stored: Vec<KeyDigest>) -> Option<[usize; 2]> {
        let (keys, stored) = (self.keys.as_ref()?, Keys::stored(stored));
        (*keys != stored).then(|| [keys.count(), stored.count()])
    }
}

/// What is kept of a run beside its state.
pub(in crate::choke) struct SaltAndKeys {
    /// What its texts are hashed with.
    pub(in crate::choke) salt: Salt,
    /// Its keys, where all of them are known.
    pub(in crate::choke) keys: Option<Keys>,
}

impl SaltAndKeys {
    /// About how many bytes it holds beside itself.
    pub(in crate::choke) fn weight(&self) -> usize {
        self.keys.as_ref().map_or(0, Keys::weight)
    }
}

impl HotRun {
    /// What of it is to be compared with the store.
    pub(in crate::choke) fn known(&self) -> KnownRun {
        let Self { run, trace, version, snapshot, open, beside } = self;
        known((run, trace, *version), snapshot, open, beside)
    }

    /// The run as its group leaves it.
    pub(in crate::choke) fn of(run: RunState, beside: SaltAndKeys) -> Self {
        let RunState { run, trace, version, snapshot, open, .. } = run;
        let open = if open::are_asked_for(&snapshot) { open } else { OpenPermits::default() };
        Self { run, trace, version, snapshot, open, beside }
    }
}

/// The same of a run that answers without the store go by as well.
pub(in crate::choke) fn known_of(run: &RunState, beside: &SaltAndKeys) -> KnownRun {
    known((&run.run, &run.trace, run.version), &run.snapshot, &run.open, beside)
}

fn known(
    (run, trace, version): (&Run, &Trace, RunVersion),
    snapshot: &BoundSnapshot,
    open: &OpenPermits,
    beside: &SaltAndKeys,
) -> KnownRun {
    let open = open::are_asked_for(snapshot).then(|| open.clone());
    KnownRun { run: run.clone(), trace: trace.clone(), version, open, keys: beside.keys.clone() }
}

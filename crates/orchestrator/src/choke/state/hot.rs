//! A run as a committed group left it: all that the next group of the run would read again, where the store still has
//! the run in that state.

use std::sync::Arc;

use models::{
    activity::{Run, RunVersion},
    logs::Trace,
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

/// The rows of a run that is remembered so, and the version in which the store had them.
pub(crate) struct KnownRun {
    pub(crate) run: Run,
    pub(crate) trace: Trace,
    pub(crate) version: RunVersion,
}

impl KnownRun {
    pub(in crate::choke) fn of(run: &Run, trace: &Trace, version: RunVersion) -> Self {
        Self { run: run.clone(), trace: trace.clone(), version }
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
    /// The run as its group leaves it.
    pub(in crate::choke) fn of(run: RunState, beside: SaltAndKeys) -> Self {
        let RunState { run, trace, version, snapshot, open, .. } = run;
        let open = if open::are_asked_for(&snapshot) { open } else { OpenPermits::default() };
        Self { run, trace, version, snapshot, open, beside }
    }
}

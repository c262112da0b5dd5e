//! A run as a replica remembers it: as the last group left it that this replica's store took, and as calls left it that
//! were answered since without the store.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use models::{
    activity::{Run, RunState as LifeState},
    ids::PermitId,
    policies::Permit,
};
use proof::words::RunStatus;

use super::doubt::Doubt;
use crate::choke::{
    decide::gates::serves,
    state::{
        RunState,
        hot::{HotRun, SaltAndKeys},
    },
};

/// What a permit holds: its row, with names and reservations.
const OF_A_PERMIT: usize = 1 << 10;

/// A run of the last minutes.
pub(super) struct Remembered {
    /// When this replica's store was last asked about it, and the same by the spine's elapsed time.
    pub(super) at: DateTime<Utc>,
    pub(super) read: TimeDelta,
    /// When the last group began that this replica's store took something of, and that held the run locked.
    pub(super) written: Option<TimeDelta>,
    /// When the last look began that asked whether it takes steps.
    pub(super) looked: Option<TimeDelta>,
    /// When a look told that it takes no more steps.
    pub(super) stopped: Option<TimeDelta>,
    /// Whether a group may have stopped it.
    pub(super) doubt: Doubt,
    pub(super) run: RunState,
    /// What its next group needs beside `run`, where that is what the store has at its version.
    pub(super) salt_and_keys: Option<SaltAndKeys>,
    /// Granted to the run, and not used or lapsed when this replica last saw them.
    pub(super) permits: HashMap<PermitId, Permit>,
}

impl Remembered {
    /// About how many bytes it holds, beside what it shares.
    pub(super) fn weight(&self) -> usize {
        let permits = self.permits.values().map(|permit| OF_A_PERMIT + permit.run_after.len());
        let keys = self.salt_and_keys.as_ref().map_or(0, SaltAndKeys::weight);
        size_of::<Self>() + self.run.weight() + keys + permits.sum::<usize>()
    }

    pub(super) fn of(at: DateTime<Utc>, read: TimeDelta, written: Option<TimeDelta>, run: RunState) -> Self {
        let (looked, stopped, doubt, permits) = (None, None, Doubt::default(), HashMap::new());
        Self { at, read, written, looked, stopped, doubt, run, salt_and_keys: None, permits }
    }

    /// What an answer without the store goes by. It has no use of the salt, nor of the keys, of which there may be
    /// many.
    pub(super) fn for_an_answer(&self) -> Self {
        Self { run: self.run.clone(), permits: self.permits.clone(), salt_and_keys: None, ..*self }
    }

    /// The run for its next group, where it is as the store had it.
    pub(super) fn lend(&mut self, not_before: DateTime<Utc>) -> Option<HotRun> {
        let beside = self.salt_and_keys.take().filter(|_| self.at >= not_before)?;
        Some(HotRun::of(self.run.clone(), beside))
    }

    /// Takes over what was remembered of the run before, where what is remembered now is by a group that began then.
    pub(super) fn come_after(&mut self, before: Self, began: TimeDelta) {
        let Self { written, looked, stopped, run, permits, .. } = before;
        (self.looked, self.stopped, self.permits) = (looked, stopped, permits);
        self.written = self.written.or(written);
        let left = std::mem::replace(&mut self.run, run);
        self.go_on(left, began);
    }

    /// The run is as a call left it, or a group, that knew of it since then. Where it was still running, a look may
    /// have told meanwhile that another stopped it: who is stopped stays so.
    pub(super) fn go_on(&mut self, left: RunState, since: TimeDelta) {
        let is_over = self.stopped.is_some_and(|at| at >= since) && takes_steps(&left.run);
        let run = if is_over { self.run.run.clone() } else { left.run };
        if is_over {
            self.salt_and_keys = None;
        }
        self.run = RunState { run, ..left };
    }

    /// Keeps a permit as long as it can serve.
    pub(super) fn permit(&mut self, permit: Permit, now: DateTime<Utc>) {
        self.permits.retain(|_, known| serves(known, now));
        if serves(&permit, now) {
            self.permits.insert(permit.id, permit);
        } else {
            self.permits.remove(&permit.id);
        }
    }
}

/// Whether a run takes steps, for whoever may still report some.
pub(super) fn takes_steps(run: &Run) -> bool {
    run.state == LifeState::Live && run.status == RunStatus::Running
}

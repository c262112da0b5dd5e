//! What of a group is tried again, how often and for how long; and the runs that somebody else holds locked.

use std::{
    collections::{HashMap, HashSet},
    error::Error,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use drivers::{StoreError, Tx};
use models::ids::RunId;

use crate::{retrying, spine::Spine};

/// How often a group, with the parts it falls into, is tried again because the store asks for that.
const RETRIES: u32 = 8;

/// How often it is tried again because one and the same key was taken: after each change of a policy all replicas make
/// the same snapshot, and there may be a change more meanwhile.
const TAKEN: usize = 2;

/// What a group may take until nothing of it is tried again. A call may come when a group has just begun, and then wait
/// for that one and for its own: so both together stay below the ten seconds that a caller waits at most.
const GROUP: Duration = Duration::from_secs(4);

/// How long a part of a group waits for a lock, when all of it together has waited in vain.
const BRIEFLY: Duration = Duration::from_millis(150);

/// How long nothing overdue is tried of a run that was found locked: looking costs its tenant's other runs time.
const LATELY: Duration = Duration::from_secs(1);

/// How long it is remembered that a run was found locked. Then its calls share a group with others again.
const FORGOTTEN: Duration = Duration::from_mins(1);

/// How long a unit of work waits for a lock that another holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    /// As long as the store's settings say.
    Usual,
    /// A moment: others wait for this one.
    Brief,
}

impl Patience {
    /// Holds the unit of work to it.
    pub(super) async fn of(self, tx: &Tx) -> Result<(), StoreError> {
        match self {
            Self::Usual => Ok(()),
            Self::Brief => tx.wait_at_most(BRIEFLY).await,
        }
    }
}

/// Counts the races that a group lost against other replicas: whoever lost one tries again, whole.
pub(super) struct Races<'s> {
    spine: &'s Spine,
    since: Instant,
    lost: u32,
    /// What the store said of each key that was taken meanwhile.
    taken: Vec<String>,
}

impl<'s> Races<'s> {
    pub(super) fn begin(spine: &'s Spine) -> Self {
        Self { spine, since: Instant::now(), lost: 0, taken: Vec::new() }
    }

    /// Whether another try can pass where this one failed; waits for a while before it if so. A deadlock or a
    /// serialisation failure may not come again. A key that was taken meanwhile was taken by somebody whose commit is
    /// done: the next try finds what they stored, or this was no race. One group may lose several keys, one behind the
    /// other: the snapshot of its rules, its run, the run's key.
    pub(super) async fn lost(&mut self, err: &StoreError) -> bool {
        let again = match err {
            StoreError::Retry(_) => self.lost < RETRIES && !self.is_late(),
            StoreError::Conflict(cause) => {
                let said = said(&**cause);
                let before = self.taken.iter().filter(|taken| **taken == said).count();
                before < TAKEN && self.taken.len() < RETRIES as usize && !self.is_late()
            }
            _ => false,
        };
        if !again {
            return false;
        }
        tracing::debug!(error = err as &dyn Error, tries = self.lost, "lost a race; trying again");
        if let StoreError::Conflict(cause) = err {
            self.taken.push(said(&**cause));
        } else {
            // Those that met each other must not meet again.
            retrying::pause(self.spine, self.lost).await;
            self.lost += 1;
        }
        true
    }

    /// Whether the time of the group is over.
    pub(super) fn is_late(&self) -> bool {
        self.since.elapsed() >= GROUP
    }
}

/// What the store itself said, which names the key.
fn said(cause: &(dyn Error + 'static)) -> String {
    cause.source().map_or_else(|| cause.to_string(), said)
}

/// Runs that were found locked by somebody else: their calls go apart, so that others do not wait with them.
#[derive(Default)]
pub(super) struct Stuck(Mutex<HashMap<RunId, Instant>>);

impl Stuck {
    pub(super) fn note(&self, runs: impl IntoIterator<Item = RunId>) {
        let now = Instant::now();
        let mut stuck = self.lock();
        stuck.retain(|_, at| at.elapsed() < FORGOTTEN);
        stuck.extend(runs.into_iter().map(|run| (run, now)));
    }

    /// These were written.
    pub(super) fn forget(&self, runs: impl IntoIterator<Item = RunId>) {
        let mut stuck = self.lock();
        if !stuck.is_empty() {
            for run in runs {
                stuck.remove(&run);
            }
        }
    }

    /// All of them.
    pub(super) fn runs(&self) -> HashSet<RunId> {
        self.within(FORGOTTEN)
    }

    /// Those that were found so a moment ago.
    pub(super) fn lately(&self) -> HashSet<RunId> {
        self.within(LATELY)
    }

    fn within(&self, time: Duration) -> HashSet<RunId> {
        self.lock().iter().filter(|(_, at)| at.elapsed() < time).map(|(run, _)| *run).collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<RunId, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! Holds what this server remembers of a tenant's runs for their next groups (ADR 47) against the store, some runs at a
//! time. A group goes by it, and writes it back: what of a run was changed past HOC would be overwritten, and no record
//! says it. Compared are the run, its trace, what its open permits hold, and its keys.

use std::fmt::Debug;

use chrono::{DateTime, TimeDelta, Utc};
use drivers::{ByRun, StoreError};
use models::{
    activity::{Run, RunVersion},
    ids::{RunId, TenantId},
    logs::{KeyDigest, Trace},
    policies::OpenPermit,
};

use crate::{choke::KnownRun, clock_check, errors::Error, spine::Spine};

/// So many runs are compared at once.
const RUNS: usize = 20;

/// A permit that serves no longer than this may have been released already, by a server whose clock is ahead.
const APART: TimeDelta = TimeDelta::seconds(10);

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// The last run that was looked at. None where no more are remembered.
    pub last: Option<RunId>,
    /// How many of them the store has in the very version that is remembered.
    pub runs: usize,
    /// The rows of these that are stored in another way; none is good.
    pub differing: Vec<Differing>,
}

/// A row that is stored in another way than it is remembered, while its run has the same version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Differing {
    /// The run.
    pub run: RunId,
    /// The table of the row.
    pub table: &'static str,
    /// The row's key.
    pub row: String,
    /// What is remembered.
    pub remembered: String,
    /// What is stored.
    pub stored: String,
}

/// Compares the runs behind `after` that are remembered, and their traces, with what the store has of them at one
/// moment. Where a run was written since, it has another version: its next group reads it, and there is nothing to
/// compare. So a group that is committed meanwhile is not taken for a fault.
pub async fn compare_next(spine: &Spine, tenant: TenantId, after: Option<RunId>) -> Result<Compared, Error> {
    let remembered = spine.choke().hot(tenant, after, RUNS);
    let mut compared = Compared { last: remembered.last().map(|known| known.run.id), ..Compared::default() };
    if remembered.is_empty() {
        return Ok(compared);
    }
    let mut stored = Stored::of(spine, tenant, &remembered).await?;
    for known in &remembered {
        if let Some(differing) = stored.against(known) {
            compared.runs += 1;
            compared.differing.extend(differing);
        }
    }
    Ok(compared)
}

/// What the store has of remembered runs at one moment: of each that is still in the version that is remembered.
struct Stored {
    runs: ByRun<(Run, RunVersion)>,
    traces: ByRun<Trace>,
    /// The permits that serve behind this moment. None where nobody goes by what permits are remembered.
    until: Option<DateTime<Utc>>,
    permits: ByRun<Vec<OpenPermit>>,
    keys: ByRun<Vec<KeyDigest>>,
}

impl Stored {
    /// Asks each table once, for all of the runs.
    async fn of(spine: &Spine, tenant: TenantId, remembered: &[KnownRun]) -> Result<Self, StoreError> {
        let store = spine.read().await?;
        let ids: Vec<RunId> = remembered.iter().map(|known| known.run.id).collect();
        let runs = store.activity().find_runs_and_versions(tenant, &ids).await?;
        let same: Vec<&KnownRun> =
            remembered.iter().filter(|known| in_same_version(&runs, known).is_some()).collect();
        let those = |are_asked_for: fn(&KnownRun) -> bool| -> Vec<RunId> {
            same.iter().filter(|known| are_asked_for(known)).map(|known| known.run.id).collect()
        };
        let traces = store.traces().own_traces_of(tenant, &those(|_| true)).await?;
        // By a clock that is in doubt nobody goes by what permits are remembered.
        let until = clock_check::may_lapse(spine).then(|| spine.now() + APART);
        let permits = match until {
            Some(until) => {
                let with_permits = those(KnownRun::knows_permits);
                store.policies().open_permits_of_each(tenant, &with_permits, until).await?
            }
            None => ByRun::new(),
        };
        let keys = store.traces().all_keys_of(tenant, &those(KnownRun::knows_keys)).await?;
        Ok(Self { runs, traces, until, permits, keys })
    }

    /// The rows that are stored in another way than they are remembered. None where the run cannot be compared: it was
    /// written since, or it or its trace does not read back, which is told of by who reads the run's records.
    fn against(&mut self, known: &KnownRun) -> Option<Vec<Differing>> {
        let id = known.run.id;
        let run = in_same_version(&self.runs, known)?;
        let trace = self.traces.get(&id).map(Result::as_ref).transpose().ok()?;
        let mut rows: Vec<(&'static str, String, [String; 2])> = Vec::new();
        rows.extend(unlike(&known.run, Some(run)).map(|both| ("runs", id.to_string(), both)));
        rows.extend(unlike(&known.trace, trace).map(|both| ("aos_traces", known.trace.id.to_string(), both)));
        // What open permits hold, and the keys: both are kept up by hand as groups of the run go on.
        if let Some(until) = self.until
            && let Ok(stored) = self.permits.remove(&id).transpose()
        {
            let others = known.other_permits(&stored.unwrap_or_default(), until).into_iter();
            rows.extend(others.map(|(permit, both)| ("permits", permit.to_string(), both)));
        }
        if let Ok(stored) = self.keys.remove(&id).transpose() {
            let counts = known.other_keys(stored.unwrap_or_default());
            let both = counts.map(|counts| counts.map(|count| format!("{count} keys")));
            rows.extend(both.map(|both| ("step_keys", id.to_string(), both)));
        }
        let differing = rows.into_iter().map(|(table, row, [remembered, stored])| Differing {
            run: id,
            table,
            row,
            remembered,
            stored,
        });
        Some(differing.collect())
    }
}

/// The run, where it is stored in the version that is remembered.
fn in_same_version<'s>(stored: &'s ByRun<(Run, RunVersion)>, known: &KnownRun) -> Option<&'s Run> {
    match stored.get(&known.run.id) {
        Some(Ok((run, version))) if *version == known.version => Some(run),
        _ => None,
    }
}

/// What is remembered of a row, and what is stored, where they are not the same.
fn unlike<R: Debug + PartialEq>(remembered: &R, stored: Option<&R>) -> Option<[String; 2]> {
    let told = |row: Option<&R>| row.map_or_else(|| "absent".to_owned(), |row| format!("{row:?}"));
    (Some(remembered) != stored).then(|| [Some(remembered), stored].map(told))
}

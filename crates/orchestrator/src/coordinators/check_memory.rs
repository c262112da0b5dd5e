//! Holds what this server remembers of a tenant's runs for their next groups (ADR 47) against the store, some runs at a
//! time. A group goes by it, and writes it back: what of a run was changed past HOC would be overwritten, and no record
//! says it. Compared are the run, its trace, what its open permits hold, and its keys.

use chrono::{DateTime, TimeDelta, Utc};
use drivers::{ReadTx, StoreError};
use models::ids::{RunId, TenantId};

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
    let store = spine.read().await?;
    for known in remembered {
        let id = known.run.id;
        let stored = match store.activity().find_run_and_version(tenant, id).await {
            Ok(Some((stored, version))) if version == known.version => stored,
            // What does not read back is told of by who reads the run's records.
            Ok(_) | Err(StoreError::Corrupt { .. }) => continue,
            Err(err) => return Err(err.into()),
        };
        let stored_trace = match store.traces().trace_of_run(tenant, id).await {
            Ok(stored) => stored,
            Err(StoreError::Corrupt { .. }) => continue,
            Err(err) => return Err(err.into()),
        };
        compared.runs += 1;
        let KnownRun { run, trace, .. } = &known;
        if stored != *run {
            compared.differing.push(Differing {
                run: run.id,
                table: "runs",
                row: run.id.to_string(),
                remembered: format!("{run:?}"),
                stored: format!("{stored:?}"),
            });
        }
        if stored_trace.as_ref() != Some(trace) {
            compared.differing.push(Differing {
                run: run.id,
                table: "aos_traces",
                row: trace.id.to_string(),
                remembered: format!("{trace:?}"),
                stored: format!("{stored_trace:?}"),
            });
        }
        match beside(spine, &store, tenant, &known).await {
            Ok(differing) => compared.differing.extend(differing),
            Err(StoreError::Corrupt { .. }) => {}
            Err(err) => return Err(err.into()),
        }
    }
    Ok(compared)
}

/// What is stored in another way of what is remembered beside the rows of a run: what its open permits hold, and its
/// keys. Both are kept up by hand as its groups go on.
async fn beside(
    spine: &Spine,
    store: &ReadTx,
    tenant: TenantId,
    known: &KnownRun,
) -> Result<Vec<Differing>, StoreError> {
    let (run, mut differing) = (known.run.id, Vec::new());
    // By a clock that is in doubt nobody goes by what permits are remembered.
    if known.knows_permits() && clock_check::may_lapse(spine) {
        let until: DateTime<Utc> = spine.now() + APART;
        let stored = store.policies().open_permits(tenant, &[run], until).await?;
        for (id, [remembered, stored]) in known.other_permits(&stored, until) {
            differing.push(Differing { run, table: "permits", row: id.to_string(), remembered, stored });
        }
    }
    if known.knows_keys() {
        let mut stored = store.traces().all_keys_of(tenant, &[run]).await?;
        if let Some(counts) = known.other_keys(stored.remove(&run).unwrap_or_default()) {
            let [remembered, stored] = counts.map(|count| format!("{count} keys"));
            differing.push(Differing { run, table: "step_keys", row: run.to_string(), remembered, stored });
        }
    }
    Ok(differing)
}

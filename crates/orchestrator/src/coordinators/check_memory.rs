//! Holds what this server remembers of a tenant's runs for their next groups (ADR 47) against the store, some runs at a
//! time. A group goes by it, and writes it back: what of a run was changed past HOC would be overwritten, and no record
//! says it.

use drivers::StoreError;
use models::ids::{RunId, TenantId};

use crate::{choke::KnownRun, errors::Error, spine::Spine};

/// So many runs are compared at once.
const RUNS: usize = 20;

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

/// A row that is stored in another way than it is remembered, in the same version.
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
    for KnownRun { run, trace, version } in remembered {
        let stored = match store.activity().find_run_and_version(tenant, run.id).await {
            Ok(Some((stored, stored_version))) if stored_version == version => stored,
            // What does not read back is told of by who reads the run's records.
            Ok(_) | Err(StoreError::Corrupt { .. }) => continue,
            Err(err) => return Err(err.into()),
        };
        let stored_trace = match store.traces().trace_of_run(tenant, run.id).await {
            Ok(stored) => stored,
            Err(StoreError::Corrupt { .. }) => continue,
            Err(err) => return Err(err.into()),
        };
        compared.runs += 1;
        if stored != run {
            compared.differing.push(Differing {
                run: run.id,
                table: "runs",
                row: run.id.to_string(),
                remembered: format!("{run:?}"),
                stored: format!("{stored:?}"),
            });
        }
        if stored_trace.as_ref() != Some(&trace) {
            compared.differing.push(Differing {
                run: run.id,
                table: "aos_traces",
                row: trace.id.to_string(),
                remembered: format!("{trace:?}"),
                stored: format!("{stored_trace:?}"),
            });
        }
    }
    Ok(compared)
}

//! Traces: the chain of a run's steps as far as it has come.

use entities::logs::aos_traces::{self as traces, Column};
use models::{
    ids::{RunId, TenantId, TraceId},
    logs::Trace,
};
use proof::words::TraceStatus;
use sea_orm::{ColumnTrait as _, QueryFilter as _, Select};

use crate::{
    StoreError, bulk,
    dialect::{self, Given},
    driver::{driver, of_tenant},
    field::corrupt,
    keys,
    raised::Raised,
    read::{self, ByRun},
    rows::rows,
};

driver! {
    /// Reads of traces and steps.
    read TraceReads;
    /// Reads and writes of traces and steps. A step gets in only with a verdict.
    write TraceStore;
}

of_tenant!(traces);

rows! {
    Trace, traces, key(id), fn to_row(trace), fn from_row,
    same {
        id, run_id, attempt, addendum_of, agent_id, correlation_id, status, abort_reason, schema_version, metadata,
        root_hash, chain_head, ranges, step_count, refused_count, cost_known, tally, tools_used, tools_cut, last_tool,
        failure_count,
        expected_activity, expected_provider, last_recorded_at, replay_mode, started_at, completed_at, archived_at,
        sealed_leaf_index, opened_leaf_index,
    } renamed { tenant => tenant_id } extra {}
}

/// What every step changes in a trace. None of these columns has an index.
const BUSY: &[Column] = &[
    Column::AbortReason,
    Column::ChainHead,
    Column::Ranges,
    Column::StepCount,
    Column::RefusedCount,
    Column::CostKnown,
    Column::Tally,
    Column::ToolsUsed,
    Column::ToolsCut,
    Column::LastTool,
    Column::FailureCount,
    Column::ExpectedActivity,
    Column::ExpectedProvider,
    Column::LastRecordedAt,
    Column::CompletedAt,
    Column::ArchivedAt,
    Column::OpenedLeafIndex,
];

/// What changes when a trace ends. The seal comes last: after it nothing does.
const ENDING: &[Column] = &[Column::Status, Column::RootHash, Column::SealedLeafIndex];

/// The trace of a run itself, as against those that were added to it after it was sealed.
pub(super) fn own(tenant: TenantId) -> Select<traces::Entity> {
    of(tenant).filter(Column::AddendumOf.is_null())
}

/// A trace as its row says it.
pub(crate) fn read_trace(row: traces::Model) -> Result<Trace, StoreError> {
    from_row(row)
}

impl TraceReads<'_> {
    /// One trace.
    pub async fn find_trace(self, tenant: TenantId, id: TraceId) -> Result<Option<Trace>, StoreError> {
        read::one(self.conn, of(tenant).filter(Column::Id.eq(id.0))).await?.map(from_row).transpose()
    }

    /// These traces, as many of them as there are.
    pub async fn find_traces(self, tenant: TenantId, ids: &[TraceId]) -> Result<Vec<Trace>, StoreError> {
        let rows = read::by_keys(self.conn, of(tenant), [Column::Id], keys::sorted(ids)).await?;
        rows.into_iter().map(from_row).collect()
    }

    /// The trace of a run itself.
    pub async fn trace_of_run(self, tenant: TenantId, run: RunId) -> Result<Option<Trace>, StoreError> {
        read::one(self.conn, own(tenant).filter(Column::RunId.eq(run.0))).await?.map(from_row).transpose()
    }

    /// The same of each of these runs.
    pub async fn own_traces_of(self, tenant: TenantId, runs: &[RunId]) -> Result<ByRun<Trace>, StoreError> {
        read::by_run(self.conn, own(tenant), Column::RunId, runs, from_row).await
    }

    /// All traces that are linked to a run, its own first.
    pub async fn traces_of_run(self, tenant: TenantId, run: RunId) -> Result<Vec<Trace>, StoreError> {
        let of_run = of(tenant).filter(Column::RunId.eq(run.0));
        let select = dialect::sorted(self.conn.backend(), of_run, &[Column::StartedAt, Column::Id]);
        let rows = read::all(self.conn, select).await?;
        let mut traces = rows.into_iter().map(from_row).collect::<Result<Vec<Trace>, _>>()?;
        traces.sort_by_key(|trace| trace.addendum_of.is_some());
        Ok(traces)
    }

    /// All traces that are linked to these runs, in no order.
    pub(super) async fn traces_of_runs(
        self,
        tenant: TenantId,
        runs: &[RunId],
    ) -> Result<Vec<Trace>, StoreError> {
        let rows = read::by_keys(self.conn, of(tenant), [Column::RunId], keys::sorted(runs)).await?;
        rows.into_iter().map(from_row).collect()
    }
}

impl TraceStore<'_> {
    /// Adds new traces.
    pub async fn start_traces(self, traces: &[Trace]) -> Result<(), StoreError> {
        bulk::insert::<traces::Entity>(self.conn, keys::rows(traces, to_row)?).await
    }

    /// Writes back the traces of runs that this unit of work has written, their seal included; a sealed one is refused.
    pub async fn save_traces(self, traces: &[Trace], runs: &Raised) -> Result<(), StoreError> {
        let given = runs.have(traces).map_err(|trace| {
            let why = "it is written without its run, whose version it belongs to";
            corrupt(&traces::Entity, trace.id.to_string(), "run_id", why)
        })?;
        // It was open, or it could not be written back: so it has moved if it is not open any more.
        let ended = |row: &traces::Model| {
            row.status != TraceStatus::Running.as_str() || row.sealed_leaf_index.is_some()
        };
        let rows = keys::rows(traces, to_row)?;
        bulk::update_sparing::<traces::Entity>(self.conn, rows, BUSY, ENDING, ended, Given::OfRaised(given))
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::{BUSY, Column, ENDING, traces};
    use crate::bulk::has_each_column_once;

    /// What a trace is for good.
    const FOR_GOOD: &[Column] = &[
        Column::TenantId,
        Column::Id,
        Column::RunId,
        Column::Attempt,
        Column::AddendumOf,
        Column::AgentId,
        Column::CorrelationId,
        Column::SchemaVersion,
        Column::Metadata,
        Column::ReplayMode,
        Column::StartedAt,
    ];

    #[test]
    fn each_column_may_change_or_stays() {
        has_each_column_once::<traces::Entity>(&[BUSY, ENDING, FOR_GOOD]);
    }
}

//! Runs as they are added, locked and written back, and what of a run may change.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Utc};
use entities::activity::runs::{self, Column};
use models::{
    activity::{Run, RunState, RunVersion, Standing},
    ids::{RunId, TenantId},
};
use sea_orm::{ColumnTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, sea_query::Expr};
use uuid::Uuid;

use super::{
    Activity,
    rows::{from_row, to_row},
};
use crate::{
    StoreError, bulk, counters, dialect::Given, driver::of_tenant, keys, raised::Raised, read, version,
};

of_tenant!(runs);

/// A run to be written back.
#[derive(Clone, Copy, Debug)]
pub struct DecidedRun<'r> {
    /// As it is now.
    pub run: &'r Run,
    /// Where it stood in lists when it was read.
    pub stood: &'r Standing,
    /// Which state that was.
    pub version: RunVersion,
}

/// What every step changes in a run. None of these columns has an index.
const BUSY: &[Column] = &[
    Column::TerminationReason,
    Column::HaltAction,
    Column::ErrorMessage,
    Column::LastSeenAt,
    Column::CompletedAt,
    Column::DurationMs,
    Column::SealDueAt,
    Column::StepCount,
    Column::RefusedCount,
    Column::UnaskedCount,
    Column::LlmCallCount,
    Column::ToolCallCount,
    Column::InputTokens,
    Column::OutputTokens,
    Column::CostNanousd,
    Column::PolicyDraftCount,
    Column::ReportedEnd,
    Column::Late,
    Column::CostKnown,
];

/// What changes a few times in a run's life. Lists filter by these, so each has an index.
const LISTED: &[Column] = &[
    Column::Status,
    Column::State,
    Column::Assurance,
    Column::RiskLevel,
    Column::LatencyBucket,
    Column::EvidenceHealth,
    Column::IntegrityStatus,
    Column::IncidentCount,
    Column::PolicyViolation,
    Column::ConversationId,
    Column::SessionId,
    Column::UserId,
];

impl Activity<'_> {
    /// The runs among `ids` that there are, locked in order of their ids until the unit of work ends.
    pub async fn lock_runs(self, tenant: TenantId, ids: &[RunId]) -> Result<Vec<Run>, StoreError> {
        let select = of(tenant).order_by_asc(Column::Id).lock_exclusive();
        let rows = read::by_keys(self.conn, select, [Column::Id], keys::sorted(ids)).await?;
        rows.into_iter().map(from_row).collect()
    }

    /// Adds new runs.
    pub async fn insert_runs(self, runs: &[Run]) -> Result<(), StoreError> {
        bulk::insert::<runs::Entity>(self.conn, keys::rows(runs, to_row)?).await?;
        for run in runs {
            counters::runs::add(self.conn, run, &run.standing(), 1);
        }
        Ok(())
    }

    /// Puts off the next try to seal runs that are still open.
    pub async fn put_off_sealing(
        self,
        tenant: TenantId,
        ids: &[RunId],
        until: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let update = version::update(self.conn.backend())
            .col_expr(Column::SealRetryAt, Expr::value(until))
            .filter(Column::TenantId.eq(tenant.0))
            .filter(Column::State.eq(RunState::Live.as_str()));
        read::update_by_keys(self.conn, update, [Column::Id], keys::sorted(ids)).await.map(drop)
    }

    /// Writes back runs that this unit of work has locked: what may change in a run, and nothing else. `before` is
    /// where they stood in lists when they were read; where a run stood that it does not name is read, and that one is
    /// written whole.
    pub async fn save_runs(
        self,
        runs: &[Run],
        before: &HashMap<RunId, Standing>,
    ) -> Result<Raised, StoreError> {
        let unnamed = |run: &&Run| !before.contains_key(&run.id);
        let unnamed: Vec<(TenantId, RunId)> =
            runs.iter().filter(unnamed).map(|run| (run.tenant, run.id)).collect();
        let stood = self.stored(&unnamed).await?;
        let moved: HashSet<RunId> = runs
            .iter()
            .filter(|run| before.get(&run.id) != Some(&run.standing()))
            .map(|run| run.id)
            .collect();
        let moved = |row: &runs::Model| moved.contains(&row.id.0);
        let (rows, given) = (keys::rows(runs, to_row)?, Given::AnyVersion(version::COLUMNS));
        bulk::update_sparing::<runs::Entity>(self.conn, rows, BUSY, LISTED, moved, given).await?;
        for run in runs {
            match (before.get(&run.id), stood.get(&run.id)) {
                (Some(before), _) => counters::runs::moved(self.conn, run, before, &run.standing()),
                (None, Some(stood)) => {
                    counters::runs::moved(self.conn, stood, &stood.standing(), &run.standing());
                }
                (None, None) => {}
            }
        }
        Ok(Raised::of(runs))
    }

    /// The same of runs that still are in the state that was decided on, each of which gets this mark: a mark that was
    /// never drawn before. Where one is in another state, whoever decided is to try again.
    pub async fn save_decided(self, decided: &[DecidedRun<'_>], mark: Uuid) -> Result<Raised, StoreError> {
        let row = |of: &DecidedRun<'_>| version::from(to_row(of.run)?, of.version, mark);
        let moved = decided.iter().filter(|of| *of.stood != of.run.standing()).map(|of| of.run.id);
        let moved: HashSet<RunId> = moved.collect();
        let moved = |row: &runs::Model| moved.contains(&row.id.0);
        let (rows, given) = (keys::rows(decided, row)?, Given::Version(version::COLUMNS));
        bulk::update_sparing::<runs::Entity>(self.conn, rows, BUSY, LISTED, moved, given).await?;
        for DecidedRun { run, stood, .. } in decided {
            counters::runs::moved(self.conn, run, stood, &run.standing());
        }
        Ok(Raised::of(decided.iter().map(|of| of.run)))
    }

    /// These runs as they are stored.
    async fn stored(self, ids: &[(TenantId, RunId)]) -> Result<HashMap<RunId, Run>, StoreError> {
        let mut stored = HashMap::with_capacity(ids.len());
        let tenants: BTreeSet<TenantId> = ids.iter().map(|(tenant, _)| *tenant).collect();
        for tenant in tenants {
            let of_tenant = ids.iter().filter(|(of, _)| *of == tenant);
            let ids: Vec<RunId> = of_tenant.map(|(_, run)| *run).collect();
            stored.extend(self.find_runs(tenant, &ids).await?.into_iter().map(|run| (run.id, run)));
        }
        Ok(stored)
    }
}

#[cfg(test)]
mod tests {
    use super::{BUSY, Column, LISTED, runs};
    use crate::bulk::has_each_column_once;

    /// What a run is for good.
    const FOR_GOOD: &[Column] = &[
        Column::TenantId,
        Column::Id,
        Column::TraceId,
        Column::AgentId,
        Column::ProjectId,
        Column::ActorType,
        Column::ActorId,
        Column::Goal,
        Column::Source,
        Column::ProviderType,
        Column::ParentRunId,
        Column::Attempt,
        Column::ReplayOf,
        Column::ReplayMode,
        Column::StartedAt,
        Column::ExpectedLatencyMs,
        Column::SnapshotId,
        Column::SnapshotDigest,
        Column::CorrelationId,
        Column::ExternalTraceId,
        Column::IdempotencyKey,
        Column::RequestHash,
        Column::Metadata,
        Column::IsSynthetic,
        Column::SyntheticScenarioId,
        Column::KeyId,
        Column::CreatedAt,
        Column::Labels,
    ];

    /// What is written by a statement of its own, and by each one.
    const APART: &[Column] = &[Column::SealRetryAt, Column::Version, Column::VersionMark];

    #[test]
    fn each_column_may_change_or_stays() {
        has_each_column_once::<runs::Entity>(&[BUSY, LISTED, APART, FOR_GOOD]);
    }
}

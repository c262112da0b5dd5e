//! Activity: the runs.

mod filter;
pub(crate) mod frozen;
pub(crate) mod governed;
mod impact;
mod interventions;
mod pulse;
mod rows;
pub(crate) mod stalled;
mod writes;

use std::collections::HashMap;

use entities::{
    Id,
    activity::runs::{self, Column},
};
use models::{
    activity::{Ancestor, Run, RunCounts, RunFilter, RunVersion},
    ids::{KeyId, RunId, TenantId},
    page::{Page, PageRequest},
};
use sea_orm::{
    ColumnTrait as _, Condition, QueryFilter as _, QueryOrder as _, QuerySelect as _, QueryTrait as _,
};

use self::{filter::matches, rows::from_row};
pub use self::{
    impact::{RunMetricsDriver, RunSignalDriver},
    interventions::FreezeEffect,
    writes::DecidedRun,
};
pub(crate) use self::{interventions::read_freeze, rows::read_run};
use crate::{
    StoreError, counters, dialect,
    driver::{driver, of_tenant},
    field::{Field as _, corrupt},
    keys,
    read::{self, ByRun, Newest},
    tally, version,
};

driver! {
    /// Reads of runs.
    read ActivityReads;
    /// Reads and writes of runs.
    write Activity;
}

of_tenant!(runs);

impl ActivityReads<'_> {
    /// One run.
    pub async fn find_run(self, tenant: TenantId, id: RunId) -> Result<Option<Run>, StoreError> {
        read::one(self.conn, of(tenant).filter(Column::Id.eq(id.0))).await?.map(from_row).transpose()
    }

    /// Each of the runs among `ids` that there are, and which state of it and of its trace this is.
    pub async fn find_runs_and_versions(
        self,
        tenant: TenantId,
        ids: &[RunId],
    ) -> Result<ByRun<(Run, RunVersion)>, StoreError> {
        let with_version = |row: runs::Model| {
            let version = version::of(&row)?;
            Ok((from_row(row)?, version))
        };
        read::by_run(self.conn, of(tenant), Column::Id, ids, with_version).await
    }

    /// The runs among `ids` that there are, by id.
    pub async fn find_runs(self, tenant: TenantId, ids: &[RunId]) -> Result<Vec<Run>, StoreError> {
        let rows =
            read::by_keys(self.conn, of(tenant).order_by_asc(Column::Id), [Column::Id], keys::sorted(ids))
                .await?;
        rows.into_iter().map(from_row).collect()
    }

    /// What later runs ask of those among `ids` that there are.
    pub async fn lineage(
        self,
        tenant: TenantId,
        ids: &[RunId],
    ) -> Result<HashMap<RunId, Ancestor>, StoreError> {
        let select = of(tenant).select_only().columns([Column::Id, Column::KeyId, Column::Attempt]);
        let backend = self.conn.backend();
        let mut found = HashMap::new();
        for chunk in keys::sorted(ids).chunks(dialect::keys_at_once(backend, 1)) {
            let among = dialect::among(backend, &[Column::Id], keys::transposed(chunk));
            for row in self.conn.rows(select.clone().filter(among).build(backend)).await? {
                let (Id(id), attempt): (Id<RunId>, i64) = (row.try_get_by(0)?, row.try_get_by(2)?);
                let corrupt = |why: String| corrupt(&runs::Entity, id.to_string(), "attempt", &why);
                let attempt: u64 = attempt.get().map_err(corrupt)?;
                found.insert(id, Ancestor { key_id: row.try_get_by::<Id<KeyId>, _>(1)?.0, attempt });
            }
        }
        Ok(found)
    }

    /// Ids of the tenant's runs in order, after the last one given; at most `limit`.
    pub async fn run_ids(
        self,
        tenant: TenantId,
        after: Option<RunId>,
        limit: u64,
    ) -> Result<Vec<RunId>, StoreError> {
        let mut select = of(tenant).order_by_asc(Column::Id).limit(limit);
        if let Some(after) = after {
            select = select.filter(Column::Id.gt(after.0));
        }
        Ok(read::all(self.conn, select).await?.into_iter().map(|row| row.id.0).collect())
    }

    /// The newest of the tenant's runs that took a step or were refused one; at most `limit`.
    pub async fn newest_with_steps(self, tenant: TenantId, limit: u64) -> Result<Vec<RunId>, StoreError> {
        let has_steps = Condition::any().add(Column::StepCount.gt(0_i64)).add(Column::RefusedCount.gt(0_i64));
        let newest = of(tenant).filter(has_steps).order_by_desc(Column::Id).limit(limit);
        let ids = newest.select_only().column(Column::Id).build(self.conn.backend());
        let rows = self.conn.rows(ids).await?;
        rows.iter().map(|row| Ok(row.try_get_by::<Id<RunId>, _>(0)?.0)).collect()
    }

    /// The runs that each of these credentials started with one of its idempotency keys.
    pub async fn find_runs_by_keys(
        self,
        tenant: TenantId,
        keys: &[(KeyId, String)],
    ) -> Result<Vec<Run>, StoreError> {
        let keys = keys::in_order(keys).into_iter().map(|(of, key)| [of.0.into(), key.into()]).collect();
        // The index has only runs with a key, and SQLite does not see by itself that these have one.
        let keyed = of(tenant).filter(Column::IdempotencyKey.is_not_null());
        let rows = read::by_keys(self.conn, keyed, [Column::KeyId, Column::IdempotencyKey], keys).await?;
        rows.into_iter().map(from_row).collect()
    }

    /// Which runs these outside traces are, of those that are known.
    pub async fn runs_of_traces(
        self,
        tenant: TenantId,
        trace_ids: &[String],
    ) -> Result<HashMap<String, RunId>, StoreError> {
        let backend = self.conn.backend();
        let select = of(tenant).select_only().columns([Column::ExternalTraceId, Column::Id]);
        // As with keys: the index has only runs of a trace.
        let traced = select.filter(Column::ExternalTraceId.is_not_null());
        let mut found = HashMap::with_capacity(trace_ids.len());
        for chunk in keys::sorted(trace_ids).chunks(dialect::keys_at_once(backend, 1)) {
            let among = dialect::among(backend, &[Column::ExternalTraceId], keys::transposed(chunk));
            for row in self.conn.rows(traced.clone().filter(among).build(backend)).await? {
                found.insert(row.try_get_by(0)?, row.try_get_by::<Id<RunId>, _>(1)?.0);
            }
        }
        Ok(found)
    }

    /// Runs, newest first.
    pub async fn list_runs(
        self,
        tenant: TenantId,
        filter: &RunFilter,
        page: &PageRequest,
    ) -> Result<Page<Run>, StoreError> {
        let newest = Newest {
            at: Column::StartedAt,
            id: Column::Id,
            key: |run: &runs::Model| (run.started_at, run.id.uuid()),
        };
        let total = if page.total { Some(self.count_runs(tenant, filter).await?) } else { None };
        // No statistics tell a store how seldom each of several is met; counters do.
        let leads = counters::runs::rarest(self.conn, tenant, filter).await?;
        let leads = leads.map(|column| (self.conn.backend(), column));
        let select = of(tenant).filter(matches(filter, leads));
        read::page_with(self.conn, select, newest, (page, total), from_row).await
    }

    /// How many runs the list with this filter has.
    pub async fn count_runs(self, tenant: TenantId, filter: &RunFilter) -> Result<u64, StoreError> {
        let Some((mut total, ends)) = counters::runs::total(self.conn, tenant, filter).await? else {
            return tally::count(self.conn, of(tenant).filter(matches(filter, None))).await;
        };
        for end in ends {
            let (started_after, started_before) = (end.after(), end.until);
            let filter = RunFilter { started_after, started_before, ..filter.clone() };
            let at_end = tally::count(self.conn, of(tenant).filter(matches(&filter, None))).await?;
            total = total.saturating_add(at_end);
        }
        Ok(total)
    }

    /// For Overview: all, LIVE, VIOLATED.
    pub async fn run_counts(self, tenant: TenantId) -> Result<RunCounts, StoreError> {
        counters::runs::counts(self.conn, tenant).await
    }
}

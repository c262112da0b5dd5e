//! Breaches: limits that were passed, once for each limit, window and run.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use entities::policies::limit_breaches::{self as breaches, Column};
use models::{
    ids::{LimitId, RunId, TenantId},
    page::{Page, PageRequest},
    policies::{BreachKey, BreachStats},
};
use proof::records::BreachRecord;
use sea_orm::{ColumnTrait as _, QueryFilter as _, QueryOrder as _};

use super::{Policies, PoliciesReads};
use crate::{
    StoreError, bulk,
    driver::of_tenant,
    keys,
    read::{self, Newest},
    rows::rows,
    tally,
};

of_tenant!(breaches);

rows! {
    BreachRecord, breaches, key(run_id, seq), fn to_row(record), fn from_row,
    same {
        tenant_id, run_id, seq, limit_id, limit_name, limit_type, breach_type, window_start, step_index,
        breached_value, threshold_value, breached_at,
    } renamed { breach_id => id } extra {}
}

fn key_of(row: breaches::Model) -> BreachKey {
    BreachKey { limit_id: row.limit_id.0, window_start: row.window_start, run_id: row.run_id.0 }
}

impl PoliciesReads<'_> {
    /// Which of these have a breach row already.
    pub async fn existing_breaches(
        self,
        tenant: TenantId,
        wanted: &[BreachKey],
    ) -> Result<BTreeSet<BreachKey>, StoreError> {
        let key = |key: BreachKey| [key.limit_id.0.into(), key.window_start.into(), key.run_id.0.into()];
        let keys = keys::in_order(wanted).into_iter().map(key).collect();
        let columns = [Column::LimitId, Column::WindowStart, Column::RunId];
        Ok(read::by_keys(self.conn, of(tenant), columns, keys).await?.into_iter().map(key_of).collect())
    }

    /// The keys of all breaches of these runs.
    pub async fn breach_keys_of_runs(
        self,
        tenant: TenantId,
        runs: &[RunId],
    ) -> Result<Vec<BreachKey>, StoreError> {
        let rows = read::by_keys(self.conn, of(tenant), [Column::RunId], keys::sorted(runs)).await?;
        Ok(rows.into_iter().map(key_of).collect())
    }

    /// The breaches of a run, in order.
    pub async fn breaches_of_run(
        self,
        tenant: TenantId,
        run: RunId,
    ) -> Result<Vec<BreachRecord>, StoreError> {
        let select = of(tenant).filter(Column::RunId.eq(run.0)).order_by_asc(Column::Seq);
        read::all(self.conn, select).await?.into_iter().map(from_row).collect()
    }

    /// How many breaches there were after `since`.
    pub async fn breaches_since(self, tenant: TenantId, since: DateTime<Utc>) -> Result<u64, StoreError> {
        tally::count(self.conn, of(tenant).filter(Column::BreachedAt.gt(since))).await
    }

    /// How often each of these limits was breached after `since`, and when it last was, ever. One that never was is
    /// there too.
    pub async fn breach_stats(
        self,
        tenant: TenantId,
        limits: &[LimitId],
        since: DateTime<Utc>,
    ) -> Result<HashMap<LimitId, BreachStats>, StoreError> {
        let mut stats: HashMap<_, _> = limits.iter().map(|id| (*id, BreachStats::default())).collect();
        let recent = of(tenant).filter(Column::BreachedAt.gt(since));
        for (id, count) in
            tally::count_by_keys(self.conn, recent, Column::LimitId, keys::sorted(limits)).await?
        {
            stats.entry(id).and_modify(|stats| stats.breach_count_30d = count);
        }
        let mine = (Column::TenantId, tenant);
        let newest = tally::newest_by_keys::<breaches::Entity, LimitId>(
            self.conn,
            mine,
            Column::LimitId,
            Column::BreachedAt,
            limits,
        );
        for (id, at) in newest.await? {
            stats.entry(id).and_modify(|stats| stats.last_breached_at = at);
        }
        Ok(stats)
    }

    /// The breaches of a limit, newest first.
    pub async fn list_breaches(
        self,
        tenant: TenantId,
        limit: LimitId,
        page: &PageRequest,
    ) -> Result<Page<BreachRecord>, StoreError> {
        let key = |row: &breaches::Model| (row.breached_at, row.id.uuid());
        let newest = Newest { at: Column::BreachedAt, id: Column::Id, key };
        read::page(self.conn, of(tenant).filter(Column::LimitId.eq(limit.0)), newest, page, from_row).await
    }
}

impl Policies<'_> {
    /// Adds breaches. A second one of a limit, window and run is a conflict.
    pub async fn insert_breaches(self, records: &[BreachRecord]) -> Result<(), StoreError> {
        bulk::insert::<breaches::Entity>(self.conn, keys::rows(records, to_row)?).await
    }
}

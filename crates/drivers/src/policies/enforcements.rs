//! Enforcements: what was done about each verdict that was not a plain ALLOW.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use entities::policies::policy_enforcements::{self as enforcements, Column};
use models::{
    ids::{EnforcementId, RunId, TenantId},
    page::{Page, PageRequest},
    policies::EnforcementStats,
};
use proof::records::EnforcementRecord;
use sea_orm::{ColumnTrait as _, QueryFilter as _, QueryOrder as _, Value};

use super::Policies;
use crate::{
    StoreError, bulk, dialect,
    driver::{driver, of_tenant},
    field::put,
    keys,
    read::{self, Newest},
    rows::rows,
    tally,
};

driver! {
    /// Reads how often policies fired, and when.
    read PolicyEnforcementReadDriver;
    /// Records enforcements, in the caller's unit of work.
    write PolicyEnforcementWriteDriver;
}

of_tenant!(enforcements);

rows! {
    EnforcementRecord, enforcements, key(policy_id), fn to_row(record), fn from_row,
    same {
        tenant_id, run_id, seq, policy_id, policy_kind, rule_id, incident_id, step_index, action_taken, details,
        triggered_at,
    } renamed { enforcement_id => id } extra {}
}

impl PolicyEnforcementReadDriver<'_> {
    /// How often each of these policies fired after `since`, and when it last did, ever. One that never did is there
    /// too.
    pub async fn stats(
        self,
        tenant: TenantId,
        policies: &[String],
        since: DateTime<Utc>,
    ) -> Result<BTreeMap<String, EnforcementStats>, StoreError> {
        let mut stats: BTreeMap<_, _> = policies
            .iter()
            .map(|id| (id.clone(), EnforcementStats { policy_id: id.clone(), ..EnforcementStats::default() }))
            .collect();
        let recent = of(tenant).filter(Column::TriggeredAt.gt(since));
        for (id, count) in
            tally::count_by_keys(self.conn, recent, Column::PolicyId, keys::sorted(policies)).await?
        {
            stats.entry(id).and_modify(|stats| stats.trigger_count_30d = count);
        }
        let mine = (Column::TenantId, tenant);
        let newest = tally::newest_by_keys::<enforcements::Entity, String>(
            self.conn,
            mine,
            Column::PolicyId,
            Column::TriggeredAt,
            policies,
        );
        for (id, at) in newest.await? {
            stats.entry(id).and_modify(|stats| stats.last_triggered_at = at);
        }
        Ok(stats)
    }

    /// What a policy did, newest first.
    pub async fn list_by_policy(
        self,
        tenant: TenantId,
        policy: &str,
        page: &PageRequest,
    ) -> Result<Page<EnforcementRecord>, StoreError> {
        let key = |row: &enforcements::Model| (row.triggered_at, row.id.uuid());
        let newest = Newest { at: Column::TriggeredAt, id: Column::Id, key };
        read::page(self.conn, of(tenant).filter(Column::PolicyId.eq(policy)), newest, page, from_row).await
    }

    /// The enforcements of a run, in order; those that no receipt covers come last.
    pub async fn of_run(self, tenant: TenantId, run: RunId) -> Result<Vec<EnforcementRecord>, StoreError> {
        let select = of(tenant)
            .filter(Column::RunId.eq(run.0))
            .order_by_with_nulls(Column::Seq, sea_orm::Order::Asc, sea_orm::sea_query::NullOrdering::Last)
            .order_by_asc(Column::Id);
        read::all(self.conn, select).await?.into_iter().map(from_row).collect()
    }

    /// The enforcements at these steps of runs.
    pub async fn of_steps(
        self,
        tenant: TenantId,
        steps: &[(RunId, u64)],
    ) -> Result<Vec<EnforcementRecord>, StoreError> {
        let wanted = steps
            .iter()
            .map(|(run, step)| Ok((*run, put::<i64, u64>(&enforcements::Entity, "step_index", step)?)))
            .collect::<Result<BTreeSet<_>, StoreError>>()?;
        let runs: Vec<RunId> = wanted.iter().map(|(run, _)| *run).collect();
        let indices: BTreeSet<i64> = wanted.iter().map(|(_, step)| *step).collect();
        // By the run alone: asked for pairs, SQLite goes over all enforcements of the tenant.
        let indices = vec![indices.into_iter().map(Value::from).collect()];
        let select = of(tenant).filter(dialect::among(self.conn.backend(), &[Column::StepIndex], indices));
        let rows = read::by_keys(self.conn, select, [Column::RunId], keys::sorted(&runs)).await?;
        let is_wanted = |row: &enforcements::Model| {
            row.run_id.zip(row.step_index).is_some_and(|(run, step)| wanted.contains(&(run.0, step)))
        };
        rows.into_iter().filter(is_wanted).map(from_row).collect()
    }

    /// One enforcement.
    pub async fn find(
        self,
        tenant: TenantId,
        id: EnforcementId,
    ) -> Result<Option<EnforcementRecord>, StoreError> {
        read::one(self.conn, of(tenant).filter(Column::Id.eq(id.0))).await?.map(from_row).transpose()
    }
}

impl PolicyEnforcementWriteDriver<'_> {
    /// Records enforcements. The caller owns the unit of work, and their ids.
    pub async fn record_enforcement(self, records: &[EnforcementRecord]) -> Result<(), StoreError> {
        bulk::insert::<enforcements::Entity>(self.conn, keys::rows(records, to_row)?).await
    }
}

impl Policies<'_> {
    /// For the choke point, which writes all that policies come to: as [`PolicyEnforcementWriteDriver`] does.
    pub async fn insert_enforcements(self, records: &[EnforcementRecord]) -> Result<(), StoreError> {
        PolicyEnforcementWriteDriver::new(self.conn).record_enforcement(records).await
    }
}

//! The Audit Ledger: who decided what. Rows only; which events there are is not decided here.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entities::logs::audit_ledger::{self as audit, Column};
use models::{
    ids::{AuditId, RunId, TenantId},
    logs::{AuditEntry, AuditFilter},
    page::{Page, PageRequest},
};
use proof::{hash::Hash, leaves::AuditRecord};
use sea_orm::{ColumnTrait as _, Condition, QueryFilter as _, QueryOrder as _, QuerySelect as _, Select};

use super::{LogsDomainStore, LogsReads};
use crate::{
    StoreError, bulk,
    driver::of_tenant,
    field::{Field as _, corrupt, put},
    keys,
    read::{self, Newest},
    rows::rows,
    tally,
};

of_tenant!(audit);

rows! {
    AuditRecord, audit, key(id), fn record_row(record, index: u64, hash: Hash), fn record,
    same {
        tenant_id, run_id, id, event_type, entity_type, entity_id, actor_type, actor_id, action_reason, before_state,
        after_state, run_seq, correlation_id, created_at,
    } renamed {} extra { leaf_index = index, leaf_hash = hash }
}

fn to_row(entry: &AuditEntry) -> Result<audit::Model, StoreError> {
    record_row(&entry.record, entry.leaf_index, entry.leaf_hash)
}

fn from_row(row: audit::Model) -> Result<AuditEntry, StoreError> {
    let id = row.id;
    let bad = |column: &'static str| move |why: String| corrupt(&audit::Entity, id.to_string(), column, &why);
    let hash = row.leaf_hash.clone();
    Ok(AuditEntry {
        leaf_index: row.leaf_index.get().map_err(bad("leaf_index"))?,
        leaf_hash: hash.get().map_err(bad("leaf_hash"))?,
        record: record(row)?,
    })
}

impl LogsReads<'_> {
    /// One entry.
    pub async fn find_audit(self, tenant: TenantId, id: AuditId) -> Result<Option<AuditEntry>, StoreError> {
        read::one(self.conn, of(tenant).filter(Column::Id.eq(id.0))).await?.map(from_row).transpose()
    }

    /// Entries, newest first.
    pub async fn list_audit(
        self,
        tenant: TenantId,
        filter: &AuditFilter,
        page: &PageRequest,
    ) -> Result<Page<AuditEntry>, StoreError> {
        let key = |row: &audit::Model| (row.created_at, row.id.uuid());
        let newest = Newest { at: Column::CreatedAt, id: Column::Id, key };
        read::page(self.conn, matching(tenant, filter), newest, page, from_row).await
    }

    /// How many entries the list with this filter has.
    pub async fn count_audit(self, tenant: TenantId, filter: &AuditFilter) -> Result<u64, StoreError> {
        tally::count(self.conn, matching(tenant, filter)).await
    }

    /// All governance events of a run, whose states name it, in order: complete, never cut.
    pub async fn get_governance_events(
        self,
        tenant: TenantId,
        run: RunId,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        let select = of(tenant).filter(Column::RunId.eq(run.0)).order_by_asc(Column::RunSeq);
        read::all(self.conn, select).await?.into_iter().map(from_row).collect()
    }

    /// Entries from leaf `from` on, at most `limit`: the log as it was written.
    pub async fn audit_from(
        self,
        tenant: TenantId,
        from: u64,
        limit: u64,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        let from: i64 = put(&audit::Entity, "leaf_index", &from)?;
        let select =
            of(tenant).filter(Column::LeafIndex.gte(from)).order_by_asc(Column::LeafIndex).limit(limit);
        read::all(self.conn, select).await?.into_iter().map(from_row).collect()
    }

    /// When the newest entry was made.
    pub async fn last_audit_at(self, tenant: TenantId) -> Result<Option<DateTime<Utc>>, StoreError> {
        let select = of(tenant).order_by_desc(Column::CreatedAt).order_by_desc(Column::Id);
        Ok(read::one(self.conn, select).await?.map(|row| row.created_at))
    }

    /// The `run_seq` of the last entry of each of these runs; a run without any is not there. It stays the last one
    /// only while the unit of work holds the head of the audit log.
    pub async fn audit_run_seqs(
        self,
        tenant: TenantId,
        runs: &[RunId],
    ) -> Result<HashMap<RunId, u64>, StoreError> {
        let last =
            tally::max_by_keys(self.conn, of(tenant), Column::RunId, Column::RunSeq, keys::sorted(runs));
        Ok(last.await?.into_iter().collect())
    }
}

impl LogsDomainStore<'_> {
    /// Adds entries.
    pub async fn insert_audit(self, entries: &[AuditEntry]) -> Result<(), StoreError> {
        bulk::insert::<audit::Entity>(self.conn, keys::rows(entries, to_row)?).await
    }
}

fn matching(tenant: TenantId, filter: &AuditFilter) -> Select<audit::Entity> {
    let AuditFilter { event_type, entity_type, actor_type, entity_id, run_id, created_after, created_before } =
        filter;
    let condition = Condition::all()
        .add_option(event_type.map(|word| Column::EventType.eq(word.as_str())))
        .add_option(entity_type.map(|word| Column::EntityType.eq(word.as_str())))
        .add_option(actor_type.map(|word| Column::ActorType.eq(word.as_str())))
        .add_option(entity_id.as_deref().map(|id| Column::EntityId.eq(id)))
        .add_option(run_id.map(|run| Column::RunId.eq(run.0)))
        .add_option(created_after.map(|at| Column::CreatedAt.gt(at)))
        .add_option(created_before.map(|at| Column::CreatedAt.lt(at)));
    of(tenant).filter(condition)
}

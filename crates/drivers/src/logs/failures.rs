//! Captures of evidence that failed, and what became of them. The evidence itself is in the segments of its run.

use entities::logs::evidence_capture_failures::{self as failures, Column};
use models::ids::{FailureId, RunId, TenantId};
use proof::{records::CaptureFailureRecord, words::FailureResolution};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, entity::prelude::Expr};

use crate::{
    StoreError, bulk,
    driver::{driver, of_tenant},
    keys, read,
    rows::rows,
};

driver! {
    /// Reads of failed captures.
    read EvidenceReads;
    /// Reads of failed captures, and adding to them.
    write Evidence;
}

of_tenant!(failures);

rows! {
    CaptureFailureRecord, failures, key(run_id, seq), fn to_row(record), fn from_row,
    same {
        tenant_id, run_id, seq, step_index, evidence_class, reason, resolution, error_message, failed_at,
    } renamed { failure_id => id } extra {}
}

impl EvidenceReads<'_> {
    /// The failed captures of a run, in order, as they stand now.
    pub async fn capture_failures_of_run(
        self,
        tenant: TenantId,
        run: RunId,
    ) -> Result<Vec<CaptureFailureRecord>, StoreError> {
        let select = of(tenant).filter(Column::RunId.eq(run.0)).order_by_asc(Column::Seq);
        read::all(self.conn, select).await?.into_iter().map(from_row).collect()
    }
}

impl Evidence<'_> {
    /// Adds failed captures.
    pub async fn insert_capture_failures(self, records: &[CaptureFailureRecord]) -> Result<(), StoreError> {
        bulk::insert::<failures::Entity>(self.conn, keys::rows(records, to_row)?).await
    }

    /// Marks failed captures as superseded by a later success; returns how many were not so before.
    pub async fn supersede_failures(self, tenant: TenantId, ids: &[FailureId]) -> Result<u64, StoreError> {
        let superseded = FailureResolution::Superseded.as_str();
        let update = failures::Entity::update_many()
            .col_expr(Column::Resolution, Expr::value(superseded))
            .filter(Column::TenantId.eq(tenant.0))
            .filter(Column::Resolution.ne(superseded));
        read::update_by_keys(self.conn, update, [Column::Id], keys::sorted(ids)).await
    }
}

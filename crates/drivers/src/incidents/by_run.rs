//! The incidents of a run, for its evidence.

use models::{
    ids::{RunId, TenantId},
    incidents::{
        Incident,
        entity::incidents::{self, Column},
    },
};
use sea_orm::QueryOrder as _;

use super::rows::from_row;
use crate::{StoreError, driver::reader, keys, read};

reader! {
    /// Reads incidents by `source_run_id`.
    read IncidentRunReadDriver;
}

impl IncidentRunReadDriver<'_> {
    /// The incidents that a run caused, in the order in which they were opened.
    pub async fn by_run(self, tenant: TenantId, run: RunId) -> Result<Vec<Incident>, StoreError> {
        self.by_runs(tenant, &[run]).await
    }

    /// The same, of many runs: by run, then in order.
    pub async fn by_runs(self, tenant: TenantId, runs: &[RunId]) -> Result<Vec<Incident>, StoreError> {
        let select = super::of(tenant)
            .order_by_asc(Column::SourceRunId)
            .order_by_asc(Column::CreatedAt)
            .order_by_asc(Column::Id);
        let rows: Vec<incidents::Model> =
            read::by_keys(self.conn, select, [Column::SourceRunId], keys::sorted(runs)).await?;
        rows.into_iter().map(from_row).collect()
    }
}

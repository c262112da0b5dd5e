//! The incidents of a run, for its evidence.

use super::rows::from_row;
use crate::{StoreError, dialect, driver::reader, keys, read};
use models::{
    ids::{RunId, TenantId},
    incidents::{
        Incident,
        entity::incidents::{self, Column},
    },
};

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
        let order = [Column::SourceRunId, Column::CreatedAt, Column::Id];
        let select = dialect::sorted(self.conn.backend(), super::of(tenant), &order);
        let rows: Vec<incidents::Model> =
            read::by_keys(self.conn, select, [Column::SourceRunId], keys::sorted(runs)).await?;
        rows.into_iter().map(from_row).collect()
    }
}

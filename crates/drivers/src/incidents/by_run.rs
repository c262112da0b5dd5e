//! What runs did of incidents: the incidents of a run, and the runs of an incident.

use std::collections::HashMap;

use entities::incidents::{
    incident_runs::{self as runs, Column},
    incidents,
};
use models::{
    ids::{IncidentId, RunId, TenantId},
    incidents::{IncidentRun, RunIncident},
    page::{Page, PageRequest},
};
use sea_orm::{ColumnTrait as _, QueryFilter as _};

use super::rows::{from_row, run_from_row};
use crate::{
    StoreError, dialect,
    driver::{driver, of_tenant},
    keys,
    read::{self, Newest},
};

driver! {
    /// Reads what runs did of incidents.
    read IncidentRunReadDriver;
}

of_tenant!(runs);

impl IncidentRunReadDriver<'_> {
    /// The incidents that a run opened and those that it joined, in the order in which it did.
    pub async fn by_run(self, tenant: TenantId, run: RunId) -> Result<Vec<RunIncident>, StoreError> {
        self.by_runs(tenant, &[run]).await
    }

    /// The same, of many runs: by run, then in order.
    pub async fn by_runs(self, tenant: TenantId, wanted: &[RunId]) -> Result<Vec<RunIncident>, StoreError> {
        let of_runs = self.of_runs(tenant, wanted).await?;
        let ids: Vec<IncidentId> = of_runs.iter().map(|of| of.incident_id).collect();
        let select = super::of(tenant);
        let rows = read::by_keys(self.conn, select, [incidents::Column::Id], keys::sorted(&ids)).await?;
        let incidents = rows.into_iter().map(from_row).collect::<Result<Vec<_>, _>>()?;
        let by_id: HashMap<IncidentId, _> = incidents.into_iter().map(|found| (found.id, found)).collect();
        of_runs
            .into_iter()
            .map(|of| {
                let incident = by_id.get(&of.incident_id).cloned().ok_or_else(|| StoreError::Corrupt {
                    table: "incident_runs",
                    row: format!("{}/{}", of.incident_id, of.run_id),
                    why: "the incident is not there".to_owned(),
                })?;
                Ok(RunIncident { incident, of })
            })
            .collect()
    }

    /// What these runs did of incidents: by run, then in order.
    pub async fn of_runs(self, tenant: TenantId, wanted: &[RunId]) -> Result<Vec<IncidentRun>, StoreError> {
        let order = [Column::RunId, Column::FirstAt, Column::Seq, Column::IncidentId];
        let select = dialect::sorted(self.conn.backend(), of(tenant), &order);
        let rows = read::by_keys(self.conn, select, [Column::RunId], keys::sorted(wanted)).await?;
        rows.into_iter().map(run_from_row).collect()
    }

    /// The runs of an incident, the newest to meet its cause first.
    pub async fn of_incident(
        self,
        tenant: TenantId,
        incident: IncidentId,
        page: &PageRequest,
    ) -> Result<Page<IncidentRun>, StoreError> {
        let key = |row: &runs::Model| (row.first_at, row.run_id.uuid());
        let newest = Newest { at: Column::FirstAt, id: Column::RunId, key };
        let select = of(tenant).filter(Column::IncidentId.eq(incident.0));
        read::page(self.conn, select, newest, page, run_from_row).await
    }
}

//! Prevention records: the canonical ledger of the rules and limits that fired.

use entities::policies::prevention_records::{self as preventions, Column};
use models::ids::{RunId, TenantId};
use proof::records::PreventionRecord;
use sea_orm::{ColumnTrait as _, Order, QueryFilter as _, QueryOrder as _, sea_query::NullOrdering};

use super::Policies;
use crate::{
    StoreError, bulk,
    driver::{driver, of_tenant},
    keys, read,
    rows::rows,
};

driver! {
    /// Reads which policies were evaluated in a run, and with what outcome.
    read PreventionRecordsReadDriver;
    /// Records outcomes, in the caller's unit of work.
    write PreventionRecordsWriteDriver;
}

of_tenant!(preventions);

rows! {
    PreventionRecord, preventions, key(run_id), fn to_row(record), fn from_row,
    same {
        tenant_id, run_id, seq, policy_id, policy_kind, policy_name, pattern_id, step_index, outcome, asked,
        would_have, refused_after,
        confidence_permille, original_incident_id, blocked_incident_id, is_simulated, is_synthetic, evaluated_at,
    } renamed { prevention_id => id } extra {}
}

impl PreventionRecordsReadDriver<'_> {
    /// The records of a run, in order; those that no receipt covers come last.
    pub async fn of_run(self, tenant: TenantId, run: RunId) -> Result<Vec<PreventionRecord>, StoreError> {
        let select = of(tenant)
            .filter(Column::RunId.eq(run.0))
            .order_by_with_nulls(Column::Seq, Order::Asc, NullOrdering::Last)
            .order_by_asc(Column::Id);
        read::all(self.conn, select).await?.into_iter().map(from_row).collect()
    }
}

impl PreventionRecordsWriteDriver<'_> {
    /// Adds records. The caller owns the unit of work, and their ids.
    pub async fn insert(self, records: &[PreventionRecord]) -> Result<(), StoreError> {
        bulk::insert::<preventions::Entity>(self.conn, keys::rows(records, to_row)?).await
    }
}

impl Policies<'_> {
    /// For the choke point, which writes all that policies come to: as [`PreventionRecordsWriteDriver`] does.
    pub async fn insert_preventions(self, records: &[PreventionRecord]) -> Result<(), StoreError> {
        PreventionRecordsWriteDriver::new(self.conn).insert(records).await
    }
}

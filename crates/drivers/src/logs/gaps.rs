//! Calls that were answered while the store was down, and recorded later.

use entities::logs::gaps::{self, Column};
use models::ids::{RunId, TenantId};
use proof::records::GapRecord;
use sea_orm::{ColumnTrait as _, QueryFilter as _, QueryOrder as _};

use super::{Evidence, EvidenceReads};
use crate::{StoreError, bulk, driver::of_tenant, keys, read, rows::rows};

of_tenant!(gaps);

rows! {
    GapRecord, gaps, key(run_id, seq), fn to_row(record), fn from_row,
    same {
        tenant_id, run_id, seq, decision_id, step_index, permit_id, answered_at, recorded_at,
    } renamed { gap_id => id } extra {}
}

impl EvidenceReads<'_> {
    /// The gaps of a run, in order.
    pub async fn gaps_of_run(self, tenant: TenantId, run: RunId) -> Result<Vec<GapRecord>, StoreError> {
        let select = of(tenant).filter(Column::RunId.eq(run.0)).order_by_asc(Column::Seq);
        read::all(self.conn, select).await?.into_iter().map(from_row).collect()
    }
}

impl Evidence<'_> {
    /// Adds gaps.
    pub async fn insert_gaps(self, records: &[GapRecord]) -> Result<(), StoreError> {
        bulk::insert::<gaps::Entity>(self.conn, keys::rows(records, to_row)?).await
    }
}

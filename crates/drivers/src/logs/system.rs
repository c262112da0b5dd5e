//! System records: what happened to the system itself.

use models::{
    ids::{SystemRecordId, TenantId},
    logs::{
        SystemRecord,
        entity::system_records::{self as system, Column},
    },
};
use sea_orm::{ColumnTrait as _, QueryFilter as _, QueryOrder as _};

use super::{LogsDomainStore, LogsReads};
use crate::{StoreError, bulk, driver::of_tenant, field::rows, keys, read};

of_tenant!(system);

rows! {
    SystemRecord, system, key(id), fn to_row(record), fn from_row,
    same { id, component, event_type, severity, summary, details, caused_by, correlation_id, created_at }
    renamed { tenant => tenant_id } extra {}
}

impl LogsReads<'_> {
    /// One record.
    pub async fn find_system_record(
        self,
        tenant: TenantId,
        id: SystemRecordId,
    ) -> Result<Option<SystemRecord>, StoreError> {
        read::one(self.conn, of(tenant).filter(Column::Id.eq(id))).await?.map(from_row).transpose()
    }

    /// The records that share a correlation id, oldest first.
    pub async fn system_records_of_correlation(
        self,
        tenant: TenantId,
        correlation_id: &str,
    ) -> Result<Vec<SystemRecord>, StoreError> {
        let select = of(tenant).filter(Column::CorrelationId.eq(correlation_id));
        let rows =
            read::all(self.conn, select.order_by_asc(Column::CreatedAt).order_by_asc(Column::Id)).await?;
        rows.into_iter().map(from_row).collect()
    }
}

impl LogsDomainStore<'_> {
    /// Adds records.
    pub async fn insert_system_records(self, records: &[SystemRecord]) -> Result<(), StoreError> {
        bulk::insert::<system::Entity>(self.conn, keys::rows(records, to_row)?).await
    }
}

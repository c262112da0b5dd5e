//! System records: what happened to the system itself.

use entities::logs::system_records::{self as system, Column};
use models::{
    ids::{SystemRecordId, TenantId},
    logs::{SystemFilter, SystemRecord},
    page::{Cursor, Page, PageRequest},
};
use sea_orm::{ColumnTrait as _, Condition, QueryFilter as _, QueryOrder as _, Select};

use super::{LogsDomainStore, LogsReads};
use crate::{
    StoreError, bulk,
    driver::of_tenant,
    keys,
    read::{self, Newest},
    rows::rows,
    tally,
};

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
        read::one(self.conn, of(tenant).filter(Column::Id.eq(id.0))).await?.map(from_row).transpose()
    }

    /// Records, newest first: the tenant's, and where asked for those of the installation among them.
    pub async fn list_system_records(
        self,
        tenant: TenantId,
        with_installation: bool,
        filter: &SystemFilter,
        page: &PageRequest,
    ) -> Result<Page<SystemRecord>, StoreError> {
        let key = |row: &system::Model| (row.created_at, row.id.uuid());
        let newest = Newest { at: Column::CreatedAt, id: Column::Id, key };
        if !with_installation {
            return read::page(self.conn, matching(tenant, filter), newest, page, from_row).await;
        }
        // A page of each, of which the newest are the page of both: each is a range of the index, however long it is.
        let (mut rows, mut total) = (Vec::new(), 0);
        for of in [tenant, TenantId::INSTALLATION] {
            let select = matching(of, filter);
            if page.total {
                total += tally::count(self.conn, select.clone()).await?;
            }
            rows.extend(read::all(self.conn, read::page_of(select, &newest, page)?).await?);
        }
        rows.sort_unstable_by_key(|row| std::cmp::Reverse(key(row)));
        let total = page.total.then_some(total);
        let page = Page::cut(rows, page, total, |row| {
            let (at, id) = key(row);
            Cursor::Before { at, id }
        });
        let Page { items, next_cursor, has_more, total } = page;
        let items = items.into_iter().map(from_row).collect::<Result<_, _>>()?;
        Ok(Page { items, next_cursor, has_more, total })
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

fn matching(tenant: TenantId, filter: &SystemFilter) -> Select<system::Entity> {
    let SystemFilter { component, event_type, severity, correlation_id, created_after, created_before } =
        filter;
    let condition = Condition::all()
        .add_option(component.as_deref().map(|of| Column::Component.eq(of)))
        .add_option(event_type.map(|word| Column::EventType.eq(word.as_str())))
        .add_option(severity.map(|word| Column::Severity.eq(word.as_str())))
        .add_option(correlation_id.as_deref().map(|id| Column::CorrelationId.eq(id)))
        .add_option(created_after.map(|at| Column::CreatedAt.gt(at)))
        .add_option(created_before.map(|at| Column::CreatedAt.lt(at)));
    of(tenant).filter(condition)
}

//! Use of limits, window by window.

use chrono::{DateTime, Utc};
use entities::policies::limit_usage::{self as usage, Column};
use models::{
    ids::{LimitId, TenantId},
    policies::{Usage, UsageKey},
};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, QueryTrait as _,
    Select, Value, sea_query::Expr,
};

use super::{Policies, PoliciesReads};
use crate::{StoreError, bulk, driver::of_tenant, keys, read, rows::rows};

of_tenant!(usage);

rows! {
    Usage, usage, key(limit_id, scope_key, window_start), fn to_row(of), fn from_row,
    same { limit_id, scope_key, window_start, used, reserved, updated_at, over_by } renamed { tenant => tenant_id } extra {}
}

const KEY: [Column; 3] = [Column::LimitId, Column::ScopeKey, Column::WindowStart];

fn places(of: &[UsageKey]) -> Vec<[Value; 3]> {
    let key = |key: UsageKey| [key.limit_id.0.into(), key.scope_key.into(), key.window_start.into()];
    keys::in_order(of).into_iter().map(key).collect()
}

fn in_order(tenant: TenantId) -> Select<usage::Entity> {
    of(tenant).order_by_asc(Column::LimitId).order_by_asc(Column::ScopeKey).order_by_asc(Column::WindowStart)
}

impl PoliciesReads<'_> {
    /// Use in these windows; a window that nothing counted in yet is not there.
    pub async fn find_usage(self, tenant: TenantId, windows: &[UsageKey]) -> Result<Vec<Usage>, StoreError> {
        let rows = read::by_keys(self.conn, in_order(tenant), KEY, places(windows)).await?;
        rows.into_iter().map(from_row).collect()
    }

    /// Use of these limits in every window that there ever was, by limit, scope and window.
    pub async fn usage_of(self, tenant: TenantId, limits: &[LimitId]) -> Result<Vec<Usage>, StoreError> {
        let rows =
            read::by_keys(self.conn, in_order(tenant), [Column::LimitId], keys::sorted(limits)).await?;
        rows.into_iter().map(from_row).collect()
    }
}

impl Policies<'_> {
    /// Makes the windows that are not there yet, with nothing used; each with by when it is over. Gives how many it
    /// made: those are this unit of work's, as if it had locked them.
    pub async fn ensure_usage(
        self,
        tenant: TenantId,
        windows: &[(UsageKey, Option<DateTime<Utc>>)],
        now: DateTime<Utc>,
    ) -> Result<u64, StoreError> {
        let new = |(key, over_by)| to_row(&Usage::none(tenant, key, over_by, now));
        // In order, for two that make the same windows wait for each other.
        let rows = keys::in_order(windows).into_iter().map(new).collect::<Result<Vec<_>, _>>()?;
        bulk::insert_missing::<usage::Entity>(self.conn, rows).await
    }

    /// Has windows that are not over at `now` kept until `until`.
    pub async fn keep_windows(
        self,
        tenant: TenantId,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let update = usage::Entity::update_many()
            .filter(Column::TenantId.eq(tenant.0))
            .filter(Column::OverBy.gt(now))
            .col_expr(Column::OverBy, Expr::value(until));
        self.conn.execute(update.build(self.conn.backend())).await.map(drop)
    }

    /// The windows that are there, locked in order of their keys until the unit of work ends.
    pub async fn lock_usage(self, tenant: TenantId, windows: &[UsageKey]) -> Result<Vec<Usage>, StoreError> {
        let rows = read::by_keys(self.conn, in_order(tenant).lock_exclusive(), KEY, places(windows)).await?;
        rows.into_iter().map(from_row).collect()
    }

    /// Writes back windows that this unit of work has locked.
    pub async fn save_usage(self, windows: &[Usage]) -> Result<(), StoreError> {
        let changing = [Column::Used, Column::Reserved, Column::UpdatedAt];
        bulk::update::<usage::Entity>(self.conn, keys::rows(windows, to_row)?, &changing).await
    }
}

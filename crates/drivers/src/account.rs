//! Account: tenants and their keys. What is looked up before a tenant is known is in `exceptions`.

use chrono::{DateTime, Utc};
use entities::account::{api_keys, governed_changes, tenants};
use models::{
    account::{ApiKey, Tenant},
    ids::{KeyId, TenantId},
};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    sea_query::{Expr, ExprTrait as _, Query},
};
use uuid::Uuid;

use crate::{
    StoreError, bulk, dialect,
    driver::{driver, of_tenant},
    field::put,
    governed::Change,
    keys, read,
    rows::rows,
    tally,
};

driver! {
    /// Reads of tenants, keys and the installation.
    read AccountReads;
    /// Reads and writes of tenants, keys and the installation.
    write Account;
}

of_tenant!(tenants);

fn keys_of(tenant: TenantId) -> sea_orm::Select<api_keys::Entity> {
    api_keys::Entity::find().filter(api_keys::Column::TenantId.eq(tenant.0))
}

rows! {
    Tenant, tenants, key(slug), fn tenant_row(tenant), fn tenant,
    same {
        slug, name, capture_mode, failure_mode, permits, time_zone, block_unknown_cost, policy_generation, settings_version,
        zone_changes, wrapped_key, key_id,
        created_at,
    } renamed { id => tenant_id } extra {}
}

rows! {
    ApiKey, api_keys, key(id), fn key_row(key), fn key,
    same {
        id, prefix, secret_hash, role, owner, owner_type, scopes, expires_at, revoked_at, last_used_at, created_at,
        agents,
    } renamed { tenant => tenant_id } extra {}
}

impl AccountReads<'_> {
    /// One tenant.
    pub async fn find_tenant(self, id: TenantId) -> Result<Option<Tenant>, StoreError> {
        read::one(self.conn, of(id)).await?.map(self::tenant).transpose()
    }

    /// How often what governs the tenant has changed: a run that starts reads it in its own unit of work. Fails where
    /// the store does not go on from what this process has seen: it fell back.
    pub async fn policy_generation(self, tenant: TenantId) -> Result<u64, StoreError> {
        match self.find_tenant(tenant).await? {
            Some(Tenant { policy_generation, .. }) => {
                for found in self.governed(&[(tenant, policy_generation)]).await? {
                    self.conn.saw_governed(&found)?;
                }
                Ok(policy_generation)
            }
            None => Err(StoreError::RowsAffected { table: "tenants", expected: 1, actual: 0 }),
        }
    }

    /// One key of a tenant.
    pub async fn find_key_of(self, tenant: TenantId, id: KeyId) -> Result<Option<ApiKey>, StoreError> {
        let row = read::one(self.conn, keys_of(tenant).filter(api_keys::Column::Id.eq(id.0))).await?;
        row.map(self::key).transpose()
    }

    /// The keys among `ids` that a tenant has.
    pub async fn find_keys_of(self, tenant: TenantId, ids: &[KeyId]) -> Result<Vec<ApiKey>, StoreError> {
        let rows =
            read::by_keys(self.conn, keys_of(tenant), [api_keys::Column::Id], keys::sorted(ids)).await?;
        rows.into_iter().map(self::key).collect()
    }

    /// A tenant's keys, oldest first, revoked ones included.
    pub async fn list_keys(self, tenant: TenantId) -> Result<Vec<ApiKey>, StoreError> {
        let select =
            keys_of(tenant).order_by_asc(api_keys::Column::CreatedAt).order_by_asc(api_keys::Column::Id);
        read::all(self.conn, select).await?.into_iter().map(self::key).collect()
    }
}

impl Account<'_> {
    /// Adds a tenant. A slug that is taken is a conflict.
    pub async fn insert_tenant(self, tenant: &Tenant) -> Result<(), StoreError> {
        bulk::insert::<tenants::Entity>(self.conn, vec![tenant_row(tenant)?]).await
    }

    /// Writes back a tenant's name, settings and wrapped key. Its policy generation has its own way up.
    pub async fn save_tenant(self, tenant: &Tenant) -> Result<(), StoreError> {
        use tenants::Column as C;
        let changing = [
            C::Name,
            C::CaptureMode,
            C::FailureMode,
            C::Permits,
            C::TimeZone,
            C::ZoneChanges,
            C::BlockUnknownCost,
            C::SettingsVersion,
            C::WrappedKey,
            C::KeyId,
        ];
        bulk::update::<tenants::Entity>(self.conn, vec![tenant_row(tenant)?], &changing).await
    }

    /// One tenant, locked until the unit of work ends.
    pub async fn lock_tenant(self, id: TenantId) -> Result<Option<Tenant>, StoreError> {
        read::one(self.conn, of(id).lock_exclusive()).await?.map(self::tenant).transpose()
    }

    /// Counts a change of what governs the tenant (a rule, a limit, a setting, a freeze, the end of one or of a key),
    /// and locks the tenant against another until the unit of work ends. Gives the new generation.
    pub async fn bump_policy_generation(self, tenant: TenantId) -> Result<u64, StoreError> {
        let column = tenants::Column::PolicyGeneration;
        let mut update = Query::update();
        update
            .table(tenants::Entity)
            .value(column, Expr::col(column).add(1_i64))
            .and_where(tenants::Column::TenantId.eq(tenant.0))
            .returning(Query::returning().column(column));
        let rows = self.conn.rows(self.conn.backend().build(&update)).await?;
        if rows.is_empty() {
            return Err(StoreError::RowsAffected { table: "tenants", expected: 1, actual: 0 });
        }
        let generation = tally::number("tenants", rows.first(), 0)?;
        // What it was before is what may have fallen back.
        for before in self.governed(&[(tenant, generation.saturating_sub(1))]).await? {
            self.conn.read_governed(&before)?;
        }
        let mark = Some(self.mark(tenant, generation).await?);
        self.conn.keep_governed(tenant, Change { count: generation, mark });
        Ok(generation)
    }

    /// Marks a change of what governs the tenant, so that it is known from another that comes to the same generation in
    /// a store that fell back.
    async fn mark(self, tenant: TenantId, generation: u64) -> Result<Uuid, StoreError> {
        use governed_changes::{Column, Entity};
        let generation: i64 = put(&Entity, "generation", &generation)?;
        let mark = dialect::drawn_id(self.conn.backend());
        let mut insert = Query::insert();
        insert
            .into_table(Entity)
            .columns([Column::TenantId, Column::Generation, Column::Mark])
            .values_panic([Expr::val(tenant.0), Expr::val(generation), mark])
            .returning(Query::returning().column(Column::Mark));
        let rows = self.conn.rows(self.conn.backend().build(&insert)).await?;
        let row = rows.first().ok_or(StoreError::RowsAffected {
            table: "governed_changes",
            expected: 1,
            actual: 0,
        })?;
        tally::value("governed_changes", row, 0)
    }

    /// Adds a key.
    pub async fn insert_key(self, key: &ApiKey) -> Result<(), StoreError> {
        bulk::insert::<api_keys::Entity>(self.conn, vec![key_row(key)?]).await
    }

    /// Revokes a key; false if there is none, or it was revoked before.
    pub async fn revoke_key(
        self,
        tenant: TenantId,
        id: KeyId,
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let update = update_keys(tenant)
            .col_expr(api_keys::Column::RevokedAt, Expr::value(at))
            .filter(api_keys::Column::RevokedAt.is_null());
        Ok(read::update_by_keys(self.conn, update, [api_keys::Column::Id], keys::sorted(&[id])).await? == 1)
    }

    /// Notes that keys were used at `at`, if that is news.
    pub async fn touch_keys(
        self,
        tenant: TenantId,
        ids: &[KeyId],
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let news = api_keys::Column::LastUsedAt.is_null().or(api_keys::Column::LastUsedAt.lt(at));
        let update = update_keys(tenant).col_expr(api_keys::Column::LastUsedAt, Expr::value(at)).filter(news);
        read::update_by_keys(self.conn, update, [api_keys::Column::Id], keys::sorted(ids)).await.map(drop)
    }
}

fn update_keys(tenant: TenantId) -> sea_orm::UpdateMany<api_keys::Entity> {
    api_keys::Entity::update_many().filter(api_keys::Column::TenantId.eq(tenant.0))
}

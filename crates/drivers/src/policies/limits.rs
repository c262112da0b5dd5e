//! Limits: the version in force, every version, and the integrity of each.

use entities::policies::{
    limit_integrity as integrity, limit_versions as versions,
    limits::{self as limits, Column},
};
use models::{
    ids::{LimitId, TenantId},
    page::{Page, PageRequest},
    policies::{DefinitionIntegrity, Limit, LimitFilter},
};
use proof::{canonical, definitions::LimitDefinition, hash::Hash, words::LimitStatus};
use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    Select,
};

use super::{Policies, PoliciesReads, of_a_version};
use crate::{
    StoreError, bulk,
    driver::of_tenant,
    field::{Field as _, corrupt, put},
    read::{self, Newest},
    rows::rows,
};

of_tenant!(limits);

fn versions_of(tenant: TenantId) -> Select<versions::Entity> {
    versions::Entity::find().filter(versions::Column::TenantId.eq(tenant.0))
}

fn integrities_of(tenant: TenantId) -> Select<integrity::Entity> {
    integrity::Entity::find().filter(integrity::Column::TenantId.eq(tenant.0))
}

rows! {
    LimitDefinition, limits, key(name, version), fn definition_row(definition, limit: &Limit), fn definition,
    same {
        version, name, limit_category, limit_type, scope, scope_id, max_value, reset_period, window_seconds,
        measurement_window_seconds, enforcement, degrade_to, consequence,
    } renamed { limit_id => id }
    extra {
        tenant_id = limit.tenant, status = limit.status, created_by = limit.created_by, created_at = limit.created_at,
        updated_at = limit.updated_at, namesake = 0_u64,
    }
}

rows! {
    DefinitionIntegrity, integrity, key(computed_at), fn integrity_row(it, tenant: TenantId, id: LimitId, version_of: u64),
    fn integrity_of,
    same { status, score_permille, hash_root, computed_at } renamed {}
    extra { tenant_id = tenant, limit_id = id, version = version_of }
}

/// The integrity row of a version, and whose version it is.
fn read_integrity(row: integrity::Model) -> Result<(LimitId, DefinitionIntegrity), StoreError> {
    let (id, version) = (row.limit_id.0, row.version);
    integrity_of(row).map(|it| (id, it)).map_err(|err| err.in_row(format!("{id}/{version}")))
}

fn to_row(limit: &Limit) -> Result<limits::Model, StoreError> {
    definition_row(&limit.definition, limit)
}

fn from_row(row: limits::Model) -> Result<Limit, StoreError> {
    let id = row.id;
    Ok(Limit {
        tenant: row.tenant_id.0,
        definition: definition(row.clone())?,
        status: row.status.get().map_err(|why| corrupt(&limits::Entity, id.to_string(), "status", &why))?,
        created_by: row.created_by,
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}

/// What a limit is for good.
const FOR_GOOD: &[Column] = &[
    Column::TenantId,
    Column::Id,
    Column::LimitCategory,
    Column::LimitType,
    Column::CreatedBy,
    Column::CreatedAt,
];

/// What changes without a new version.
const STATUS: &[Column] = &[Column::Status, Column::UpdatedAt];

impl PoliciesReads<'_> {
    /// One limit.
    pub async fn find_limit(self, tenant: TenantId, id: LimitId) -> Result<Option<Limit>, StoreError> {
        read::one(self.conn, of(tenant).filter(Column::Id.eq(id.0))).await?.map(from_row).transpose()
    }

    /// Whether an ACTIVE limit other than `but` has this name.
    pub async fn limit_has_name(
        self,
        tenant: TenantId,
        name: &str,
        but: LimitId,
    ) -> Result<bool, StoreError> {
        let named = of(tenant)
            .filter(Column::Name.eq(name))
            .filter(Column::Status.eq(LimitStatus::Active.as_str()))
            .filter(Column::Id.ne(but.0));
        Ok(read::one(self.conn, named).await?.is_some())
    }

    /// Limits, newest first.
    pub async fn list_limits(
        self,
        tenant: TenantId,
        filter: &LimitFilter,
        page: &PageRequest,
    ) -> Result<Page<Limit>, StoreError> {
        let key = |row: &limits::Model| (row.created_at, row.id.uuid());
        let newest = Newest { at: Column::CreatedAt, id: Column::Id, key };
        read::page(self.conn, matching(tenant, filter), newest, page, from_row).await
    }

    /// Every version of a limit, oldest first.
    pub async fn limit_versions(
        self,
        tenant: TenantId,
        id: LimitId,
    ) -> Result<Vec<LimitDefinition>, StoreError> {
        use versions::{Column as C, Entity};
        let select = versions_of(tenant).filter(C::LimitId.eq(id.0));
        let rows = read::all(self.conn, select.order_by_asc(C::Version)).await?;
        let read = |row: versions::Model| {
            serde_json::from_str(&row.definition).map_err(|err| {
                corrupt(&Entity, format!("{id}/{}", row.version), "definition", &err.to_string())
            })
        };
        rows.into_iter().map(read).collect()
    }

    /// The integrity rows of versions of limits, with the limit that each belongs to.
    pub async fn limit_integrities(
        self,
        tenant: TenantId,
        versions: &[(LimitId, u64)],
    ) -> Result<Vec<(LimitId, DefinitionIntegrity)>, StoreError> {
        let rows = self.limit_integrity_rows(tenant, versions).await?;
        rows.into_iter().map(read_integrity).collect()
    }

    pub(super) async fn active_limits(
        self,
        tenant: TenantId,
    ) -> Result<Vec<(LimitDefinition, Option<Hash>)>, StoreError> {
        let active =
            of(tenant).filter(Column::Status.eq(LimitStatus::Active.as_str())).order_by_asc(Column::Id);
        let rows = read::all(self.conn, active).await?;
        let versions = rows.iter().map(|row| (row.id.0, row.version.unsigned_abs())).collect::<Vec<_>>();
        let integrities = self.limit_integrity_rows(tenant, &versions).await?;
        let hash_of = |id: LimitId| -> Result<Option<Hash>, StoreError> {
            let row = integrities.iter().find(|row| row.limit_id.0 == id).cloned();
            Ok(row.map(read_integrity).transpose()?.map(|(_, integrity)| integrity.hash_root))
        };
        rows.into_iter()
            .map(|row| {
                let id = row.id.0;
                Ok((definition(row)?, hash_of(id)?))
            })
            .collect()
    }

    async fn limit_integrity_rows(
        self,
        tenant: TenantId,
        versions: &[(LimitId, u64)],
    ) -> Result<Vec<integrity::Model>, StoreError> {
        use integrity::{Column as C, Entity};
        let key = |(id, version): &(LimitId, u64)| {
            let version: i64 = put(&Entity, "version", version)?;
            Ok([id.0.into(), version.into()])
        };
        let keys = versions.iter().map(key).collect::<Result<Vec<_>, StoreError>>()?;
        read::by_keys(self.conn, integrities_of(tenant), [C::LimitId, C::Version], keys).await
    }
}

impl Policies<'_> {
    /// One limit, locked until the unit of work ends.
    pub async fn lock_limit(self, tenant: TenantId, id: LimitId) -> Result<Option<Limit>, StoreError> {
        let select = of(tenant).filter(Column::Id.eq(id.0)).lock_exclusive();
        read::one(self.conn, select).await?.map(from_row).transpose()
    }

    /// Adds a limit, its first version and the integrity of that. A name that an ACTIVE limit has is a conflict.
    pub async fn insert_limit(
        self,
        limit: &Limit,
        integrity: &DefinitionIntegrity,
    ) -> Result<(), StoreError> {
        bulk::insert::<limits::Entity>(self.conn, vec![to_row(limit)?]).await?;
        self.insert_limit_version(limit, integrity).await
    }

    /// Writes a new version of a limit that this unit of work has locked, and the integrity of that. A name that an
    /// ACTIVE limit has is a conflict.
    pub async fn save_limit(self, limit: &Limit, integrity: &DefinitionIntegrity) -> Result<(), StoreError> {
        bulk::update::<limits::Entity>(self.conn, vec![to_row(limit)?], &of_a_version(FOR_GOOD)).await?;
        self.insert_limit_version(limit, integrity).await
    }

    /// Writes where a limit that this unit of work has locked stands: its definition stays as it is.
    pub async fn save_limit_status(self, limit: &Limit) -> Result<(), StoreError> {
        bulk::update::<limits::Entity>(self.conn, vec![to_row(limit)?], STATUS).await
    }

    async fn insert_limit_version(
        self,
        limit: &Limit,
        integrity: &DefinitionIntegrity,
    ) -> Result<(), StoreError> {
        let row = to_row(limit)?;
        let definition = canonical::try_to_bytes(&limit.definition).map(String::from_utf8);
        let Ok(Ok(definition)) = definition else {
            return Err(corrupt(
                &versions::Entity,
                row.id.to_string(),
                "definition",
                "it has no canonical form",
            ));
        };
        let version = versions::Model {
            tenant_id: row.tenant_id,
            limit_id: row.id,
            version: row.version,
            definition,
            created_at: row.updated_at,
        };
        bulk::insert::<versions::Entity>(self.conn, vec![version]).await?;
        let integrity = integrity_row(integrity, row.tenant_id.0, row.id.0, limit.definition.version)?;
        bulk::insert::<integrity::Entity>(self.conn, vec![integrity]).await
    }
}

fn matching(tenant: TenantId, filter: &LimitFilter) -> Select<limits::Entity> {
    let LimitFilter { status, limit_category, scope, created_after, created_before } = filter;
    let condition = Condition::all()
        .add_option(status.map(|word| Column::Status.eq(word.as_str())))
        .add_option(limit_category.map(|word| Column::LimitCategory.eq(word.as_str())))
        .add_option(scope.map(|word| Column::Scope.eq(word.as_str())))
        .add_option(created_after.map(|at| Column::CreatedAt.gt(at)))
        .add_option(created_before.map(|at| Column::CreatedAt.lt(at)));
    of(tenant).filter(condition)
}

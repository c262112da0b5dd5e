//! How often what governs the tenant has changed, as a part of any query of its runs: whoever asks for a run that is to
//! go on learns by it of a store that fell back, without another statement.

use entities::account::{governed_changes, tenants};
use models::ids::TenantId;
use sea_orm::{
    ColumnTrait as _, DbErr, EntityTrait as _, QueryFilter as _, QueryResult, QuerySelect as _,
    QueryTrait as _, Select,
    sea_query::{SelectStatement, SimpleExpr},
};
use uuid::Uuid;

use crate::{
    StoreError,
    driver::of_tenant,
    field::put,
    governed::{Change, Found},
};

/// The names of what is asked beside the columns.
const GENERATION: &str = "governed_generation";
const MARK: &str = "governed_mark";

of_tenant!(tenants);

fn changes_of(tenant: TenantId) -> Select<governed_changes::Entity> {
    governed_changes::Entity::find().filter(governed_changes::Column::TenantId.eq(tenant.0))
}

/// What is asked, each with its name: how often it has changed, and the mark of the change that is remembered.
pub(crate) fn asked(
    tenant: TenantId,
    known: Option<Change>,
) -> Result<[(SimpleExpr, &'static str); 2], StoreError> {
    use governed_changes::{Column, Entity};
    let count: i64 = put(&Entity, "generation", &known.map_or(0, |known| known.count))?;
    let generation = of(tenant).select_only().column(tenants::Column::PolicyGeneration).into_query();
    let mark = changes_of(tenant)
        .filter(Column::Generation.eq(count))
        .select_only()
        .column(Column::Mark)
        .into_query();
    Ok([(alone(generation), GENERATION), (alone(mark), MARK)])
}

fn alone(query: SelectStatement) -> SimpleExpr {
    SimpleExpr::SubQuery(None, Box::new(query.into()))
}

/// What a row said to that, beside what was remembered.
pub(crate) fn said(row: &QueryResult, tenant: TenantId, known: Option<Change>) -> Result<Found, DbErr> {
    // Of a tenant that is not there, nothing has changed.
    let count: i64 = row.try_get::<Option<i64>>("", GENERATION)?.unwrap_or_default();
    let there: Option<Uuid> = row.try_get("", MARK)?;
    let has = Change { count: u64::try_from(count).unwrap_or_default(), mark: None };
    Ok(Found { tenant, has, known, there })
}

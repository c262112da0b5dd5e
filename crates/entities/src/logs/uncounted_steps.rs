//! Steps that do not count, for another tells of the same. Append-only.
#![expect(missing_docs, reason = "columns are named by the table")]

use models::ids::{RunId, TenantId};
use sea_orm::entity::prelude::*;

use crate::Id;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "uncounted_steps")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Id<TenantId>,
    #[sea_orm(primary_key, auto_increment = false)]
    pub run_id: Id<RunId>,
    #[sea_orm(primary_key, auto_increment = false)]
    pub step_index: i64,
    pub told_by_index: i64,
    pub in_doubt: bool,
    pub created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

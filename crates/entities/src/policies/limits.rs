//! Limits, each at its version in force.
#![expect(missing_docs, reason = "columns are named by the table")]

use models::ids::{LimitId, TenantId};
use sea_orm::entity::prelude::*;

use crate::Id;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "limits")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Id<TenantId>,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id<LimitId>,
    pub version: i64,
    pub name: String,
    pub limit_category: String,
    pub limit_type: String,
    pub scope: String,
    pub scope_id: Option<String>,
    pub max_value: i64,
    pub reset_period: Option<String>,
    pub window_seconds: Option<i64>,
    pub measurement_window_seconds: Option<i64>,
    pub enforcement: String,
    pub consequence: String,
    pub status: String,
    pub created_by: String,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub degrade_to: Option<String>,
    pub namesake: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

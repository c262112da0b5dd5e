//! Limits that were passed, once a limit, window and run.
#![expect(missing_docs, reason = "columns are named by the table")]

use models::ids::{BreachId, LimitId, RunId, TenantId};
use sea_orm::entity::prelude::*;

use crate::Id;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "limit_breaches")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Id<TenantId>,
    pub run_id: Id<RunId>,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id<BreachId>,
    pub seq: i64,
    pub limit_id: Id<LimitId>,
    pub limit_name: String,
    pub limit_type: String,
    pub breach_type: String,
    pub window_start: String,
    pub step_index: Option<i64>,
    pub breached_value: i64,
    pub threshold_value: i64,
    pub breached_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

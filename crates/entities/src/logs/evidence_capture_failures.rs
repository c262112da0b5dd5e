//! Captures that failed. Only their resolution changes, and only to superseded.
#![expect(missing_docs, reason = "columns are named by the table")]

use models::ids::{FailureId, RunId, TenantId};
use sea_orm::entity::prelude::*;

use crate::Id;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "evidence_capture_failures")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Id<TenantId>,
    pub run_id: Id<RunId>,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id<FailureId>,
    pub seq: i64,
    pub step_index: Option<i64>,
    pub evidence_class: String,
    pub reason: String,
    pub resolution: String,
    pub error_message: String,
    pub failed_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! Calls that were answered while the store was down, and recorded later. Append-only.
#![expect(missing_docs, reason = "columns are named by the table")]

use models::ids::{DecisionId, GapId, PermitId, RunId, TenantId};
use sea_orm::entity::prelude::*;

use crate::Id;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "gaps")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Id<TenantId>,
    pub run_id: Id<RunId>,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id<GapId>,
    pub seq: i64,
    pub decision_id: Id<DecisionId>,
    pub step_index: Option<i64>,
    pub permit_id: Option<Id<PermitId>>,
    pub answered_at: DateTimeUtc,
    pub recorded_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! Evidence of class D: every evaluation by the choke point.
#![expect(missing_docs, reason = "columns are named by the table")]

use models::ids::{DecisionId, PermitId, RunId, TenantId};
use sea_orm::entity::prelude::*;

use crate::Id;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "policy_decisions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Id<TenantId>,
    pub run_id: Id<RunId>,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id<DecisionId>,
    pub seq: i64,
    pub moment: String,
    pub step_index: Option<i64>,
    pub permit_id: Option<Id<PermitId>>,
    pub snapshot_digest: Vec<u8>,
    pub engine_version: String,
    pub schema_version: String,
    pub facts: String,
    pub limit_inputs: String,
    pub fired: String,
    pub limits: String,
    pub action: String,
    pub would_have: Option<String>,
    pub halt_reason: Option<String>,
    pub deciding_policy_id: Option<String>,
    pub overridden_by: Option<String>,
    pub permit_note: Option<String>,
    pub decided_at: DateTimeUtc,
    pub intervention: Option<String>,
    pub permit_required: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

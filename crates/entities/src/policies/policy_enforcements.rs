//! What was done about each verdict that was not a plain ALLOW.
#![expect(missing_docs, reason = "columns are named by the table")]

use models::ids::{EnforcementId, IncidentId, RuleId, RunId, TenantId};
use sea_orm::entity::prelude::*;

use crate::Id;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "policy_enforcements")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Id<TenantId>,
    pub run_id: Option<Id<RunId>>,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id<EnforcementId>,
    pub seq: Option<i64>,
    pub policy_id: String,
    pub policy_kind: String,
    pub rule_id: Option<Id<RuleId>>,
    pub incident_id: Option<Id<IncidentId>>,
    pub step_index: Option<i64>,
    pub action_taken: String,
    pub details: String,
    pub triggered_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

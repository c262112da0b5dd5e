//! Rules, each at its version in force.
#![expect(missing_docs, reason = "columns are named by the table")]

use models::ids::{IncidentId, ProposalId, RuleId, TenantId};
use sea_orm::entity::prelude::*;

use crate::Id;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "policy_rules")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Id<TenantId>,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id<RuleId>,
    pub version: i64,
    pub name: String,
    pub description: String,
    pub rule_type: String,
    pub enforcement_mode: String,
    pub scope: String,
    pub scope_id: Option<String>,
    pub bind_at: String,
    pub precedence: i64,
    pub condition: String,
    pub source: String,
    pub source_incident_id: Option<Id<IncidentId>>,
    pub status: String,
    pub source_proposal_id: Option<Id<ProposalId>>,
    pub parent_rule_id: Option<Id<RuleId>>,
    pub superseded_by: Option<Id<RuleId>>,
    pub created_by: String,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub retired_at: Option<DateTimeUtc>,
    pub retired_by: Option<String>,
    pub retirement_reason: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! Changes that are proposed; none activates itself.
#![expect(missing_docs, reason = "columns are named by the table")]

use models::ids::{IncidentId, ProposalId, RuleId, RunId, TenantId};
use sea_orm::entity::prelude::*;

use crate::Id;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "policy_proposals")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Id<TenantId>,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id<ProposalId>,
    pub name: String,
    pub proposal_type: String,
    pub target_rule_id: Option<Id<RuleId>>,
    pub proposed_rule: Option<String>,
    pub rationale: String,
    pub proposed_by: String,
    pub triggering_run_id: Option<Id<RunId>>,
    pub triggering_incident_id: Option<Id<IncidentId>>,
    pub confidence_permille: Option<i64>,
    pub status: String,
    pub expires_at: Option<DateTimeUtc>,
    pub reviewed_at: Option<DateTimeUtc>,
    pub reviewed_by: Option<String>,
    pub review_notes: Option<String>,
    pub is_synthetic: bool,
    pub created_by: String,
    pub created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

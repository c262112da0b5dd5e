//! The canonical ledger of the rules and limits that fired.
#![expect(missing_docs, reason = "columns are named by the table")]

use sea_orm::entity::prelude::*;

use crate::ids::{IncidentId, PreventionId, RunId, TenantId};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "prevention_records")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: TenantId,
    pub run_id: RunId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PreventionId,
    pub seq: Option<i64>,
    pub policy_id: Option<String>,
    pub policy_kind: Option<String>,
    pub policy_name: Option<String>,
    pub pattern_id: Option<String>,
    pub step_index: Option<i64>,
    pub outcome: String,
    pub confidence_permille: i64,
    pub original_incident_id: Option<IncidentId>,
    pub blocked_incident_id: Option<IncidentId>,
    pub is_simulated: bool,
    pub is_synthetic: bool,
    pub evaluated_at: DateTimeUtc,
    pub asked: Option<String>,
    pub would_have: Option<String>,
    pub refused_after: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

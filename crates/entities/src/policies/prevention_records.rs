//! The canonical ledger of the rules and limits that fired.
#![expect(missing_docs, reason = "columns are named by the table")]

use models::ids::{IncidentId, PreventionId, RunId, TenantId};
use sea_orm::entity::prelude::*;

use crate::Id;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "prevention_records")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Id<TenantId>,
    pub run_id: Id<RunId>,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id<PreventionId>,
    pub seq: Option<i64>,
    pub policy_id: Option<String>,
    pub policy_kind: Option<String>,
    pub policy_name: Option<String>,
    pub pattern_id: Option<String>,
    pub step_index: Option<i64>,
    pub outcome: String,
    pub confidence_permille: i64,
    pub original_incident_id: Option<Id<IncidentId>>,
    pub blocked_incident_id: Option<Id<IncidentId>>,
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

//! Permits: leave to act once.
#![expect(missing_docs, reason = "columns are named by the table")]

use models::ids::{DecisionId, PermitId, RunId, TenantId};
use sea_orm::entity::prelude::*;

use crate::Id;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "permits")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Id<TenantId>,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id<PermitId>,
    pub run_id: Id<RunId>,
    pub status: String,
    pub kind: String,
    pub skill_name: String,
    pub params_hash: Vec<u8>,
    pub idempotency_key: Option<String>,
    pub request_hash: Vec<u8>,
    pub estimate_input_tokens: i64,
    pub estimate_output_tokens: i64,
    pub estimate_cost_nanousd: Option<i64>,
    pub reservations: String,
    pub decision_id: Id<DecisionId>,
    pub decision_hash: Vec<u8>,
    pub run_after: String,
    pub granted_at: DateTimeUtc,
    pub expires_at: DateTimeUtc,
    pub used_by_step: Option<i64>,
    pub provider: Option<String>,
    pub model: Option<String>,
    pub labels: String,
    pub lapses_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

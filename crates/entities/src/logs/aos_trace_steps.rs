//! Steps, refused ones included, each chained to the one before.
#![expect(missing_docs, reason = "columns are named by the table")]

use models::ids::{DecisionId, KeyId, PermitId, RunId, TenantId, TraceId};
use sea_orm::entity::prelude::*;

use crate::Id;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "aos_trace_steps")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Id<TenantId>,
    #[sea_orm(primary_key, auto_increment = false)]
    pub run_id: Id<RunId>,
    #[sea_orm(primary_key, auto_increment = false)]
    pub trace_id: Id<TraceId>,
    #[sea_orm(primary_key, auto_increment = false)]
    pub step_index: i64,
    pub parent_step_index: Option<i64>,
    pub kind: String,
    pub skill_name: String,
    pub params: Option<String>,
    pub status: String,
    pub outcome_category: String,
    pub outcome_code: Option<String>,
    pub outcome_data: Option<String>,
    pub prompt: Option<String>,
    pub response: Option<String>,
    pub finish_reason: Option<String>,
    pub provider: Option<String>,
    pub model: Option<String>,
    pub input_tokens: i64,
    pub output_tokens: i64,
    pub cache_read_tokens: i64,
    pub reasoning_tokens: i64,
    pub cost_nanousd: i64,
    pub cost_known: bool,
    pub duration_ms: i64,
    pub retry_count: i64,
    pub started_at: Option<DateTimeUtc>,
    pub recorded_at: DateTimeUtc,
    pub level: String,
    pub source: String,
    pub external_span_id: Option<String>,
    pub external_parent_span_id: Option<String>,
    pub idempotency_key: Option<String>,
    pub request_hash: Option<Vec<u8>>,
    pub replay_behavior: Option<String>,
    pub input_hash: Vec<u8>,
    pub output_hash: Vec<u8>,
    pub permit_id: Option<Id<PermitId>>,
    pub decision_id: Option<Id<DecisionId>>,
    pub pre_decision_hash: Option<Vec<u8>>,
    pub post_decision_hash: Option<Vec<u8>>,
    pub activity_hash: Option<Vec<u8>>,
    pub provider_hash: Option<Vec<u8>>,
    pub run_after: String,
    pub determinism_hash: Vec<u8>,
    pub prev_hash: Vec<u8>,
    pub assurance: String,
    pub step_hash: Vec<u8>,
    pub reported_by: Option<Id<KeyId>>,
    pub asked: String,
    pub reported_status: Option<String>,
    pub permit_note: Option<String>,
    pub model_requested: Option<String>,
    pub cache_write_tokens: i64,
    pub cost_note: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

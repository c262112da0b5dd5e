//! Evidence of class G: what a model provider answered.
#![expect(missing_docs, reason = "columns are named by the table")]

use models::ids::{EvidenceId, RunId, TenantId};
use sea_orm::entity::prelude::*;

use crate::Id;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "provider_evidence")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Id<TenantId>,
    #[sea_orm(primary_key, auto_increment = false)]
    pub run_id: Id<RunId>,
    pub id: Id<EvidenceId>,
    #[sea_orm(primary_key, auto_increment = false)]
    pub seq: i64,
    pub step_index: i64,
    pub provider: Option<String>,
    pub model: Option<String>,
    pub request_id: Option<String>,
    pub input_tokens: i64,
    pub output_tokens: i64,
    pub cache_read_tokens: i64,
    pub reasoning_tokens: i64,
    pub latency_ms: i64,
    pub finish_reason: Option<String>,
    pub http_status: Option<i64>,
    pub error: Option<String>,
    pub captured_at: DateTimeUtc,
    pub cache_write_tokens: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

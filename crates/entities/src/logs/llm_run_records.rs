//! Calls to models. Written once.
#![expect(missing_docs, reason = "columns are named by the table")]

use models::ids::{LlmRunId, RunId, TenantId, TraceId};
use sea_orm::entity::prelude::*;

use crate::Id;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "llm_run_records")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Id<TenantId>,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id<LlmRunId>,
    pub run_id: Id<RunId>,
    pub trace_id: Id<TraceId>,
    pub step_index: i64,
    pub provider: Option<String>,
    pub model: Option<String>,
    pub prompt_hash: Option<Vec<u8>>,
    pub response_hash: Option<Vec<u8>>,
    pub input_tokens: i64,
    pub output_tokens: i64,
    pub cache_read_tokens: i64,
    pub reasoning_tokens: i64,
    pub cost_nanousd: i64,
    pub cost_known: bool,
    pub execution_status: String,
    pub started_at: DateTimeUtc,
    pub completed_at: Option<DateTimeUtc>,
    pub source: String,
    pub is_synthetic: bool,
    pub synthetic_scenario_id: Option<String>,
    pub created_at: DateTimeUtc,
    pub price_book: Option<String>,
    pub cache_write_tokens: i64,
    pub cost_note: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

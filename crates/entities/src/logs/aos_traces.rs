//! Traces: the chain of a run's steps as far as it has come.
#![expect(missing_docs, reason = "columns are named by the table")]

use models::ids::{RunId, TenantId, TraceId};
use sea_orm::entity::prelude::*;

use crate::Id;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "aos_traces")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Id<TenantId>,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id<TraceId>,
    pub run_id: Id<RunId>,
    pub attempt: i64,
    pub addendum_of: Option<Id<TraceId>>,
    pub agent_id: Option<String>,
    pub correlation_id: String,
    pub status: String,
    pub abort_reason: Option<String>,
    pub schema_version: String,
    pub metadata: Option<String>,
    pub root_hash: Option<Vec<u8>>,
    pub chain_head: Vec<u8>,
    pub ranges: Vec<u8>,
    pub step_count: i64,
    pub refused_count: i64,
    pub tally: String,
    pub tools_used: String,
    pub last_tool: Option<String>,
    pub failure_count: i64,
    pub cost_known: bool,
    pub expected_activity: i64,
    pub expected_provider: i64,
    pub last_recorded_at: Option<DateTimeUtc>,
    pub replay_mode: Option<String>,
    pub started_at: DateTimeUtc,
    pub completed_at: Option<DateTimeUtc>,
    pub archived_at: Option<DateTimeUtc>,
    pub sealed_leaf_index: Option<i64>,
    pub opened_leaf_index: i64,
    pub tools_cut: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

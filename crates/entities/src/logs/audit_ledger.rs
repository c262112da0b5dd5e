//! The Audit Ledger: who decided. Few rows, never changed.
#![expect(missing_docs, reason = "columns are named by the table")]

use models::ids::{AuditId, RunId, TenantId};
use sea_orm::entity::prelude::*;

use crate::Id;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_ledger")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Id<TenantId>,
    pub run_id: Option<Id<RunId>>,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id<AuditId>,
    pub event_type: String,
    pub entity_type: String,
    pub entity_id: String,
    pub actor_type: String,
    pub actor_id: Option<String>,
    pub action_reason: Option<String>,
    pub before_state: Option<String>,
    pub after_state: Option<String>,
    pub run_seq: Option<i64>,
    pub correlation_id: String,
    pub created_at: DateTimeUtc,
    pub leaf_index: i64,
    pub leaf_hash: Vec<u8>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

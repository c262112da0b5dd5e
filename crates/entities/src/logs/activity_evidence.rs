//! Evidence of class B: what went in and out of a step, as fingerprints.
#![expect(missing_docs, reason = "columns are named by the table")]

use models::ids::{EvidenceId, RunId, TenantId};
use sea_orm::entity::prelude::*;

use crate::Id;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "activity_evidence")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Id<TenantId>,
    #[sea_orm(primary_key, auto_increment = false)]
    pub run_id: Id<RunId>,
    pub id: Id<EvidenceId>,
    #[sea_orm(primary_key, auto_increment = false)]
    pub seq: i64,
    pub step_index: i64,
    pub prompt_hash: Option<Vec<u8>>,
    pub response_hash: Option<Vec<u8>>,
    pub prompt_length: i64,
    pub response_length: i64,
    pub model: Option<String>,
    pub sensitivity: String,
    pub redacted_count: i64,
    pub redaction_version: i64,
    pub commitment: String,
    pub commitment_key_id: String,
    pub captured_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

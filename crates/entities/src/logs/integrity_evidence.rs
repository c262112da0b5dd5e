//! Evidence of class J: how whole a run's evidence is. One a run, written at sealing.
#![expect(missing_docs, reason = "columns are named by the table")]

use models::ids::{EvidenceId, RunId, TenantId};
use sea_orm::entity::prelude::*;

use crate::Id;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "integrity_evidence")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Id<TenantId>,
    #[sea_orm(primary_key, auto_increment = false)]
    pub run_id: Id<RunId>,
    pub id: Id<EvidenceId>,
    pub expected: String,
    pub observed: String,
    pub missing: String,
    pub missing_reasons: String,
    pub capture_failures: i64,
    pub score_permille: i64,
    pub state: String,
    pub grade: String,
    pub integrity_status: String,
    pub explanation: String,
    pub computed_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! Evidence of class H: what surrounded a run when it began. One a run.
#![expect(missing_docs, reason = "columns are named by the table")]

use models::ids::{EvidenceId, RunId, TenantId};
use sea_orm::entity::prelude::*;

use crate::Id;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "environment_evidence")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Id<TenantId>,
    #[sea_orm(primary_key, auto_increment = false)]
    pub run_id: Id<RunId>,
    pub id: Id<EvidenceId>,
    pub sdk_name: Option<String>,
    pub sdk_version: Option<String>,
    pub environment: Option<String>,
    pub telemetry: Option<String>,
    pub details: Option<String>,
    pub captured_at: DateTimeUtc,
    pub way_in: String,
    pub user_agent: Option<String>,
    pub hoc_version: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

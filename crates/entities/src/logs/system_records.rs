//! What happened to the system itself. Written once.
#![expect(missing_docs, reason = "columns are named by the table")]

use models::ids::{SystemRecordId, TenantId};
use sea_orm::entity::prelude::*;

use crate::Id;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "system_records")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Id<TenantId>,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id<SystemRecordId>,
    pub component: String,
    pub event_type: String,
    pub severity: String,
    pub summary: String,
    pub details: Option<String>,
    pub caused_by: Option<String>,
    pub correlation_id: Option<String>,
    pub created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! The idempotency keys of a run's steps: which step each was used for.
#![expect(missing_docs, reason = "columns are named by the table")]

use models::ids::{RunId, TenantId};
use sea_orm::entity::prelude::*;

use crate::Id;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "step_keys")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Id<TenantId>,
    #[sea_orm(primary_key, auto_increment = false)]
    pub run_id: Id<RunId>,
    #[sea_orm(primary_key, auto_increment = false)]
    pub digest: Vec<u8>,
    pub step_index: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub is_span: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

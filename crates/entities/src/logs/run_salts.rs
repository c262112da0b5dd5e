//! What a run's texts are hashed with where a record names one.
#![expect(missing_docs, reason = "columns are named by the table")]

use models::ids::{RunId, TenantId};
use sea_orm::entity::prelude::*;

use crate::Id;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "run_salts")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Id<TenantId>,
    #[sea_orm(primary_key, auto_increment = false)]
    pub run_id: Id<RunId>,
    pub salt: Vec<u8>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! A run's texts as a log of bodies: what the records of one group name.
#![expect(missing_docs, reason = "columns are named by the table")]

use models::ids::{RunId, TenantId};
use sea_orm::entity::prelude::*;

use crate::Id;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "run_contents")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Id<TenantId>,
    #[sea_orm(primary_key, auto_increment = false)]
    pub run_id: Id<RunId>,
    #[sea_orm(primary_key, auto_increment = false)]
    pub first_record: i64,
    pub key_record: i64,
    pub base_record: Option<i64>,
    pub text_count: i64,
    pub codec: i64,
    pub raw_length: i64,
    pub body: Vec<u8>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! The table of counters.
#![expect(missing_docs, reason = "columns are named by the table")]

/// How many runs and calls there are of each kind, and what the calls used.
pub mod counters {
    use models::ids::TenantId;
    use sea_orm::entity::prelude::*;

    use crate::Id;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "counters")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub tenant_id: Id<TenantId>,
        #[sea_orm(primary_key, auto_increment = false)]
        pub counted: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub place: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub cell: Vec<u8>,
        #[sea_orm(primary_key, auto_increment = false)]
        pub shard: i64,
        pub part: String,
        pub kind: String,
        pub number: i64,
        pub unknown: i64,
        pub cost_high: i64,
        pub cost_low: i64,
        pub input_high: i64,
        pub input_low: i64,
        pub output_high: i64,
        pub output_low: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

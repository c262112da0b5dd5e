//! Tables of the two logs.
#![expect(missing_docs, reason = "columns are named by the table")]

/// The head of each log. Locked last.
pub mod log_heads {
    use models::ids::TenantId;
    use sea_orm::entity::prelude::*;

    use crate::Id;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "log_heads")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub tenant_id: Id<TenantId>,
        #[sea_orm(primary_key, auto_increment = false)]
        pub log: String,
        pub epoch: i64,
        pub tree_size: i64,
        pub frontier: Vec<u8>,
        pub last_at: Option<DateTimeUtc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// The leaves of the run log.
pub mod run_log {
    use models::ids::{RunId, TenantId};
    use sea_orm::entity::prelude::*;

    use crate::Id;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "run_log")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub tenant_id: Id<TenantId>,
        #[sea_orm(primary_key, auto_increment = false)]
        pub leaf_index: i64,
        pub leaf_hash: Vec<u8>,
        pub run_id: Id<RunId>,
        pub leaf_type: String,
        pub leaf: String,
        pub created_at: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Leaves that both logs have of themselves.
pub mod log_marks {
    use models::ids::TenantId;
    use sea_orm::entity::prelude::*;

    use crate::Id;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "log_marks")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub tenant_id: Id<TenantId>,
        #[sea_orm(primary_key, auto_increment = false)]
        pub log: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub leaf_index: i64,
        pub leaf_hash: Vec<u8>,
        pub mark_type: String,
        pub mark: String,
        pub created_at: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Nodes over complete subtrees of both logs.
pub mod tree_nodes {
    use models::ids::TenantId;
    use sea_orm::entity::prelude::*;

    use crate::Id;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "tree_nodes")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub tenant_id: Id<TenantId>,
        #[sea_orm(primary_key, auto_increment = false)]
        pub log: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub level: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub node_index: i64,
        pub hash: Vec<u8>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Signed checkpoints of both logs.
pub mod checkpoints {
    use models::ids::{CheckpointId, TenantId};
    use sea_orm::entity::prelude::*;

    use crate::Id;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "checkpoints")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub tenant_id: Id<TenantId>,
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Id<CheckpointId>,
        pub log: String,
        pub epoch: i64,
        pub tree_size: i64,
        pub root_hash: Vec<u8>,
        pub note: String,
        pub key_id: String,
        pub created_at: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

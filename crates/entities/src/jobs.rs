//! Tables of jobs.
#![expect(missing_docs, reason = "columns are named by the table")]
#![expect(clippy::module_inception, reason = "the module and its first table have one name")]

/// Jobs, as they stand now.
pub mod jobs {
    use models::ids::{JobId, TenantId};
    use sea_orm::entity::prelude::*;

    use crate::Id;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "jobs")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub tenant_id: Id<TenantId>,
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Id<JobId>,
        pub kind: String,
        pub state: String,
        pub payload: String,
        pub standing: Option<String>,
        pub attempts: i64,
        pub lease: i64,
        pub lease_owner: Option<String>,
        pub due_at: Option<DateTimeUtc>,
        pub stage: String,
        pub percentage: i64,
        pub eta_at: Option<DateTimeUtc>,
        pub started_at: Option<DateTimeUtc>,
        pub finished_at: Option<DateTimeUtc>,
        pub error: Option<String>,
        pub events: i64,
        pub head: Vec<u8>,
        pub created_by: String,
        pub created_at: DateTimeUtc,
        pub updated_at: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// What happened to each job: a chain.
pub mod job_audit_events {
    use models::ids::{JobId, TenantId};
    use sea_orm::entity::prelude::*;

    use crate::Id;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "job_audit_events")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub tenant_id: Id<TenantId>,
        #[sea_orm(primary_key, auto_increment = false)]
        pub job_id: Id<JobId>,
        #[sea_orm(primary_key, auto_increment = false)]
        pub seq: i64,
        pub event_type: String,
        pub state: String,
        pub actor: String,
        pub attempt: i64,
        pub details: Option<String>,
        pub created_at: DateTimeUtc,
        pub previous: Vec<u8>,
        pub hash: Vec<u8>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

//! The tables of runs and of what people do to them.
#![expect(missing_docs, reason = "columns are named by the table")]

/// Runs, as they stand now.
pub mod runs {
    use models::ids::{KeyId, RunId, SnapshotId, TenantId, TraceId};
    use sea_orm::entity::prelude::*;

    use crate::Id;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "runs")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub tenant_id: Id<TenantId>,
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Id<RunId>,
        pub trace_id: Id<TraceId>,
        pub agent_id: String,
        pub project_id: Option<String>,
        pub actor_type: String,
        pub actor_id: Option<String>,
        pub goal: Option<String>,
        pub source: String,
        pub provider_type: Option<String>,
        pub parent_run_id: Option<Id<RunId>>,
        pub attempt: i64,
        pub replay_of: Option<Id<RunId>>,
        pub replay_mode: Option<String>,
        pub status: String,
        pub state: String,
        pub termination_reason: Option<String>,
        pub halt_action: Option<String>,
        pub error_message: Option<String>,
        pub started_at: DateTimeUtc,
        pub last_seen_at: DateTimeUtc,
        pub completed_at: Option<DateTimeUtc>,
        pub duration_ms: Option<i64>,
        pub expected_latency_ms: Option<i64>,
        pub seal_due_at: Option<DateTimeUtc>,
        pub snapshot_id: Id<SnapshotId>,
        pub snapshot_digest: Vec<u8>,
        pub assurance: String,
        pub step_count: i64,
        pub refused_count: i64,
        pub llm_call_count: i64,
        pub tool_call_count: i64,
        pub input_tokens: i64,
        pub output_tokens: i64,
        pub cost_nanousd: i64,
        pub correlation_id: String,
        pub external_trace_id: Option<String>,
        pub idempotency_key: Option<String>,
        pub request_hash: Option<Vec<u8>>,
        pub metadata: Option<String>,
        pub is_synthetic: bool,
        pub synthetic_scenario_id: Option<String>,
        pub risk_level: String,
        pub latency_bucket: String,
        pub evidence_health: String,
        pub integrity_status: String,
        pub incident_count: i64,
        pub policy_violation: bool,
        pub policy_draft_count: i64,
        pub key_id: Id<KeyId>,
        pub created_at: DateTimeUtc,
        pub reported_end: Option<String>,
        pub late: Option<String>,
        pub cost_known: bool,
        pub labels: String,
        pub seal_retry_at: Option<DateTimeUtc>,
        pub unasked_count: i64,
        pub conversation_id: Option<String>,
        pub session_id: Option<String>,
        pub user_id: Option<String>,
        pub version: i64,
        pub version_mark: Uuid,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Kills, freezes and their ends, as they were asked for.
pub mod interventions {
    use models::ids::{InterventionId, TenantId};
    use sea_orm::entity::prelude::*;

    use crate::Id;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "interventions")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub tenant_id: Id<TenantId>,
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Id<InterventionId>,
        pub kind: String,
        pub target_type: String,
        pub target_id: Option<String>,
        pub actor_type: String,
        pub actor_id: Option<String>,
        pub reason: Option<String>,
        pub requested_at: DateTimeUtc,
        pub outcome: String,
        pub effective_at: Option<DateTimeUtc>,
        pub lifts: Option<Id<InterventionId>>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// What is frozen now.
pub mod freezes {
    use models::ids::{InterventionId, TenantId};
    use sea_orm::entity::prelude::*;

    use crate::Id;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "freezes")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub tenant_id: Id<TenantId>,
        #[sea_orm(primary_key, auto_increment = false)]
        pub target_id: String,
        pub intervention_id: Id<InterventionId>,
        pub actor_type: String,
        pub actor_id: Option<String>,
        pub reason: Option<String>,
        pub requested_at: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Interventions as runs met them.
pub mod run_interventions {
    use models::ids::{InterventionId, RunId, TenantId};
    use sea_orm::entity::prelude::*;

    use crate::Id;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "run_interventions")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub tenant_id: Id<TenantId>,
        #[sea_orm(primary_key, auto_increment = false)]
        pub run_id: Id<RunId>,
        #[sea_orm(primary_key, auto_increment = false)]
        pub seq: i64,
        pub intervention_id: Id<InterventionId>,
        pub kind: String,
        pub target_type: String,
        pub target_id: Option<String>,
        pub actor_type: String,
        pub actor_id: Option<String>,
        pub reason: Option<String>,
        pub requested_at: DateTimeUtc,
        pub decision_hash: Vec<u8>,
        pub effective_at: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Which agents know.
pub mod intervention_acks {
    use models::ids::{InterventionId, RunId, TenantId};
    use sea_orm::entity::prelude::*;

    use crate::Id;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "intervention_acks")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub tenant_id: Id<TenantId>,
        #[sea_orm(primary_key, auto_increment = false)]
        pub intervention_id: Id<InterventionId>,
        #[sea_orm(primary_key, auto_increment = false)]
        pub run_id: Id<RunId>,
        pub via: String,
        pub acked_at: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

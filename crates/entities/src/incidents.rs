//! Tables of incidents.
#![expect(missing_docs, reason = "columns are named by the table")]
#![expect(clippy::module_inception, reason = "the domain and its first table have one name")]

/// Incidents, as they stand now.
pub mod incidents {
    use models::ids::{IncidentId, LimitId, RunId, TenantId};
    use sea_orm::entity::prelude::*;

    use crate::Id;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "incidents")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub tenant_id: Id<TenantId>,
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Id<IncidentId>,
        pub title: String,
        pub category: String,
        pub severity: String,
        pub opened_severity: String,
        pub lifecycle_state: String,
        pub cause_type: String,
        pub cause_key: String,
        pub source_run_id: Option<Id<RunId>>,
        pub source_step_index: Option<i64>,
        pub policy_id: Option<String>,
        pub limit_id: Option<Id<LimitId>>,
        pub description: String,
        pub error_code: Option<String>,
        pub cost_impact_nanousd: i64,
        pub affected_count: i64,
        pub recurrence_signature: String,
        pub similar_incident_group_id: Option<String>,
        pub correlation_id: String,
        pub is_synthetic: bool,
        pub synthetic_scenario_id: Option<String>,
        pub acknowledged_at: Option<DateTimeUtc>,
        pub acknowledged_by: Option<String>,
        pub resolved_at: Option<DateTimeUtc>,
        pub resolved_by: Option<String>,
        pub resolution_type: Option<String>,
        pub resolution_notes: Option<String>,
        pub escalated_at: Option<DateTimeUtc>,
        pub created_at: DateTimeUtc,
        pub updated_at: DateTimeUtc,
        pub occurrences: i64,
        pub last_seen_at: DateTimeUtc,
        pub agents: String,
        pub more_agents: bool,
        pub recurrence_count: i64,
        pub namesake: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// What each run did of an incident.
pub mod incident_runs {
    use models::ids::{IncidentId, RunId, TenantId};
    use sea_orm::entity::prelude::*;

    use crate::Id;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "incident_runs")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub tenant_id: Id<TenantId>,
        #[sea_orm(primary_key, auto_increment = false)]
        pub incident_id: Id<IncidentId>,
        #[sea_orm(primary_key, auto_increment = false)]
        pub run_id: Id<RunId>,
        pub relation: String,
        pub seq: Option<i64>,
        pub note: Option<String>,
        pub first_step_index: Option<i64>,
        pub cost_impact_nanousd: i64,
        pub later_impact_nanousd: i64,
        pub occurrences: i64,
        pub first_at: DateTimeUtc,
        pub last_at: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Timelines of incidents.
pub mod incident_events {
    use models::ids::{IncidentEventId, IncidentId, TenantId};
    use sea_orm::entity::prelude::*;

    use crate::Id;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "incident_events")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub tenant_id: Id<TenantId>,
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Id<IncidentEventId>,
        pub incident_id: Id<IncidentId>,
        pub event_type: String,
        pub actor: Option<String>,
        pub details: Option<String>,
        pub created_at: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

//! Incidents: what went wrong, and how it was handled.
#![expect(missing_docs, reason = "the fields are named by spec 2; the structs say what they are")]

pub mod entity;

use chrono::{DateTime, Utc};
use proof::words::{CauseType, IncidentCategory, Severity};
use serde::{Deserialize, Serialize};

use crate::ids::{IncidentEventId, IncidentId, LimitId, RunId, TenantId};

proof::words! {
    /// The only state of an incident. `topic=ACTIVE` gives ACTIVE and ACKED.
    LifecycleState { Active = "ACTIVE", Acked = "ACKED", Resolved = "RESOLVED" }

    /// How an incident was settled.
    ResolutionType { Fixed = "fixed", FalsePositive = "false_positive", AcceptedRisk = "accepted_risk",
        Duplicate = "duplicate", Manual = "manual", ManualClosure = "manual_closure" }

    /// What happened to an incident.
    IncidentEventType { Created = "created", SeverityEscalated = "severity_escalated",
        Acknowledged = "acknowledged", Resolved = "resolved", ManuallyClosed = "manually_closed",
        EvidenceCaptured = "evidence_captured", Recurred = "recurred", Notified = "notified" }
}

/// One incident, as it stands now. What it was when it was opened is `proof::records::IncidentRecord`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    pub tenant: TenantId,
    pub id: IncidentId,
    pub title: String,
    pub category: IncidentCategory,
    /// Escalates, never downward.
    pub severity: Severity,
    /// As it was when it was opened, which is what the receipt covers.
    pub opened_severity: Severity,
    pub lifecycle_state: LifecycleState,
    pub cause_type: CauseType,
    /// The policy, limit or error. One incident for one cause: unique with tenant, run and category.
    pub cause_key: String,
    pub source_run_id: Option<RunId>,
    pub source_step_index: Option<u64>,
    /// Position among the run's incidents. None for one that no receipt covers.
    pub seq: Option<u64>,
    /// A rule's or a limit's id.
    pub policy_id: Option<String>,
    pub limit_id: Option<LimitId>,
    pub description: String,
    pub error_code: Option<String>,
    /// What it had cost when it was opened, which is what the receipt covers.
    pub cost_impact_microusd: u64,
    /// What the cause cost when it struck again.
    pub later_impact_microusd: u64,
    /// How often the cause struck.
    pub affected_count: u64,
    pub recurrence_signature: String,
    pub similar_incident_group_id: Option<String>,
    pub correlation_id: String,
    pub is_synthetic: bool,
    pub synthetic_scenario_id: Option<String>,
    pub acknowledged_at: Option<DateTime<Utc>>,
    pub acknowledged_by: Option<String>,
    pub resolved_at: Option<DateTime<Utc>>,
    pub resolved_by: Option<String>,
    pub resolution_type: Option<ResolutionType>,
    pub resolution_notes: Option<String>,
    pub escalated_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Incident {
    /// What it cost in all.
    #[must_use]
    pub fn impact_microusd(&self) -> u64 {
        self.cost_impact_microusd.saturating_add(self.later_impact_microusd)
    }

    /// The cause by which it is found again.
    #[must_use]
    pub fn cause(&self) -> Cause {
        Cause {
            run_key: run_key(self.source_run_id),
            category: self.category,
            cause_key: self.cause_key.clone(),
        }
    }
}

/// The run of a cause, as text; empty where no run caused it, so that a unique key can hold it.
#[must_use]
pub fn run_key(run: Option<RunId>) -> String {
    run.map_or_else(String::new, |run| run.to_string())
}

/// What makes two incidents one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cause {
    /// See [`run_key`].
    pub run_key: String,
    pub category: IncidentCategory,
    pub cause_key: String,
}

/// One event in an incident's timeline.
#[derive(Clone, Debug, PartialEq)]
pub struct IncidentEvent {
    pub tenant: TenantId,
    pub id: IncidentEventId,
    pub incident_id: IncidentId,
    pub event_type: IncidentEventType,
    pub actor: Option<String>,
    /// Canonical JSON.
    pub details: Option<String>,
    pub at: DateTime<Utc>,
}

/// The filters of the list of incidents; what is not set does not filter.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IncidentFilter {
    /// Any of these; empty for all. `topic=ACTIVE` is ACTIVE and ACKED.
    pub lifecycle_states: Vec<LifecycleState>,
    pub severity: Option<Severity>,
    pub category: Option<IncidentCategory>,
    pub cause_type: Option<CauseType>,
    pub is_synthetic: Option<bool>,
    pub created_after: Option<DateTime<Utc>>,
    pub created_before: Option<DateTime<Utc>>,
}

/// How many incidents a tenant has, for Overview.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IncidentCounts {
    pub total: u64,
    /// ACTIVE only.
    pub active: u64,
    /// ACTIVE and critical.
    pub active_critical: u64,
    /// ACTIVE and critical or high.
    pub active_critical_or_high: u64,
}

//! Incidents: what went wrong, and how it was handled.
#![expect(missing_docs, reason = "the fields are named by spec 2; the structs say what they are")]

use chrono::{DateTime, Utc};
use proof::{
    records::IncidentRecord,
    words::{CauseType, IncidentCategory, IncidentRelation, Severity},
};
use serde::{Deserialize, Serialize};

pub use self::title::WOULD_HAVE;
use self::title::titled;
use crate::ids::{IncidentEventId, IncidentId, LimitId, RunId, TenantId};

mod title;

proof::words! {
    /// The only state of an incident.
    LifecycleState { Active = "ACTIVE", Acked = "ACKED", Resolved = "RESOLVED" }

    /// Which incidents a list is asked for: those that are open, or those that are settled, by either of two names.
    IncidentTopic { Active = "ACTIVE", Resolved = "RESOLVED", Historical = "HISTORICAL" }

    /// How an incident was settled.
    ResolutionType { Fixed = "fixed", FalsePositive = "false_positive", AcceptedRisk = "accepted_risk",
        Duplicate = "duplicate", Manual = "manual", ManualClosure = "manual_closure" }

    /// What happened to an incident.
    IncidentEventType { Created = "created", SeverityEscalated = "severity_escalated",
        Acknowledged = "acknowledged", Resolved = "resolved", ManuallyClosed = "manually_closed",
        EvidenceCaptured = "evidence_captured", Recurred = "recurred", Notified = "notified" }
}

impl IncidentTopic {
    /// The states of the incidents that are meant.
    #[must_use]
    pub const fn states(self) -> &'static [LifecycleState] {
        match self {
            Self::Active => &[LifecycleState::Active, LifecycleState::Acked],
            Self::Resolved | Self::Historical => &[LifecycleState::Resolved],
        }
    }
}

/// How many agents an incident names. Of more it says that there are more.
pub const NAMED_AGENTS: usize = 8;

/// One incident, as it stands now: everything that one cause did from when it first struck until it is resolved. What
/// each run did of it is an [`IncidentRun`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    pub tenant: TenantId,
    pub id: IncidentId,
    pub title: String,
    pub category: IncidentCategory,
    /// Escalates, never downward.
    pub severity: Severity,
    /// As it was when it was opened, which is what receipts cover.
    pub opened_severity: Severity,
    pub lifecycle_state: LifecycleState,
    pub cause_type: CauseType,
    /// The policy, limit or error. Unique with tenant and category among those that are not RESOLVED.
    pub cause_key: String,
    /// The run that met the cause first.
    pub source_run_id: Option<RunId>,
    pub source_step_index: Option<u64>,
    /// A rule's or a limit's id.
    pub policy_id: Option<String>,
    pub limit_id: Option<LimitId>,
    pub description: String,
    pub error_code: Option<String>,
    /// What the cause cost, in all runs.
    pub cost_impact_nanousd: u64,
    /// How many runs met the cause.
    pub affected_count: u64,
    /// How often it struck, in all runs.
    pub occurrences: u64,
    /// When it last did.
    pub last_seen_at: DateTime<Utc>,
    /// The agents of those runs, in the order in which they met it: the first [`NAMED_AGENTS`].
    pub agents: Vec<String>,
    /// There are more.
    pub more_agents: bool,
    pub recurrence_signature: String,
    /// How many incidents of this cause there were before.
    pub recurrence_count: u64,
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
    /// The cause by which it is found again.
    #[must_use]
    pub fn cause(&self) -> Cause {
        Cause { category: self.category, cause_key: self.cause_key.clone() }
    }

    /// What the receipt of a run covers of it; none where no receipt covers it.
    #[must_use]
    pub fn record(&self, of: &IncidentRun) -> Option<IncidentRecord> {
        Some(IncidentRecord {
            tenant_id: self.tenant.to_string(),
            run_id: of.run_id.to_string(),
            incident_id: self.id.to_string(),
            seq: of.seq?,
            relation: of.relation,
            title: self.title.clone(),
            category: self.category,
            severity: self.opened_severity,
            cause_type: self.cause_type,
            cause_key: self.cause_key.clone(),
            step_index: of.first_step_index,
            policy_id: self.policy_id.clone(),
            limit_id: self.limit_id.map(|id| id.to_string()),
            description: self.description.clone(),
            error_code: self.error_code.clone(),
            cost_impact_nanousd: of.cost_impact_nanousd,
            recurrence_signature: self.recurrence_signature.clone(),
            note: of.note.clone(),
            is_synthetic: self.is_synthetic,
            opened_at: crate::time::text(self.created_at),
            first_at: crate::time::text(of.first_at),
        })
    }
}

/// What makes two incidents one, as long as neither is resolved.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cause {
    pub category: IncidentCategory,
    pub cause_key: String,
}

/// What one run did of an incident.
#[derive(Clone, Debug, PartialEq)]
pub struct IncidentRun {
    pub tenant: TenantId,
    pub incident_id: IncidentId,
    pub run_id: RunId,
    /// It opened it, or joined it.
    pub relation: IncidentRelation,
    /// Position among the run's incidents. None for one that no receipt covers.
    pub seq: Option<u64>,
    /// What is said of it in this run, such as `refused after it was done`.
    pub note: Option<String>,
    /// The step at which the run met the cause first.
    pub first_step_index: Option<u64>,
    /// What that cost, which is what the receipt covers.
    pub cost_impact_nanousd: u64,
    /// What the cause cost when it struck the run again.
    pub later_impact_nanousd: u64,
    /// How often it struck the run.
    pub occurrences: u64,
    pub first_at: DateTime<Utc>,
    pub last_at: DateTime<Utc>,
}

impl IncidentRun {
    /// What the cause cost in this run.
    #[must_use]
    pub fn impact_nanousd(&self) -> u64 {
        self.cost_impact_nanousd.saturating_add(self.later_impact_nanousd)
    }
}

/// An incident, with what one run did of it.
#[derive(Clone, Debug, PartialEq)]
pub struct RunIncident {
    pub incident: Incident,
    pub of: IncidentRun,
}

impl RunIncident {
    /// What the run's receipt covers of it; none where it does not.
    #[must_use]
    pub fn record(&self) -> Option<IncidentRecord> {
        self.incident.record(&self.of)
    }

    /// What is to be said of it in the run at hand. A rule's incident is called after what the run that opened it met:
    /// in a run that joined it, the same rule may have refused, or would have, or too late.
    #[must_use]
    pub fn title(&self) -> String {
        match self.incident.category {
            IncidentCategory::PolicyViolation => titled(&self.incident.title, self.of.note.as_deref()),
            _ => self.incident.title.clone(),
        }
    }
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

//! `records.after`: what may still change once a run is sealed, as of the time that the bundle states.
#![expect(missing_docs, reason = "the fields are named by spec 2; the structs say what they are")]

use serde::{Deserialize, Serialize};

use crate::words::{
    ActorType, Assurance, IncidentCategory, IntegrityStatus, RunStatus, Severity, TerminationReason,
};

/// The run as it stands now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiveRun {
    pub tenant_id: String,
    pub run_id: String,
    pub trace_id: String,
    pub agent_id: String,
    pub actor_type: ActorType,
    pub actor_id: Option<String>,
    /// What it is a part of, as far as that is said: of a run that goes on, here alone.
    pub conversation_id: Option<String>,
    pub session_id: Option<String>,
    pub user_id: Option<String>,
    /// With what its addenda brought. What held when it was sealed, the statement and the receipt say.
    pub assurance: Assurance,
    pub status: RunStatus,
    pub termination_reason: Option<TerminationReason>,
    pub error_message: Option<String>,
    pub started_at: String,
    pub last_seen_at: String,
    pub completed_at: Option<String>,
    pub step_count: u64,
    pub refused_count: u64,
    pub input_tokens: u64,
    pub output_tokens: u64,
    pub cost_nanousd: u64,
    pub risk_level: String,
    pub latency_bucket: String,
    pub evidence_health: String,
    pub integrity_status: IntegrityStatus,
    pub incident_count: u64,
    pub policy_violation: bool,
    pub policy_draft_count: u64,
    /// What its addenda add up to, on top of the totals above. Null where there is none.
    pub late: Option<LiveLate>,
}

/// What came to a run after it was sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiveLate {
    pub addenda: u64,
    pub step_count: u64,
    pub input_tokens: u64,
    pub output_tokens: u64,
    pub cost_nanousd: u64,
}

/// An incident of the run as it stands now, with what happened to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiveIncident {
    pub incident_id: String,
    pub title: String,
    pub category: IncidentCategory,
    pub severity: Severity,
    pub lifecycle_state: String,
    pub affected_count: u64,
    pub acknowledged_at: Option<String>,
    pub acknowledged_by: Option<String>,
    pub resolved_at: Option<String>,
    pub resolved_by: Option<String>,
    pub resolution_type: Option<String>,
    pub resolution_notes: Option<String>,
    pub escalated_at: Option<String>,
    pub created_at: String,
    /// Oldest first.
    pub timeline: Vec<TimelineEvent>,
}

/// One event of an incident's timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimelineEvent {
    pub event_id: String,
    pub event_type: String,
    pub actor: Option<String>,
    /// Canonical JSON.
    pub details: Option<String>,
    pub at: String,
}

/// When the bundle was made, and how long the logs were then: the sizes of its two checkpoints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AsOf {
    pub audit_size: u64,
    pub runs_size: u64,
    pub time: String,
}

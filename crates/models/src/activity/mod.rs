//! Activity: what ran, what is running.
#![expect(missing_docs, reason = "the fields are named by spec 2; the structs say what they are")]

mod interventions;

use chrono::{DateTime, Utc};
use proof::{
    hash::Hash,
    words::{
        Action, ActorType, Assurance, IntegrityStatus, ReplayMode, RunSource, RunStatus, TerminationReason,
    },
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use self::interventions::{
    Ack, AckVia, Freeze, Intervention, InterventionFilter, InterventionOutcome, InterventionState,
};
use crate::ids::{KeyId, RunId, SnapshotId, TenantId, TraceId};

proof::words! {
    /// Whether a run is sealed. A stopped run is HALTED and still LIVE until then.
    RunState { Live = "LIVE", Completed = "COMPLETED" }

    /// How near a run is to trouble, mildest first.
    RiskLevel { Normal = "NORMAL", NearThreshold = "NEAR_THRESHOLD", AtRisk = "AT_RISK", Violated = "VIOLATED" }

    /// How a run's duration compares with what was expected.
    LatencyBucket { Ok = "OK", Slow = "SLOW", Stalled = "STALLED" }

    /// Whether a run's evidence arrives.
    EvidenceHealth { Flowing = "FLOWING", Degraded = "DEGRADED", Missing = "MISSING" }

    /// Why a LIVE run is due to be sealed.
    DueReason { Abandoned = "abandoned", Stopped = "stopped" }
}

/// How far a run is: equal as long as nothing has happened in it that is told of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pulse {
    pub run: RunId,
    /// Whose it is.
    pub key: KeyId,
    pub state: RunState,
    pub steps: u64,
    pub refused: u64,
}

/// One run, as it stands now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    pub tenant: TenantId,
    pub id: RunId,
    pub trace_id: TraceId,
    pub agent_id: String,
    pub project_id: Option<String>,
    pub actor_type: ActorType,
    /// HUMAN needs one.
    pub actor_id: Option<String>,
    pub goal: Option<String>,
    pub source: RunSource,
    pub provider_type: Option<String>,
    pub parent_run_id: Option<RunId>,
    pub attempt: u64,
    pub replay_of: Option<RunId>,
    pub replay_mode: Option<ReplayMode>,
    pub status: RunStatus,
    pub state: RunState,
    pub termination_reason: Option<TerminationReason>,
    /// The STOP, KILL or ABORT that ended it.
    pub halt_action: Option<Action>,
    pub error_message: Option<String>,
    pub started_at: DateTime<Utc>,
    pub last_seen_at: DateTime<Utc>,
    pub completed_at: Option<DateTime<Utc>>,
    pub duration_ms: Option<u64>,
    pub expected_latency_ms: Option<u64>,
    /// A stopped run is sealed then, unless its agent ends it before; a trace as its root span told, or given up where
    /// none has come and only others than its opener speak.
    pub seal_due_at: Option<DateTime<Utc>>,
    pub snapshot_id: SnapshotId,
    pub snapshot_digest: Hash,
    /// With what its addenda brought; what the receipt says is [`Run::sealed_assurance`].
    pub assurance: Assurance,
    pub step_count: u64,
    pub refused_count: u64,
    /// Steps, refused ones included, that were only told after they had been done.
    pub unasked_count: u64,
    pub llm_call_count: u64,
    pub tool_call_count: u64,
    pub input_tokens: u64,
    pub output_tokens: u64,
    pub cost_nanousd: u64,
    /// False where a model call's cost is neither reported nor in the price book: then `cost_nanousd` is a part of it.
    pub cost_known: bool,
    pub correlation_id: String,
    pub external_trace_id: Option<String>,
    pub idempotency_key: Option<String>,
    /// Keyed hash of the start request.
    pub request_hash: Option<Hash>,
    /// The caller's metadata after redaction, as text.
    pub metadata: Option<String>,
    /// The labels in its metadata, after redaction: in order, each once.
    pub labels: Vec<String>,
    pub is_synthetic: bool,
    pub synthetic_scenario_id: Option<String>,
    pub risk_level: RiskLevel,
    pub latency_bucket: LatencyBucket,
    pub evidence_health: EvidenceHealth,
    pub integrity_status: IntegrityStatus,
    pub incident_count: u64,
    pub policy_violation: bool,
    pub policy_draft_count: u64,
    /// What it is a part of, as its spans say: the conversation, or the session where they name no other.
    pub conversation_id: Option<String>,
    pub session_id: Option<String>,
    /// Whom it is for, as its spans say.
    pub user_id: Option<String>,
    /// The API key that made it; an agent sees its own.
    pub key_id: KeyId,
    pub created_at: DateTime<Utc>,
    /// How its root span ended; only of a run that is a trace.
    pub reported_end: Option<ReportedEnd>,
    /// What was added to it after it was sealed.
    pub late: Option<Late>,
}

/// What a run did in all, late or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunTotals {
    pub step_count: u64,
    pub llm_call_count: u64,
    pub tool_call_count: u64,
    pub input_tokens: u64,
    pub output_tokens: u64,
    pub cost_nanousd: u64,
    /// False where `cost_nanousd` is only what is known of the cost.
    pub cost_known: bool,
}

/// Which state a stored run is in, its own trace included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunVersion {
    /// How often it was written. It gets no lower.
    pub count: u64,
    /// Drawn by who wrote it last: in a store that fell back it may have been written as often since.
    pub mark: Uuid,
}

impl RunVersion {
    /// That of a run that was just added.
    #[must_use]
    pub fn first(run: RunId) -> Self {
        Self { count: 1, mark: run.0 }
    }

    /// That which a write with this mark leaves.
    #[must_use]
    pub fn next(self, mark: Uuid) -> Self {
        Self { count: self.count + 1, mark }
    }
}

/// Where a run stands in lists: what they are filtered by, of what changes in its life.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields of the run")]
pub struct Standing {
    pub status: RunStatus,
    pub state: RunState,
    pub assurance: Assurance,
    pub risk_level: RiskLevel,
    pub latency_bucket: LatencyBucket,
    pub evidence_health: EvidenceHealth,
    pub integrity_status: IntegrityStatus,
    pub incident_count: u64,
    pub policy_violation: bool,
    pub conversation_id: Option<String>,
    pub session_id: Option<String>,
    pub user_id: Option<String>,
}

impl Run {
    /// Where it stands in lists.
    #[must_use]
    pub fn standing(&self) -> Standing {
        Standing {
            status: self.status,
            state: self.state,
            assurance: self.assurance,
            risk_level: self.risk_level,
            latency_bucket: self.latency_bucket,
            evidence_health: self.evidence_health,
            integrity_status: self.integrity_status,
            incident_count: self.incident_count,
            policy_violation: self.policy_violation,
            conversation_id: self.conversation_id.clone(),
            session_id: self.session_id.clone(),
            user_id: self.user_id.clone(),
        }
    }

    /// Whether it is a trace: what its spans tell has happened, and nothing of that can be refused.
    #[must_use]
    pub const fn is_reported(&self) -> bool {
        self.external_trace_id.is_some()
    }

    /// The assurance as it was sealed. What came later may have lowered it.
    #[must_use]
    pub fn sealed_assurance(&self) -> Assurance {
        self.late.as_ref().and_then(|late| late.sealed_assurance).unwrap_or(self.assurance)
    }

    /// The totals as they were sealed, and what came later on top.
    #[must_use]
    pub fn totals(&self) -> RunTotals {
        // No more than a record can hold.
        let sum = |a: u64, b: u64| a.saturating_add(b).min(proof::canonical::MAX_INTEGER);
        let late = |of: fn(&Late) -> u64| self.late.as_ref().map_or(0, of);
        let late_cost = late(|late| late.cost_nanousd);
        let is_sum = self.cost_nanousd.saturating_add(late_cost) <= proof::canonical::MAX_INTEGER;
        RunTotals {
            step_count: self.step_count + late(|late| late.step_count),
            llm_call_count: self.llm_call_count + late(|late| late.llm_call_count),
            tool_call_count: self.tool_call_count + late(|late| late.tool_call_count),
            input_tokens: sum(self.input_tokens, late(|late| late.input_tokens)),
            output_tokens: sum(self.output_tokens, late(|late| late.output_tokens)),
            cost_nanousd: sum(self.cost_nanousd, late_cost),
            cost_known: is_sum && self.cost_known && self.late.as_ref().is_none_or(|late| !late.cost_unknown),
        }
    }
}

/// How a trace says that its run ended: by its root span.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportedEnd {
    /// SUCCEEDED or FAILED.
    pub status: RunStatus,
    /// How long the root span took.
    pub duration_ms: u64,
    /// The span that is its parent in another process: should that one come, this was not the root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub awaits: Option<String>,
    /// A span of the parent's own process names that parent too: so it is traced, and will come once it has ended.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub will_come: bool,
    /// What the root span failed with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// When a span of the key that opened the run came last: what others send puts the end off to a time after that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard_at: Option<DateTime<Utc>>,
    /// Other spans whose parents are awaited: the first of them is the root should this one not be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<ReportedEnd>,
}

/// What came to a run after it was sealed. The run's own totals are as they were sealed; these come on top.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Late {
    /// How many addenda there are.
    pub addenda: u64,
    /// The trace of the last of them.
    pub trace_id: String,
    pub step_count: u64,
    pub llm_call_count: u64,
    pub tool_call_count: u64,
    pub input_tokens: u64,
    pub output_tokens: u64,
    pub cost_nanousd: u64,
    /// Whether nobody knows what a late call cost, or one gave way to what was sealed and tells of another use.
    #[serde(default)]
    pub cost_unknown: bool,
    /// What the receipt says, where an addendum has lowered the run's assurance.
    #[serde(default)]
    pub sealed_assurance: Option<Assurance>,
}

/// The filters of the list of runs; what is not set does not filter.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunFilter {
    pub state: Option<RunState>,
    pub status: Option<RunStatus>,
    /// risk_level is not NORMAL, or there is an incident, or a policy violation.
    pub risk: Option<bool>,
    pub risk_level: Option<RiskLevel>,
    pub agent_id: Option<String>,
    pub project_id: Option<String>,
    pub conversation_id: Option<String>,
    pub source: Option<RunSource>,
    pub provider_type: Option<String>,
    pub is_synthetic: Option<bool>,
    pub started_after: Option<DateTime<Utc>>,
    pub started_before: Option<DateTime<Utc>>,
    pub integrity_status: Option<IntegrityStatus>,
    pub evidence_health: Option<EvidenceHealth>,
    pub latency_bucket: Option<LatencyBucket>,
    pub assurance: Option<Assurance>,
    /// Only runs made with this key.
    pub key_id: Option<KeyId>,
}

/// What a start asks of a run that it names, to come after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ancestor {
    /// The key that opened it.
    pub key_id: KeyId,
    pub attempt: u64,
}

/// A LIVE run that nobody will end any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DueRun {
    pub tenant: TenantId,
    pub id: RunId,
    pub reason: DueReason,
    /// When it was to be sealed, where that was set; else when it was last heard of.
    pub since: DateTime<Utc>,
}

/// From when on a LIVE run is stalled, whether or not it calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stalls {
    pub now: DateTime<Utc>,
    /// Nothing was heard of it since then, or before.
    pub silent_since: DateTime<Utc>,
    /// What a run takes whose starter named nothing.
    pub expected_ms: u64,
    /// It goes on for longer than so many times the expected.
    pub factor: u64,
}

/// What a mark of runs that stall came to. There may be more of them where as many were found as one mark names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marked {
    pub found: u64,
    pub marked: u64,
}

/// How many runs a tenant has, for Overview.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunCounts {
    pub total: u64,
    pub live: u64,
    pub violated: u64,
}

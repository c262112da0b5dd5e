//! Logs: the raw truth, as it was recorded.
#![expect(missing_docs, reason = "the fields are named by spec 2 and 4; the structs say what they are")]

mod contents;
mod context;
mod step_key;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use proof::{
    hash::Hash,
    leaves::AuditRecord,
    records::StepRecord,
    run_ranges::RunRanges,
    words::{
        Action, ActorType, Asked, Assurance, AuditEntityType, AuditEventType, CostNote, EvidenceClass,
        IntegrityGrade, IntegrityState, IntegrityStatus, ReplayMode, StepKind, StepSource, StepStatus,
        TraceStatus,
    },
};

pub use self::{
    contents::{KeptText, RunTexts, StepTexts},
    context::{Actor, ExecutionContext},
    step_key::{KeyDigest, StepKey},
};
use crate::ids::{KeyId, LlmRunId, RunId, SystemRecordId, TenantId, TraceId};

proof::words! {
    /// How a call to a model ended.
    ExecutionStatus { Succeeded = "SUCCEEDED", Failed = "FAILED", Aborted = "ABORTED", Timeout = "TIMEOUT" }

    /// What happened to the system itself.
    SystemEventType { Startup = "STARTUP", Shutdown = "SHUTDOWN", Restart = "RESTART", Deploy = "DEPLOY",
        Migration = "MIGRATION", AuthChange = "AUTH_CHANGE", ConfigChange = "CONFIG_CHANGE", Error = "ERROR",
        HealthCheck = "HEALTH_CHECK" }

    /// Whom a system event concerns.
    SystemScope { Tenant = "TENANT", Installation = "INSTALLATION" }

    /// How bad a system event is.
    SystemSeverity { Info = "info", Warning = "warning", Error = "error", Critical = "critical" }

    /// Where a fact that Logs answers came from.
    Origin { System = "SYSTEM", Human = "HUMAN", Agent = "AGENT", Migration = "MIGRATION", Replay = "REPLAY" }
}

/// One trace: the chain of a run's steps as far as it has come.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    pub tenant: TenantId,
    pub id: TraceId,
    pub run_id: RunId,
    pub attempt: u64,
    /// The trace of a sealed run that this one adds late steps to.
    pub addendum_of: Option<TraceId>,
    pub agent_id: Option<String>,
    pub correlation_id: String,
    pub status: TraceStatus,
    pub abort_reason: Option<String>,
    pub schema_version: String,
    /// The caller's, after redaction, as text.
    pub metadata: Option<String>,
    /// Merkle root over the steps; set when it is sealed.
    pub root_hash: Option<Hash>,
    /// Hash of the last step; of the OPENED leaf where there is none.
    pub chain_head: Hash,
    /// The right edges of the record trees, so that sealing reads no steps.
    pub ranges: RunRanges,
    pub step_count: u64,
    pub refused_count: u64,
    /// How many verdicts of each action.
    pub tally: BTreeMap<Action, u64>,
    /// The tools used so far, sorted, once each: the first [`TOOLS`](crate::bounds::TOOLS) of them.
    pub tools_used: Vec<String>,
    /// It used more.
    pub tools_cut: bool,
    pub last_tool: Option<String>,
    /// Steps that failed.
    pub failure_count: u64,
    /// False once the cost of any of its calls was not known.
    pub cost_known: bool,
    /// How many activity records (class B) the steps so far call for.
    pub expected_activity: u64,
    /// How many provider records (class G) the steps so far call for.
    pub expected_provider: u64,
    /// The last step's; it never goes back.
    pub last_recorded_at: Option<DateTime<Utc>>,
    pub replay_mode: Option<ReplayMode>,
    pub started_at: DateTime<Utc>,
    pub completed_at: Option<DateTime<Utc>>,
    pub archived_at: Option<DateTime<Utc>>,
    /// Once set, the row is never updated again.
    pub sealed_leaf_index: Option<u64>,
    pub opened_leaf_index: u64,
}

/// The key under which a span is recorded whose id another key had reported another span by: `reporter` is who says
/// this one. Every other span is recorded under its id.
#[must_use]
pub fn contested_span(span_id: &str, reporter: Option<&str>) -> String {
    format!("{span_id}@{}", reporter.unwrap_or_default())
}

/// A stored step, with the hash of the bytes that are stored of it.
#[derive(Clone, Debug, PartialEq)]
pub struct StepRow {
    pub record: StepRecord,
    /// It was told by a trace: nobody asked.
    pub reported: bool,
    pub step_hash: Hash,
}

impl StepRow {
    /// A step with the hash of what is stored of it. Who was only told of it by a trace asked nobody.
    #[must_use]
    pub fn new(record: StepRecord, step_hash: Hash) -> Self {
        Self { reported: record.source == StepSource::External, record, step_hash }
    }

    /// What it leaves of its run's assurance.
    #[must_use]
    pub const fn assurance(&self) -> Assurance {
        match (self.reported, self.record.asked) {
            (true, _) => Assurance::Reported,
            (false, Asked::After) => Assurance::Recorded,
            (false, Asked::Before) => Assurance::Enforced,
        }
    }
}

/// A stored entry of the Audit Ledger, with its place in the log.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEntry {
    pub record: AuditRecord,
    pub leaf_index: u64,
    pub leaf_hash: Hash,
}

/// The filters of the Audit Ledger's list; what is not set does not filter.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AuditFilter {
    pub event_type: Option<AuditEventType>,
    pub entity_type: Option<AuditEntityType>,
    pub actor_type: Option<ActorType>,
    pub entity_id: Option<String>,
    pub run_id: Option<RunId>,
    pub created_after: Option<DateTime<Utc>>,
    pub created_before: Option<DateTime<Utc>>,
}

/// A step, as far as the tree of its run asks ([`proof::tally`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeStep {
    pub run_id: RunId,
    pub step_index: u64,
    pub kind: StepKind,
    pub skill_name: String,
    pub provider: Option<String>,
    pub model: Option<String>,
    pub model_requested: Option<String>,
    pub input_tokens: u64,
    pub output_tokens: u64,
    pub cost_nanousd: u64,
    pub cost_known: bool,
    pub cost_note: Option<CostNote>,
    /// Its caller says that it failed.
    pub failed: bool,
    pub recorded_at: DateTime<Utc>,
    pub external_span_id: Option<String>,
    pub external_parent_span_id: Option<String>,
    pub reported_by: Option<KeyId>,
    /// The step with which it was known that it does not count, where it does not.
    pub told_by_index: Option<u64>,
}

/// A step whose use and call do not count, for another tells of the same. Written once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uncounted {
    pub tenant: TenantId,
    pub run_id: RunId,
    pub step_index: u64,
    /// The step with which that was known.
    pub told_by_index: u64,
    /// It tells something that is left out by what tells of it, or it came late and tells of another use than what
    /// counts: what all of it cost is not known.
    pub in_doubt: bool,
    pub created_at: DateTime<Utc>,
}

/// One call to a model. Written once.
#[derive(Clone, Debug, PartialEq)]
pub struct LlmRunRecord {
    pub tenant: TenantId,
    pub id: LlmRunId,
    pub run_id: RunId,
    pub trace_id: TraceId,
    pub step_index: u64,
    pub provider: Option<String>,
    pub model: Option<String>,
    pub prompt_hash: Option<Hash>,
    pub response_hash: Option<Hash>,
    pub input_tokens: u64,
    pub output_tokens: u64,
    pub cache_read_tokens: u64,
    pub cache_write_tokens: u64,
    pub reasoning_tokens: u64,
    pub cost_nanousd: u64,
    pub cost_known: bool,
    /// Why it is not known, or not to be trusted.
    pub cost_note: Option<CostNote>,
    /// By which price book the cost is; none where the caller said it.
    pub price_book: Option<String>,
    pub execution_status: ExecutionStatus,
    pub started_at: DateTime<Utc>,
    pub completed_at: Option<DateTime<Utc>>,
    pub source: StepSource,
    pub is_synthetic: bool,
    pub synthetic_scenario_id: Option<String>,
    pub created_at: DateTime<Utc>,
}

/// The filters of the list of calls to models; what is not set does not filter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LlmRunFilter {
    pub run_id: Option<RunId>,
    pub provider: Option<String>,
    pub model: Option<String>,
    pub execution_status: Option<ExecutionStatus>,
    pub is_synthetic: Option<bool>,
    pub created_after: Option<DateTime<Utc>>,
    pub created_before: Option<DateTime<Utc>>,
}

impl ExecutionStatus {
    /// How the call of a step ended: as its caller said, whatever the verdict made of it. A call that was refused after
    /// it was done has been made.
    #[must_use]
    pub fn of(step: &StepRecord) -> Self {
        let code = step.outcome_code.as_deref().unwrap_or_default();
        match step.reported_status.unwrap_or(step.status) {
            StepStatus::Success | StepStatus::Skipped => Self::Succeeded,
            StepStatus::Refused => Self::Aborted,
            StepStatus::Failure | StepStatus::Retry if code.to_ascii_lowercase().contains("timeout") => {
                Self::Timeout
            }
            StepStatus::Failure | StepStatus::Retry => Self::Failed,
        }
    }
}

/// What happened to the system itself. Written once.
#[derive(Clone, Debug, PartialEq)]
pub struct SystemRecord {
    /// `TenantId::INSTALLATION` for what concerns no tenant.
    pub tenant: TenantId,
    pub id: SystemRecordId,
    pub component: String,
    pub event_type: SystemEventType,
    pub severity: SystemSeverity,
    pub summary: String,
    /// Canonical JSON.
    pub details: Option<String>,
    pub caused_by: Option<String>,
    pub correlation_id: Option<String>,
    pub created_at: DateTime<Utc>,
}

impl SystemRecord {
    /// Whom it concerns.
    #[must_use]
    pub fn scope(&self) -> SystemScope {
        if self.tenant == TenantId::INSTALLATION { SystemScope::Installation } else { SystemScope::Tenant }
    }
}

/// The filters of the list of system records; what is not set does not filter.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SystemFilter {
    pub component: Option<String>,
    pub event_type: Option<SystemEventType>,
    pub severity: Option<SystemSeverity>,
    pub correlation_id: Option<String>,
    pub created_after: Option<DateTime<Utc>>,
    pub created_before: Option<DateTime<Utc>>,
}

/// How many records of each class of evidence there are.
pub type ClassCounts = BTreeMap<EvidenceClass, u64>;

/// What the integrity assembler found about a run, in the caller's transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IntegrityFacts {
    pub expected: ClassCounts,
    pub observed: ClassCounts,
    /// Failed captures that are still unresolved and would pass if tried again.
    pub transient_failures: ClassCounts,
    /// Failed captures that are still unresolved and never will pass.
    pub permanent_failures: ClassCounts,
    /// Verdicts that were given while nothing could be recorded.
    pub gaps: u64,
}

/// What the integrity evaluator makes of the facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntegrityEvaluation {
    pub score_permille: u64,
    pub state: IntegrityState,
    pub grade: IntegrityGrade,
    pub integrity_status: IntegrityStatus,
    pub missing: Vec<EvidenceClass>,
    /// Why each class is missing.
    pub missing_reasons: BTreeMap<EvidenceClass, String>,
    pub explanation: String,
}

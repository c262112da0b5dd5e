//! Every record that a run's receipt covers, field by field.
//!
//! A record is hashed as the RFC 8785 bytes of its JSON. It holds strings, booleans, null, arrays, objects
//! and integers up to 2^53 only; JSON that a caller gave is kept as text. Each begins with its type, tenant
//! and run, so that none can be moved to another place. Records refer to each other by hash.
//!
//! Times are RFC 3339 UTC with six decimals; money is nano-USD; ids are prefixed as on the wire; hashes
//! are lower-case hex.
#![expect(missing_docs, reason = "the fields are named by spec 2 and 4; the structs say what they are")]

mod line;
mod policies;

use serde::{Deserialize, Serialize};

use crate::{
    contents::Content,
    words::{
        ActorType, Asked, Assurance, CaptureFailureReason, CauseType, CostNote, EvidenceClass,
        FailureResolution, IncidentCategory, IncidentRelation, IntegrityGrade, IntegrityState,
        IntegrityStatus, InterventionKind, InterventionTarget, OutcomeCategory, PermitNote, ReplayBehavior,
        ReplayMode, RunSource, RunStatus, Severity, StepKind, StepLevel, StepSource, StepStatus,
        TerminationReason, WayIn,
    },
};

pub use self::{
    line::{Line, LineHead},
    policies::{BreachRecord, DecisionRecord, EnforcementRecord, PreventionRecord},
};

/// One record under a receipt. The tag is type and version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
#[expect(
    clippy::large_enum_variant,
    reason = "of steps there are most, with their decisions: the others pay for them"
)]
pub enum Record {
    #[serde(rename = "hoc/run/v1")]
    Run(RunRecord),
    #[serde(rename = "hoc/step/v1")]
    Step(StepRecord),
    #[serde(rename = "hoc/environment-evidence/v1")]
    Environment(EnvironmentRecord),
    #[serde(rename = "hoc/activity-evidence/v1")]
    Activity(ActivityRecord),
    #[serde(rename = "hoc/provider-evidence/v1")]
    Provider(ProviderRecord),
    #[serde(rename = "hoc/integrity-evidence/v1")]
    Integrity(IntegrityRecord),
    #[serde(rename = "hoc/capture-failure/v1")]
    CaptureFailure(CaptureFailureRecord),
    #[serde(rename = "hoc/gap/v1")]
    Gap(GapRecord),
    #[serde(rename = "hoc/policy-decision/v1")]
    Decision(DecisionRecord),
    #[serde(rename = "hoc/policy-enforcement/v1")]
    Enforcement(EnforcementRecord),
    #[serde(rename = "hoc/prevention-record/v1")]
    Prevention(PreventionRecord),
    #[serde(rename = "hoc/limit-breach/v1")]
    Breach(BreachRecord),
    #[serde(rename = "hoc/incident/v1")]
    Incident(IncidentRecord),
    #[serde(rename = "hoc/intervention/v1")]
    Intervention(InterventionRecord),
}

crate::words! {
    /// The kinds of sealed record, in the order in which the receipt lists them.
    RecordKind { Activity = "activity_evidence", Breach = "limit_breaches", CaptureFailure = "capture_failures",
        Decision = "policy_decisions", Enforcement = "policy_enforcements", Environment = "environment_evidence",
        Gap = "gaps", Incident = "incidents", Integrity = "integrity_evidence", Intervention = "interventions", Prevention = "prevention_records",
        Provider = "provider_evidence", Run = "run", Step = "steps" }
}

impl Record {
    /// The kind under which the receipt counts it.
    #[must_use]
    pub const fn kind(&self) -> RecordKind {
        match self {
            Self::Run(_) => RecordKind::Run,
            Self::Step(_) => RecordKind::Step,
            Self::Environment(_) => RecordKind::Environment,
            Self::Activity(_) => RecordKind::Activity,
            Self::Provider(_) => RecordKind::Provider,
            Self::Integrity(_) => RecordKind::Integrity,
            Self::CaptureFailure(_) => RecordKind::CaptureFailure,
            Self::Gap(_) => RecordKind::Gap,
            Self::Decision(_) => RecordKind::Decision,
            Self::Enforcement(_) => RecordKind::Enforcement,
            Self::Prevention(_) => RecordKind::Prevention,
            Self::Breach(_) => RecordKind::Breach,
            Self::Incident(_) => RecordKind::Incident,
            Self::Intervention(_) => RecordKind::Intervention,
        }
    }
}

/// The run as it was at sealing (class A).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunRecord {
    pub tenant_id: String,
    pub run_id: String,
    pub trace_id: String,
    pub agent_id: String,
    pub project_id: Option<String>,
    pub actor_type: ActorType,
    pub actor_id: Option<String>,
    pub goal: Option<String>,
    pub source: RunSource,
    pub provider_type: Option<String>,
    pub parent_run_id: Option<String>,
    pub attempt: u64,
    pub replay_of: Option<String>,
    pub replay_mode: Option<ReplayMode>,
    pub is_synthetic: bool,
    pub synthetic_scenario_id: Option<String>,
    pub correlation_id: String,
    /// The key whose call opened it. None where no key did, but somebody who has the store itself.
    pub opened_by: Option<String>,
    pub external_trace_id: Option<String>,
    pub conversation_id: Option<String>,
    pub session_id: Option<String>,
    pub user_id: Option<String>,
    pub idempotency_key: Option<String>,
    /// Keyed hash of the start request.
    pub request_hash: Option<String>,
    /// The caller's metadata, as text.
    pub metadata: Option<String>,
    pub assurance: Assurance,
    pub snapshot_digest: String,
    pub status: RunStatus,
    pub termination_reason: Option<TerminationReason>,
    pub error_message: Option<String>,
    pub started_at: String,
    pub completed_at: String,
    pub duration_ms: u64,
    pub expected_latency_ms: Option<u64>,
    pub step_count: u64,
    pub refused_count: u64,
    /// Steps, refused ones included, that were only told after they had been done.
    pub unasked_count: u64,
    pub llm_call_count: u64,
    pub tool_call_count: u64,
    pub input_tokens: u64,
    pub output_tokens: u64,
    pub cost_nanousd: u64,
}

/// One step (class T). Its hash is the hash of this record, `prev_hash` included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepRecord {
    pub tenant_id: String,
    pub run_id: String,
    pub trace_id: String,
    pub step_index: u64,
    pub parent_step_index: Option<u64>,
    pub kind: StepKind,
    pub skill_name: String,
    /// The caller's parameters after redaction.
    pub params: Option<Content>,
    pub status: StepStatus,
    /// Whether leave was asked before it was done. What was refused after it was done has a
    /// `reported_status`.
    pub asked: Asked,
    /// What its caller said of it, whatever the verdict made of it. None of a refused permit: nothing was done.
    pub reported_status: Option<StepStatus>,
    /// As reported; REFUSED of a refused permit.
    pub outcome_category: OutcomeCategory,
    pub outcome_code: Option<String>,
    /// The caller's outcome data after redaction.
    pub outcome_data: Option<Content>,
    pub prompt: Option<Content>,
    pub response: Option<Content>,
    pub finish_reason: Option<String>,
    pub provider: Option<String>,
    /// The model that answered, as its provider names it.
    pub model: Option<String>,
    /// The model that was asked for, where it has another name than the one that answered.
    pub model_requested: Option<String>,
    pub input_tokens: u64,
    pub output_tokens: u64,
    pub cache_read_tokens: u64,
    /// What was written to the provider's cache, within those that went in.
    pub cache_write_tokens: u64,
    pub reasoning_tokens: u64,
    pub cost_nanousd: u64,
    pub cost_known: bool,
    /// Why the cost is not known, or not to be trusted.
    pub cost_note: Option<CostNote>,
    pub duration_ms: u64,
    pub retry_count: u64,
    pub started_at: Option<String>,
    pub recorded_at: String,
    pub level: StepLevel,
    pub source: StepSource,
    /// The key whose call reported it. None where no key did, but somebody who has the store itself.
    pub reported_by: Option<String>,
    pub external_span_id: Option<String>,
    pub external_parent_span_id: Option<String>,
    pub idempotency_key: Option<String>,
    /// Keyed hash of the request, for the comparison of repeats.
    pub request_hash: Option<String>,
    pub replay_behavior: Option<ReplayBehavior>,
    /// Keyed hash of the parameters and the prompt, after redaction: no salt parts those of two runs.
    pub input_hash: String,
    /// The same of the outcome data and the response.
    pub output_hash: String,
    /// The same of the parameters alone, and of the outcome data alone: what `determinism_hash` covers of them.
    pub params_hash: Option<String>,
    pub outcome_hash: Option<String>,
    /// The permit under which the step ran, if one did, and its record's hash.
    pub permit_id: Option<String>,
    /// Why the permit that its caller named did not serve; or, of a step that was asked for before, that its record was
    /// lost.
    pub permit_note: Option<PermitNote>,
    /// The decision that gave this step's verdict. Always there in an ENFORCED run.
    pub decision_id: Option<String>,
    /// Hash of the decision made before the act (the permit's, or the refusal's).
    pub pre_decision_hash: Option<String>,
    /// Hash of the decision made on the result.
    pub post_decision_hash: Option<String>,
    pub activity_hash: Option<String>,
    pub provider_hash: Option<String>,
    /// The run as the step left it: canonical JSON of [`RunAfter`].
    pub run_after: String,
    pub determinism_hash: String,
    pub prev_hash: String,
}

/// The running totals after a step, so that the chain proves them and a repeated call gets the same answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunAfter {
    pub cost_nanousd: u64,
    pub input_tokens: u64,
    pub output_tokens: u64,
    pub refused_count: u64,
    pub status: RunStatus,
    pub step_count: u64,
}

/// What a determinism hash covers: no times, no costs (spec 4, replay parity).
#[derive(Clone, Debug, Serialize)]
pub struct DeterminismRecord<'a> {
    pub outcome_category: OutcomeCategory,
    pub outcome_code: Option<&'a str>,
    pub outcome_hash: Option<&'a str>,
    pub params_hash: Option<&'a str>,
    pub retry_count: u64,
    pub skill_name: &'a str,
    pub status: StepStatus,
}

/// What surrounded the run when it began (class H).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnvironmentRecord {
    pub tenant_id: String,
    pub run_id: String,
    pub evidence_id: String,
    pub sdk_name: Option<String>,
    pub sdk_version: Option<String>,
    pub environment: Option<String>,
    pub telemetry: Option<String>,
    /// The caller's environment after redaction, as text.
    pub details: Option<String>,
    /// By which way the run came in: with the next two, what the server saw itself, whatever the caller says.
    pub way_in: WayIn,
    /// What the request that began the run named as its program, after redaction. None where it named none.
    pub user_agent: Option<String>,
    /// The version of HOC that began it.
    pub hoc_version: String,
    pub captured_at: String,
}

/// What went in and out of one step, as fingerprints (class B).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActivityRecord {
    pub tenant_id: String,
    pub run_id: String,
    pub evidence_id: String,
    /// Position among the run's records of this kind.
    pub seq: u64,
    pub step_index: u64,
    /// Keyed hashes of what is kept of both.
    pub prompt_hash: Option<String>,
    pub response_hash: Option<String>,
    pub prompt_length: u64,
    pub response_length: u64,
    pub model: Option<String>,
    /// What the redactor found, comma separated and sorted: PII classes and secret kinds.
    pub sensitivity: String,
    /// How many values the redactor removed.
    pub redacted_count: u64,
    pub redaction_version: u64,
    /// Keyed commitment to the raw input and output, and the key's id.
    pub commitment: String,
    pub commitment_key_id: String,
    pub captured_at: String,
}

/// What the model provider answered (class G).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderRecord {
    pub tenant_id: String,
    pub run_id: String,
    pub evidence_id: String,
    pub seq: u64,
    pub step_index: u64,
    pub provider: Option<String>,
    pub model: Option<String>,
    pub request_id: Option<String>,
    pub input_tokens: u64,
    pub output_tokens: u64,
    pub cache_read_tokens: u64,
    /// What was written to the provider's cache, within those that went in.
    pub cache_write_tokens: u64,
    pub reasoning_tokens: u64,
    pub latency_ms: u64,
    pub finish_reason: Option<String>,
    pub http_status: Option<u64>,
    pub error: Option<String>,
    pub captured_at: String,
}

/// How whole the run's evidence is (class J), written once at sealing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IntegrityRecord {
    pub tenant_id: String,
    pub run_id: String,
    pub evidence_id: String,
    /// Canonical JSON: count by class.
    pub expected: String,
    pub observed: String,
    /// Classes that are missing, comma separated, and canonical JSON of why each is.
    pub missing: String,
    pub missing_reasons: String,
    pub capture_failures: u64,
    /// Observed / expected, in thousandths.
    pub score_permille: u64,
    pub state: IntegrityState,
    pub grade: IntegrityGrade,
    pub integrity_status: IntegrityStatus,
    pub explanation: String,
    pub computed_at: String,
}

/// An evidence capture that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaptureFailureRecord {
    pub tenant_id: String,
    pub run_id: String,
    pub failure_id: String,
    pub seq: u64,
    pub step_index: Option<u64>,
    pub evidence_class: EvidenceClass,
    pub reason: CaptureFailureReason,
    pub resolution: FailureResolution,
    pub error_message: String,
    pub failed_at: String,
}

/// A call that was answered while the store was down, in a tenant that chose to go on, and recorded later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GapRecord {
    pub tenant_id: String,
    pub run_id: String,
    pub gap_id: String,
    pub seq: u64,
    /// What its caller was told.
    pub decision_id: String,
    /// The step that it counts as. None for a permit.
    pub step_index: Option<u64>,
    /// The permit that was granted, or under which the step was done, whether or not the store has it.
    pub permit_id: Option<String>,
    pub answered_at: String,
    pub recorded_at: String,
}

/// An incident that the run opened, or joined: the incident as it was when it was opened, and what this run did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IncidentRecord {
    pub tenant_id: String,
    pub run_id: String,
    pub incident_id: String,
    pub seq: u64,
    /// SOURCE: this run opened it. AFFECTED: it was open, and this run joined it.
    pub relation: IncidentRelation,
    pub title: String,
    pub category: IncidentCategory,
    pub severity: Severity,
    pub cause_type: CauseType,
    pub cause_key: String,
    /// The step of this run at which it met the cause first.
    pub step_index: Option<u64>,
    pub policy_id: Option<String>,
    pub limit_id: Option<String>,
    pub description: String,
    pub error_code: Option<String>,
    /// What that cost.
    pub cost_impact_nanousd: u64,
    pub recurrence_signature: String,
    /// What is said of it in this run, such as `refused after it was done`; null where nothing is.
    pub note: Option<String>,
    pub is_synthetic: bool,
    /// When the incident was opened: by this run, or by the one that met its cause first.
    pub opened_at: String,
    /// When this run met the cause first.
    pub first_at: String,
}

/// What a decision says of the intervention that it met.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intervened {
    pub actor_id: Option<String>,
    pub actor_type: ActorType,
    pub intervention_id: String,
    pub kind: InterventionKind,
    pub reason: Option<String>,
}

/// A kill or freeze by a person, as it met the run: once, however many steps it refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InterventionRecord {
    pub tenant_id: String,
    pub run_id: String,
    pub intervention_id: String,
    pub seq: u64,
    pub kind: InterventionKind,
    pub target_type: InterventionTarget,
    /// The run or the agent; none for the whole tenant.
    pub target_id: Option<String>,
    pub actor_type: ActorType,
    pub actor_id: Option<String>,
    pub reason: Option<String>,
    pub requested_at: String,
    /// Hash of the first decision that it made.
    pub decision_hash: String,
    pub effective_at: String,
}

impl InterventionRecord {
    /// What each decision says that met it.
    #[must_use]
    pub fn intervened(&self) -> Intervened {
        Intervened {
            actor_id: self.actor_id.clone(),
            actor_type: self.actor_type,
            intervention_id: self.intervention_id.clone(),
            kind: self.kind,
            reason: self.reason.clone(),
        }
    }
}

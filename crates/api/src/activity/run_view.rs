//! A run, as it is written.

use models::activity::{Run, RunState};
use serde::Serialize;
use utoipa::ToSchema;

use crate::view::{Kept, Number, Time, VerdictView, words};

/// A run, as it stands now.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Run)]
pub(crate) struct RunView {
    run_id: String,
    trace_id: String,
    agent_id: String,
    project_id: Option<String>,
    actor: ActorView,
    goal: Option<String>,
    #[schema(value_type = words::RunSource)]
    source: &'static str,
    provider_type: Option<String>,
    parent_run_id: Option<String>,
    attempt: u64,
    replay_of: Option<String>,
    #[schema(value_type = Option<words::ReplayMode>)]
    replay_mode: Option<&'static str>,
    #[schema(value_type = words::RunStatus)]
    status: &'static str,
    #[schema(value_type = words::RunState)]
    state: &'static str,
    #[schema(value_type = Option<words::TerminationReason>)]
    termination_reason: Option<&'static str>,
    /// The STOP, KILL or ABORT that ended it.
    #[schema(value_type = Option<words::Action>)]
    halt_action: Option<&'static str>,
    error_message: Option<String>,
    started_at: Time,
    last_seen_at: Time,
    completed_at: Option<Time>,
    /// From its start to its end by HOC's clock; of a run that is a trace, as its root span tells.
    duration_ms: Option<u64>,
    expected_latency_ms: Option<u64>,
    /// The rules and limits that bind it.
    policy_snapshot_id: String,
    policy_snapshot_digest: String,
    /// ENFORCED: each step had a permit that served before it was done, or is a refused permit. RECORDED: each was
    /// decided before it counted, and `unasked_count` of them were only told after they had been done. REPORTED: told
    /// by a trace, or with a gap. With what came after it was sealed.
    #[schema(value_type = words::Assurance)]
    assurance: &'static str,
    /// As its receipt says, whatever came later. Null until it is sealed.
    #[schema(value_type = Option<words::Assurance>)]
    sealed_assurance: Option<&'static str>,
    /// Steps that count; refused ones do not.
    step_count: u64,
    refused_count: u64,
    /// Steps, refused ones included, that were only told after they had been done.
    unasked_count: u64,
    llm_call_count: u64,
    tool_call_count: u64,
    /// At most 2^53: that is so many, or more.
    input_tokens: u64,
    /// At most 2^53: that is so many, or more.
    output_tokens: u64,
    cost_usd: Number,
    /// False where what a model call cost is unknown, a span that is told by others tells more tokens than they do, or
    /// the sum is more than the largest that is told, 9007199.254740992: then `cost_usd` is only what is known of it.
    cost_known: bool,
    correlation_id: String,
    /// The key whose call opened it, which alone can end it. Null where somebody did who has the store itself.
    opened_by: Option<String>,
    external_trace_id: Option<String>,
    /// What it is a part of, as its start or its spans say: the conversation, or the session where they name no other.
    conversation_id: Option<String>,
    session_id: Option<String>,
    /// Whom it is for, as its spans say.
    user_id: Option<String>,
    #[schema(value_type = serde_json::Value)]
    metadata: Option<Kept>,
    is_synthetic: bool,
    synthetic_scenario_id: Option<String>,
    #[schema(value_type = words::RiskLevel)]
    risk_level: &'static str,
    #[schema(value_type = words::LatencyBucket)]
    latency_bucket: &'static str,
    #[schema(value_type = words::EvidenceHealth)]
    evidence_health: &'static str,
    #[schema(value_type = words::IntegrityStatus)]
    integrity_status: &'static str,
    incident_count: u64,
    policy_violation: bool,
    policy_draft_count: u64,
    /// What came after it was sealed, which the counts above include. Null where nothing did.
    late: Option<LateView>,
}

/// What came to a run after it was sealed.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = LateOfRun)]
struct LateView {
    /// How many addenda it has, each with a leaf of its own in the run log.
    addenda: u64,
    step_count: u64,
    input_tokens: u64,
    output_tokens: u64,
    cost_usd: Number,
    /// False where the cost of one of them is not known, or one gave way to what was sealed and told of another use:
    /// then `cost_usd` is only what is known of it.
    cost_known: bool,
}

/// Who drives a run.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = ActorOfRun)]
struct ActorView {
    #[serde(rename = "type")]
    #[schema(value_type = words::ActorType)]
    kind: &'static str,
    id: Option<String>,
}

impl From<Run> for RunView {
    fn from(run: Run) -> Self {
        let totals = run.totals();
        let sealed = (run.state == RunState::Completed).then(|| run.sealed_assurance().as_str());
        Self {
            run_id: run.id.to_string(),
            trace_id: run.trace_id.to_string(),
            agent_id: run.agent_id,
            project_id: run.project_id,
            actor: ActorView { kind: run.actor_type.as_str(), id: run.actor_id },
            goal: run.goal,
            source: run.source.as_str(),
            provider_type: run.provider_type,
            parent_run_id: run.parent_run_id.map(|id| id.to_string()),
            attempt: run.attempt,
            replay_of: run.replay_of.map(|id| id.to_string()),
            replay_mode: run.replay_mode.map(|mode| mode.as_str()),
            status: run.status.as_str(),
            state: run.state.as_str(),
            termination_reason: run.termination_reason.map(|reason| reason.as_str()),
            halt_action: run.halt_action.map(|action| action.as_str()),
            error_message: run.error_message,
            started_at: run.started_at.into(),
            last_seen_at: run.last_seen_at.into(),
            completed_at: run.completed_at.map(Time),
            duration_ms: run.duration_ms,
            expected_latency_ms: run.expected_latency_ms,
            policy_snapshot_id: run.snapshot_id.to_string(),
            policy_snapshot_digest: run.snapshot_digest.to_string(),
            assurance: run.assurance.as_str(),
            sealed_assurance: sealed,
            step_count: totals.step_count,
            refused_count: run.refused_count,
            unasked_count: run.unasked_count,
            llm_call_count: totals.llm_call_count,
            tool_call_count: totals.tool_call_count,
            input_tokens: totals.input_tokens,
            output_tokens: totals.output_tokens,
            cost_usd: Number::usd(totals.cost_nanousd),
            cost_known: totals.cost_known,
            correlation_id: run.correlation_id,
            opened_by: run.key_id.real().map(|key| key.to_string()),
            external_trace_id: run.external_trace_id,
            conversation_id: run.conversation_id,
            session_id: run.session_id,
            user_id: run.user_id,
            metadata: run.metadata.map(Kept::from),
            is_synthetic: run.is_synthetic,
            synthetic_scenario_id: run.synthetic_scenario_id,
            risk_level: run.risk_level.as_str(),
            latency_bucket: run.latency_bucket.as_str(),
            evidence_health: run.evidence_health.as_str(),
            integrity_status: run.integrity_status.as_str(),
            incident_count: run.incident_count,
            policy_violation: run.policy_violation,
            policy_draft_count: run.policy_draft_count,
            late: run.late.map(|late| LateView {
                addenda: late.addenda,
                step_count: late.step_count,
                input_tokens: late.input_tokens,
                output_tokens: late.output_tokens,
                cost_usd: Number::usd(late.cost_nanousd),
                cost_known: !late.cost_unknown,
            }),
        }
    }
}

/// A run that began, and the verdict of RUN_START.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = StartedRun)]
pub(crate) struct StartedView {
    #[serde(flatten)]
    run: RunView,
    verdict: VerdictView,
}

impl From<orchestrator::handlers::activity::Started> for StartedView {
    fn from(started: orchestrator::handlers::activity::Started) -> Self {
        Self { run: started.run.into(), verdict: started.verdict.into() }
    }
}

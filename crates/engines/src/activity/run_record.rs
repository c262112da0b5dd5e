//! The run as its receipt covers it.

use models::activity::Run;
use proof::records::RunRecord;

/// The sealed record of a run; `None` while it goes on. It holds nothing that may change after sealing.
#[must_use]
pub fn run_record(run: &Run) -> Option<RunRecord> {
    Some(RunRecord {
        tenant_id: run.tenant.to_string(),
        run_id: run.id.to_string(),
        trace_id: run.trace_id.to_string(),
        agent_id: run.agent_id.clone(),
        project_id: run.project_id.clone(),
        actor_type: run.actor_type,
        actor_id: run.actor_id.clone(),
        goal: run.goal.clone(),
        source: run.source,
        provider_type: run.provider_type.clone(),
        parent_run_id: run.parent_run_id.map(|id| id.to_string()),
        attempt: run.attempt,
        replay_of: run.replay_of.map(|id| id.to_string()),
        replay_mode: run.replay_mode,
        is_synthetic: run.is_synthetic,
        synthetic_scenario_id: run.synthetic_scenario_id.clone(),
        correlation_id: run.correlation_id.clone(),
        opened_by: run.key_id.real().map(|key| key.to_string()),
        external_trace_id: run.external_trace_id.clone(),
        conversation_id: run.conversation_id.clone(),
        session_id: run.session_id.clone(),
        user_id: run.user_id.clone(),
        idempotency_key: run.idempotency_key.clone(),
        request_hash: run.request_hash.map(|hash| hash.to_string()),
        metadata: run.metadata.clone(),
        assurance: run.sealed_assurance(),
        snapshot_digest: run.snapshot_digest.to_string(),
        status: run.status,
        termination_reason: run.termination_reason,
        error_message: run.error_message.clone(),
        started_at: models::time::text(run.started_at),
        completed_at: models::time::text(run.completed_at?),
        duration_ms: run.duration_ms?,
        expected_latency_ms: run.expected_latency_ms,
        step_count: run.step_count,
        refused_count: run.refused_count,
        unasked_count: run.unasked_count,
        llm_call_count: run.llm_call_count,
        tool_call_count: run.tool_call_count,
        input_tokens: run.input_tokens,
        output_tokens: run.output_tokens,
        cost_nanousd: run.cost_nanousd,
    })
}

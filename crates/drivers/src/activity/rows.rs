//! Runs as rows.

use entities::activity::runs;
use models::activity::{Run, RunVersion};

use crate::{StoreError, rows::rows};

rows! {
    Run, runs, key(id), fn to_row(run), fn from_row,
    same {
        id, trace_id, agent_id, project_id, actor_type, actor_id, goal, source, provider_type, parent_run_id, attempt,
        replay_of, replay_mode, status, state, termination_reason, halt_action, error_message, started_at,
        last_seen_at, completed_at, duration_ms, expected_latency_ms, seal_due_at, snapshot_id, snapshot_digest,
        assurance, step_count, refused_count, unasked_count, llm_call_count, tool_call_count, input_tokens, output_tokens,
        cost_nanousd, cost_known, correlation_id, external_trace_id, idempotency_key, request_hash, metadata, labels,
        is_synthetic,
        synthetic_scenario_id, risk_level, latency_bucket, evidence_health, integrity_status, incident_count,
        policy_violation, policy_draft_count, key_id, created_at, reported_end, late, conversation_id,
        session_id, user_id,
    } renamed { tenant => tenant_id }
    extra {
        // Only who could not seal it writes that.
        seal_retry_at = None::<chrono::DateTime<chrono::Utc>>,
        // What `version` says of one that is added.
        version = RunVersion::first(run.id).count,
        version_mark = RunVersion::first(run.id).mark,
    }
}

/// A run as its row says it.
pub(crate) fn read_run(row: runs::Model) -> Result<Run, StoreError> {
    from_row(row)
}

//! A gap that comes to a sealed run lowers its assurance: of what the receipt covers, the one column that may change.
//!
//! What the receipt says is kept in `late`, and the run's record is hashed with that.

use crate::{
    dialect::Dialect,
    protect::{self, changes},
};

/// The columns that a receipt covers, or that say whose the run is, but for its assurance.
const SEALED: &[&str] = &[
    "tenant_id",
    "id",
    "trace_id",
    "agent_id",
    "project_id",
    "actor_type",
    "actor_id",
    "goal",
    "source",
    "provider_type",
    "parent_run_id",
    "attempt",
    "replay_of",
    "replay_mode",
    "status",
    "state",
    "termination_reason",
    "halt_action",
    "error_message",
    "started_at",
    "last_seen_at",
    "completed_at",
    "duration_ms",
    "expected_latency_ms",
    "seal_due_at",
    "snapshot_id",
    "snapshot_digest",
    "step_count",
    "refused_count",
    "llm_call_count",
    "tool_call_count",
    "input_tokens",
    "output_tokens",
    "cost_microusd",
    "correlation_id",
    "external_trace_id",
    "idempotency_key",
    "request_hash",
    "metadata",
    "is_synthetic",
    "synthetic_scenario_id",
    "key_id",
    "created_at",
];

pub(crate) fn statements(d: Dialect) -> Vec<String> {
    protect::kept_unless_now(d, "runs", &refused())
}

/// The same trigger, where a table that it speaks of was changed and it had to go.
pub(crate) fn refused_again(d: Dialect) -> Vec<String> {
    let mut statements = protect::kept_unless_now(d, "runs", &refused());
    statements.remove(0);
    statements
}

pub(crate) fn refused() -> String {
    let raised = "(NEW.assurance <> OLD.assurance AND NEW.assurance <> 'REPORTED')";
    format!("OLD.state = 'COMPLETED' AND ({} OR {raised})", changes(SEALED))
}

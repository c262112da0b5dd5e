//! Runs.

use crate::{
    dialect::Dialect,
    protect::{self, changes},
    table::{self, columns_but, index, list_indexes, unique},
};

/// `labels` are as they were read when the run started: no step reads its metadata for them. `reported_end` is how a
/// traced run says that it ended; `late` is what was added to it after it was sealed. `version` is how often the row,
/// or the run's own trace, was written, and `version_mark` is drawn anew by each write: by both a server knows that
/// nobody has written the run since it did.
const RUNS: &str = r"
    tenant_id id
    id id
    trace_id id
    agent_id text
    project_id text?
    actor_type word(HUMAN, SYSTEM, AGENT)
    actor_id text?
    goal text?
    source word(agent, human, sdk, otlp)
    provider_type text?
    parent_run_id id?
    attempt count
    replay_of id?
    replay_mode word?(FULL, TRACE_ONLY)
    status word(RUNNING, SUCCEEDED, FAILED, HALTED, ABORTED)
    state word(LIVE, COMPLETED)
    termination_reason word?(completed, policy_block, budget_exceeded, rate_limited, timeout, system_failure, user_abort, abandoned)
    halt_action word?(STOP, KILL, ABORT)
    error_message text?
    started_at time
    last_seen_at time
    completed_at time?
    duration_ms count?
    expected_latency_ms count?
    seal_due_at time?
    snapshot_id id
    snapshot_digest hash
    assurance word(ENFORCED, RECORDED, REPORTED)
    step_count count
    refused_count count
    llm_call_count count
    tool_call_count count
    input_tokens count
    output_tokens count
    cost_nanousd count
    correlation_id text
    external_trace_id text?
    idempotency_key text?
    request_hash hash?
    metadata text?
    is_synthetic bool
    synthetic_scenario_id text?
    risk_level word(NORMAL, NEAR_THRESHOLD, AT_RISK, VIOLATED)
    latency_bucket word(OK, SLOW, STALLED)
    evidence_health word(FLOWING, DEGRADED, MISSING)
    integrity_status word(UNKNOWN, VERIFIED, DEGRADED, FAILED)
    incident_count count
    policy_violation bool
    policy_draft_count count
    at_risk bool = risk_level <> 'NORMAL' OR incident_count > 0 OR policy_violation
    key_id id
    created_at time
    reported_end text?
    late text?
    cost_known bool
    labels text
    seal_retry_at time?
    unasked_count count
    conversation_id text?
    session_id text?
    user_id text?
    version count
    version_mark id
    PRIMARY KEY (tenant_id, id)
    CHECK (actor_type <> 'HUMAN' OR actor_id IS NOT NULL)
    CHECK (state = 'LIVE' OR (status <> 'RUNNING' AND completed_at IS NOT NULL))
    FOREIGN KEY (tenant_id, snapshot_id) REFERENCES policy_snapshots (tenant_id, id)
";

/// The filters of the list of runs.
const FILTERS: &[&str] = &[
    "state",
    "status",
    "at_risk",
    "risk_level",
    "agent_id",
    "project_id",
    "source",
    "provider_type",
    "is_synthetic",
    "integrity_status",
    "evidence_health",
    "latency_bucket",
    "assurance",
    "key_id",
    "conversation_id",
];

/// What may still change in a sealed run: not what it was, only how it stands, and what came late.
const LIVE_COLUMNS: &[&str] = &[
    "risk_level",
    "latency_bucket",
    "evidence_health",
    "integrity_status",
    "incident_count",
    "policy_violation",
    "policy_draft_count",
    "late",
    "assurance", // see `refused`
    "version",
    "version_mark",
];

pub(super) fn statements(d: Dialect) -> Vec<String> {
    [
        vec![
            // A row is written by every step of its run.
            table::create_busy(d, "runs", RUNS, 80),
            // The key of a start is its credential's own: another's is another key, and nobody learns of it.
            unique(
                "runs_idempotency_key",
                "runs (tenant_id, key_id, idempotency_key) WHERE idempotency_key IS NOT NULL",
            ),
            unique(
                "runs_external_trace_id",
                "runs (tenant_id, external_trace_id) WHERE external_trace_id IS NOT NULL",
            ),
            // For the job that seals what nobody ends, over all tenants. A query must say the word, not bind it.
            index("runs_live", "runs (started_at, tenant_id, id) WHERE state = 'LIVE'"),
        ],
        list_indexes("runs", "started_at", FILTERS),
        protect::kept_unless(d, "runs", &refused()),
        // Not in an open run either: its steps are judged by them.
        protect::kept_too(d, "runs", "labels", &changes(&["labels"])),
    ]
    .concat()
}

/// Of what a receipt covers, the assurance alone may change: a gap that comes to a sealed run lowers it. What the
/// receipt says is kept in `late`, and the run's record is hashed with that.
fn refused() -> String {
    let sealed = changes(&columns_but(RUNS, LIVE_COLUMNS));
    let raised = "(NEW.assurance <> OLD.assurance AND NEW.assurance <> 'REPORTED')";
    format!("OLD.state = 'COMPLETED' AND ({sealed} OR {raised})")
}

//! Runs.

use crate::{
    dialect::Dialect,
    protect::{self, changes},
    table::{self, columns_but, index, list_indexes, unique},
};

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
    assurance word(ENFORCED, REPORTED)
    step_count count
    refused_count count
    llm_call_count count
    tool_call_count count
    input_tokens count
    output_tokens count
    cost_microusd count
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
];

/// What may still change in a sealed run: not what it was, only how it stands.
const LIVE_COLUMNS: &[&str] = &[
    "risk_level",
    "latency_bucket",
    "evidence_health",
    "integrity_status",
    "incident_count",
    "policy_violation",
    "policy_draft_count",
];

pub(crate) fn statements(d: Dialect) -> Vec<String> {
    [
        vec![
            // A row is written by every step of its run.
            table::create_busy(d, "runs", RUNS, 80),
            unique(
                "runs_idempotency_key",
                "runs (tenant_id, idempotency_key) WHERE idempotency_key IS NOT NULL",
            ),
            unique(
                "runs_external_trace_id",
                "runs (tenant_id, external_trace_id) WHERE external_trace_id IS NOT NULL",
            ),
            // For the job that seals what nobody ends, over all tenants. A query must say the word, not bind it.
            index("runs_live", "runs (started_at, tenant_id, id) WHERE state = 'LIVE'"),
        ],
        list_indexes("runs", "started_at", FILTERS),
        protect::kept_unless(
            d,
            "runs",
            &format!("OLD.state = 'COMPLETED' AND {}", changes(&columns_but(RUNS, LIVE_COLUMNS))),
        ),
    ]
    .concat()
}

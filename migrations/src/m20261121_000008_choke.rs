//! What the choke point writes: decisions, permits, enforcements, preventions, breaches.

use crate::{
    dialect::Dialect,
    protect,
    table::{self, index, list_indexes, unique},
};

const POLICY_DECISIONS: &str = r"
    tenant_id id
    run_id id
    id id
    seq count
    moment word(RUN_START, STEP_PRE, STEP_POST, STEP_PRE_POST)
    step_index count?
    permit_id id?
    snapshot_digest hash
    engine_version text
    schema_version text
    facts text
    limit_inputs text
    fired text
    limits text
    action word(ALLOW, WARN, BLOCK, STOP, KILL, ABORT)
    would_have word?(ALLOW, WARN, BLOCK, STOP, KILL, ABORT)
    halt_reason word?(policy_stop, policy_kill, budget_exceeded, rate_limited, evaluation_error)
    deciding_policy_id text?
    overridden_by text?
    permit_note text?
    decided_at time
    PRIMARY KEY (tenant_id, id)
    UNIQUE (tenant_id, run_id, seq)
";

const PERMITS: &str = r"
    tenant_id id
    id id
    run_id id
    status word(GRANTED, USED, LAPSED)
    kind word(LLM_CALL, TOOL_CALL, RETRIEVAL, HTTP_CALL, TRANSFORM, OTHER)
    skill_name text
    params_hash hash
    idempotency_key text?
    request_hash hash
    estimate_input_tokens count
    estimate_output_tokens count
    estimate_cost_microusd count?
    reservations text
    decision_id id
    decision_hash hash
    run_after text
    granted_at time
    expires_at time
    used_by_step count?
    PRIMARY KEY (tenant_id, id)
    CHECK ((status = 'USED') = (used_by_step IS NOT NULL))
";

const POLICY_ENFORCEMENTS: &str = r"
    tenant_id id
    run_id id?
    id id
    seq count?
    policy_id text
    policy_kind word(RULE, LIMIT)
    rule_id id?
    incident_id id?
    step_index count?
    action_taken word(WARNED, BLOCKED, STOPPED, KILLED, ABORTED, AUDITED)
    details text
    triggered_at time
    PRIMARY KEY (tenant_id, id)
    UNIQUE (tenant_id, run_id, seq)
";

const PREVENTION_RECORDS: &str = r"
    tenant_id id
    run_id id
    id id
    seq count?
    policy_id text?
    policy_kind word?(RULE, LIMIT)
    policy_name text?
    pattern_id text?
    step_index count?
    outcome word(WARNED, BLOCKED, STOPPED, KILLED, ABORTED, AUDITED, LIMIT_BREACHED, PREVENTED, NO_VIOLATION)
    confidence_permille count
    original_incident_id id?
    blocked_incident_id id?
    is_simulated bool
    is_synthetic bool
    evaluated_at time
    PRIMARY KEY (tenant_id, id)
    UNIQUE (tenant_id, run_id, seq)
    CHECK (policy_id IS NOT NULL OR outcome = 'NO_VIOLATION')
";

const LIMIT_BREACHES: &str = r"
    tenant_id id
    run_id id
    id id
    seq count
    limit_id id
    limit_name text
    limit_type word(COST_USD, TOKENS_TOTAL, TOKENS_INPUT, TOKENS_OUTPUT, STEPS, TOOL_CALLS, REQUESTS_PER_SECOND, REQUESTS_PER_MINUTE, REQUESTS_PER_HOUR, TOKENS_PER_MINUTE, RUN_COST_USD, RUN_TOKENS, RUN_STEPS, RUN_DURATION_MS, STEP_COST_USD, STEP_TOKENS, LATENCY_MS, RETRY_COUNT, ERROR_RATE_PCT)
    breach_type word(BREACHED, EXHAUSTED, THROTTLED, VIOLATED)
    window_start text
    step_index count?
    breached_value count
    threshold_value count
    breached_at time
    PRIMARY KEY (tenant_id, id)
    UNIQUE (tenant_id, run_id, seq)
    UNIQUE (tenant_id, limit_id, window_start, run_id)
";

pub(crate) fn statements(d: Dialect) -> Vec<String> {
    [
        vec![
            table::create(d, "policy_decisions", POLICY_DECISIONS),
            table::create(d, "permits", PERMITS),
            unique(
                "permits_idempotency_key",
                "permits (tenant_id, run_id, idempotency_key) WHERE idempotency_key IS NOT NULL",
            ),
            index("permits_by_expiry", "permits (tenant_id, status, expires_at)"),
            table::create(d, "policy_enforcements", POLICY_ENFORCEMENTS),
            index(
                "policy_enforcements_by_policy",
                "policy_enforcements (tenant_id, policy_id, triggered_at, id)",
            ),
            table::create(d, "prevention_records", PREVENTION_RECORDS),
            table::create(d, "limit_breaches", LIMIT_BREACHES),
        ],
        list_indexes("limit_breaches", "breached_at", &["limit_id"]),
        protect::append_only(d, "policy_decisions"),
        protect::kept(d, "permits"),
        protect::append_only(d, "policy_enforcements"),
        protect::append_only(d, "prevention_records"),
        protect::append_only(d, "limit_breaches"),
    ]
    .concat()
}

//! Limits, with their versions and integrity, what was used of them, and how they were breached.

use crate::{
    dialect::Dialect,
    protect,
    table::{self, index, list_indexes, unique},
};

const LIMIT_INTEGRITY: &str = r"
    tenant_id id
    limit_id id
    version count
    status word(VERIFIED, DEGRADED, FAILED)
    score_permille count
    hash_root hash
    computed_at time
    PRIMARY KEY (tenant_id, limit_id, version)
";

const LIMIT_VERSIONS: &str = r"
    tenant_id id
    limit_id id
    version count
    definition text
    created_at time
    PRIMARY KEY (tenant_id, limit_id, version)
";

/// `namesake` is 0 in every row that is written (ADR 29).
const LIMITS: &str = r"
    tenant_id id
    id id
    version count
    name text
    limit_category word(BUDGET, RATE, THRESHOLD)
    limit_type word(COST_USD, TOKENS_TOTAL, TOKENS_INPUT, TOKENS_OUTPUT, STEPS, TOOL_CALLS, REQUESTS_PER_SECOND, REQUESTS_PER_MINUTE, REQUESTS_PER_HOUR, TOKENS_PER_MINUTE, RUN_COST_USD, RUN_TOKENS, RUN_STEPS, RUN_DURATION_MS, STEP_COST_USD, STEP_TOKENS, LATENCY_MS, RETRY_COUNT, ERROR_RATE_PCT)
    scope word(GLOBAL, TENANT, PROJECT, AGENT, PROVIDER)
    scope_id text?
    max_value count
    reset_period word?(DAILY, WEEKLY, MONTHLY, NONE)
    window_seconds count?
    measurement_window_seconds count?
    enforcement word(BLOCK, STOP, KILL, WARN, REJECT, QUEUE, DEGRADE, ALERT)
    consequence word(ALERT, INCIDENT, ABORT)
    status word(ACTIVE, DISABLED)
    created_by text
    created_at time
    updated_at time
    degrade_to text?
    namesake count
    PRIMARY KEY (tenant_id, id)
    FOREIGN KEY (tenant_id, id, version) REFERENCES limit_integrity (tenant_id, limit_id, version) DEFERRABLE INITIALLY DEFERRED
";

/// `over_by` is when a window is over, so that it can be forgotten.
const LIMIT_USAGE: &str = r"
    tenant_id id
    limit_id id
    scope_key text
    window_start text
    used count
    reserved count
    updated_at time
    over_by time?
    PRIMARY KEY (tenant_id, limit_id, scope_key, window_start)
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

pub(super) fn statements(d: Dialect) -> Vec<String> {
    [
        vec![
            // First, and referring to nothing: a version is in force only with its integrity row.
            table::create(d, "limit_integrity", LIMIT_INTEGRITY),
            table::create(d, "limit_versions", LIMIT_VERSIONS),
            table::create(d, "limits", LIMITS),
            unique("limits_active_name", "limits (tenant_id, name, namesake) WHERE status = 'ACTIVE'"),
            // A row of a busy limit is written by every group.
            table::by_key(d, table::create_busy(d, "limit_usage", LIMIT_USAGE, 50)),
            index("limit_usage_over_by", "limit_usage (over_by) WHERE over_by IS NOT NULL"),
            table::create(d, "limit_breaches", LIMIT_BREACHES),
        ],
        list_indexes("limits", "created_at", &["status"]),
        list_indexes("limit_breaches", "breached_at", &["limit_id"]),
        protect::append_only(d, "limit_integrity"),
        protect::append_only(d, "limit_versions"),
        protect::kept(d, "limits"),
        protect::append_only(d, "limit_breaches"),
    ]
    .concat()
}

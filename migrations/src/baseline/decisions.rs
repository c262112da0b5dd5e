//! What the choke point writes: decisions, permits, enforcements, preventions.

use crate::{
    dialect::Dialect,
    protect,
    table::{self, index, unique},
};

/// Provider, model and labels are what a permit is bound to beside kind, skill and parameters: all that rules and
/// limits of the asked moment look at. `lapses_at` is from when on what it holds is to be given back: as it expires, or
/// at once where its run has ended. What it was told to expire at stays as it was told.
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
    estimate_cost_nanousd count?
    reservations text
    decision_id id
    decision_hash hash
    run_after text
    granted_at time
    expires_at time
    used_by_step count?
    provider text?
    model text?
    labels text
    lapses_at time
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

/// `refused_after` is whether what a rule or limit refused had been done by then: that it was not asked for before does
/// not say so, nor does that nothing was done.
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
    asked word?(BEFORE, AFTER)
    would_have word?(ALLOW, WARN, BLOCK, STOP, KILL, ABORT)
    refused_after bool
    PRIMARY KEY (tenant_id, id)
    UNIQUE (tenant_id, run_id, seq)
    CHECK (policy_id IS NOT NULL OR outcome = 'NO_VIOLATION')
";

pub(super) fn statements(d: Dialect) -> Vec<String> {
    [
        vec![
            table::create(d, "permits", PERMITS),
            unique(
                "permits_idempotency_key",
                "permits (tenant_id, run_id, idempotency_key) WHERE idempotency_key IS NOT NULL",
            ),
            index("permits_by_lapse", "permits (tenant_id, status, lapses_at)"),
            index("permits_by_run", "permits (tenant_id, run_id, status)"),
            table::create(d, "policy_enforcements", POLICY_ENFORCEMENTS),
            index(
                "policy_enforcements_by_policy",
                "policy_enforcements (tenant_id, policy_id, triggered_at, id)",
            ),
            table::create(d, "prevention_records", PREVENTION_RECORDS),
        ],
        protect::kept(d, "permits"),
        protect::append_only(d, "policy_enforcements"),
        protect::append_only(d, "prevention_records"),
    ]
    .concat()
}

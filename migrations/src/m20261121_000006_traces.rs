//! Traces and their steps.

use crate::{
    dialect::Dialect,
    protect,
    table::{self, index, list_indexes, unique},
};

const AOS_TRACES: &str = r"
    tenant_id id
    id id
    run_id id
    attempt count
    addendum_of id?
    agent_id text?
    correlation_id text
    status word(RUNNING, COMPLETED, FAILED, ABORTED)
    abort_reason text?
    schema_version text
    metadata text?
    root_hash hash?
    chain_head hash
    ranges bytes
    step_count count
    refused_count count
    tally text
    tools_used text
    last_tool text?
    failure_count count
    cost_known bool
    expected_activity count
    expected_provider count
    last_recorded_at time?
    replay_mode word?(FULL, TRACE_ONLY)
    started_at time
    completed_at time?
    archived_at time?
    sealed_leaf_index count?
    opened_leaf_index count
    PRIMARY KEY (tenant_id, id)
    CHECK (sealed_leaf_index IS NULL OR (status <> 'RUNNING' AND root_hash IS NOT NULL AND completed_at IS NOT NULL))
    FOREIGN KEY (tenant_id, run_id) REFERENCES runs (tenant_id, id)
";

const AOS_TRACE_STEPS: &str = r"
    tenant_id id
    run_id id
    trace_id id
    step_index count
    parent_step_index count?
    kind word(LLM_CALL, TOOL_CALL, RETRIEVAL, HTTP_CALL, TRANSFORM, OTHER)
    skill_name text
    params text?
    status word(SUCCESS, FAILURE, RETRY, SKIPPED, REFUSED)
    outcome_category word(SUCCESS, TRANSIENT, PERMANENT, REFUSED)
    outcome_code text?
    outcome_data text?
    prompt text?
    response text?
    finish_reason text?
    provider text?
    model text?
    input_tokens count
    output_tokens count
    cache_read_tokens count
    reasoning_tokens count
    cost_microusd count
    cost_known bool
    duration_ms count
    retry_count count
    started_at time?
    recorded_at time
    level word(INFO, WARN, ERROR)
    source word(engine, external, replay)
    external_span_id text?
    external_parent_span_id text?
    idempotency_key text?
    request_hash hash?
    replay_behavior word?(execute, skip, check)
    input_hash hash
    output_hash hash
    permit_id id?
    decision_id id?
    pre_decision_hash hash?
    post_decision_hash hash?
    activity_hash hash?
    provider_hash hash?
    run_after text
    determinism_hash hash
    prev_hash hash
    assurance word(ENFORCED, REPORTED)
    step_hash hash
    PRIMARY KEY (tenant_id, run_id, step_index, trace_id)
    CHECK (assurance <> 'ENFORCED' OR decision_id IS NOT NULL)
";

pub(crate) fn statements(d: Dialect) -> Vec<String> {
    [
        vec![
            table::create_busy(d, "aos_traces", AOS_TRACES, 80),
            index("aos_traces_by_run", "aos_traces (tenant_id, run_id)"),
            index("aos_traces_by_root_hash", "aos_traces (tenant_id, root_hash)"),
            table::create(d, "aos_trace_steps", AOS_TRACE_STEPS),
            unique(
                "aos_trace_steps_idempotency_key",
                "aos_trace_steps (tenant_id, run_id, idempotency_key) WHERE idempotency_key IS NOT NULL",
            ),
        ],
        list_indexes("aos_traces", "started_at", &["agent_id", "status"]),
        protect::kept_unless(d, "aos_traces", "OLD.sealed_leaf_index IS NOT NULL"),
        protect::append_only(d, "aos_trace_steps"),
    ]
    .concat()
}
